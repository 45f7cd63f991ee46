/* A file that says of every layer what became of it, and why. */
#ifndef REPORT_H
#define REPORT_H
#include <stddef.h>
#include <stdint.h>

typedef struct report report;

/* One line: a layer that was packed, or that stays with the runtime. */
typedef struct {
  int node;
  const char* op;      /* "FULLY_CONNECTED" */
  const char* weights; /* name of their tensor */
  int32_t rows, columns;
  int64_t nonzeros;
  const char* stored;  /* how the file has them: "dense", "csr", "densify", "cksb" */
  const char* outcome; /* name of the kernel, or the reason why not */
  int32_t rows_of_x;
  size_t bytes; /* packed; 0 where the layer stays with the runtime */
} report_line;

/* Empties the file at `path`; NULL where it cannot be written. */
report* report_open(const char* path);

/* Both do nothing for NULL. */
void report_add(report* r, const report_line* line);
void report_close(report* r);
#endif
