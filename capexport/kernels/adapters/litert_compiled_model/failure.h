/* Why something failed: the first reason, since what follows is its consequence. */
#ifndef FAILURE_H
#define FAILURE_H
#include "litert_abi.h"

typedef struct {
  char text[256]; /* "" as long as all is well */
} failure;

enum { LRT_OK = 0, LRT_FAILED = 3 /* a failure at run time, in LiteRT's numbers */ };

/* Writes the reason, unless there is one already; LRT_FAILED. */
lrt_status fail(failure* why, const char* format, ...) __attribute__((format(printf, 2, 3)));
#endif
