/* One line on the standard error and the exit status 1. */
#include "failure.h"

#include <stdio.h>
#include <stdlib.h>

void stop(const char* where, const char* why) {
  fprintf(stderr, "capexport_bench: %s: %s\n", where, why);
  exit(1);
}

void* take(size_t count, size_t size) {
  void* memory = calloc(count ? count : 1, size);
  if (!memory) stop("memory", "there is none left");
  return memory;
}
