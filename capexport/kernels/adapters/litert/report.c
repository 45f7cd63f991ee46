/* Tab-separated lines, each in the file as soon as it is known. */
#include "report.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

struct report {
  FILE* file;
  pthread_mutex_t writing; /* a delegate may serve interpreters of several threads */
};

static const char HEADER[] =
    "node\toperator\tweights\trows\tcolumns\tnonzeros\tstored\toutcome\trows_of_x\tbytes\n";

static report* start(FILE* file) {
  report* r = malloc(sizeof *r);
  if (!r) return NULL;
  r->file = file;
  if (pthread_mutex_init(&r->writing, NULL) != 0) {
    free(r);
    return NULL;
  }
  fputs(HEADER, file);
  fflush(file);
  return r;
}

report* report_open(const char* path) {
  FILE* file = fopen(path, "w");
  if (!file) return NULL;
  report* r = start(file);
  if (!r) fclose(file);
  return r;
}

/* A name from a file, with nothing in it that would end a field. */
static void put_name(FILE* file, const char* name) {
  for (; *name; name++) fputc((unsigned char)*name < ' ' ? '?' : *name, file);
}

void report_add(report* r, const report_line* l) {
  if (!r) return;
  pthread_mutex_lock(&r->writing);
  fprintf(r->file, "%d\t%s\t", l->node, l->op);
  put_name(r->file, l->weights);
  fprintf(r->file, "\t%d\t%d\t%lld\t%s\t%s\t%d\t%zu\n", (int)l->rows, (int)l->columns,
          (long long)l->nonzeros, l->stored, l->outcome, (int)l->rows_of_x, l->bytes);
  fflush(r->file);
  pthread_mutex_unlock(&r->writing);
}

void report_close(report* r) {
  if (!r) return;
  fclose(r->file);
  pthread_mutex_destroy(&r->writing);
  free(r);
}
