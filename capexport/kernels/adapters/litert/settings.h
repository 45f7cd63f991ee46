/* The delegate's options, and what all of its operators share. */
#ifndef SETTINGS_H
#define SETTINGS_H
#include <stddef.h>
#include <stdint.h>

#include "report.h"
#include "thread_pool.h"

typedef enum {
  TAKE_FASTER, /* those that the dispatch rule says are faster than dense */
  TAKE_ALL,    /* those that can be computed, however few zeros they have */
  TAKE_PACKED  /* none: only what is stored for this library */
} take_rule;

typedef struct {
  uint32_t isa;    /* asked once: under a hypervisor CPUID takes microseconds */
  int rows_of_x;   /* that the dispatch rule is asked for; 0: those of the shapes in the file */
  take_rule take;  /* which of TFLite's own layers */
  thread_pool* threads; /* NULL: one */
  report* report;       /* NULL: none */
} settings;

/* Fills `s` from the options of the delegate; NULL, or what is wrong in words of static life.
 * Either way settings_close gives back what it holds. */
const char* settings_open(settings* s, const char* const* keys, const char* const* values,
                          size_t count);
void settings_close(settings* s);
#endif
