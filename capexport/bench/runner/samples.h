/* How long a piece of work takes, again and again; or marks around it for who counts instructions. */
#ifndef SAMPLES_H
#define SAMPLES_H
#include <stddef.h>

#include "description.h"

typedef struct {
  size_t count;
  double *ms, *cpu_ms; /* of the clock on the wall, and of the calling thread alone */
} samples;

double now_ms(void);

/* Warm-up, then samples until there are enough of them and enough time has passed. When counting
 * there are none: a few calls, each between two marks. */
samples measure(const description* settings, void (*work)(void*), void* data);
#endif
