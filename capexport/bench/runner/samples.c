/* A monotonic clock, and marks that an emulator's plugin sees. */
#define _GNU_SOURCE
#include "samples.h"

#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "failure.h"

enum { MARK = 0x43415042, START = 1, END = 2, WARM = 3, COUNTED_CALLS = 5 };

double now_ms(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

/* No prctl has that number: every kernel answers EINVAL. */
static void mark(long which) { syscall(SYS_prctl, (long)MARK, which, 0L, 0L, 0L); }

static void add(samples* all, size_t* room, double ms) {
  if (all->count == *room) {
    *room = *room ? 2 * *room : 1024;
    all->ms = realloc(all->ms, *room * sizeof *all->ms);
    if (!all->ms) stop("samples", "there is no memory left");
  }
  all->ms[all->count++] = ms;
}

samples measure(const description* settings, void (*work)(void*), void* data) {
  samples all = {0, NULL};
  size_t room = 0;
  if (settings->is_counting) mark(WARM);
  for (int32_t i = 0; i < settings->warm_up; i++) work(data);
  for (int32_t i = 0; settings->is_counting && i < COUNTED_CALLS; i++) {
    mark(START);
    work(data);
    mark(END);
  }
  if (settings->is_counting) return all;
  const double begin = now_ms();
  double before = begin;
  while (all.count < (size_t)settings->least_samples || before - begin < settings->least_ms) {
    work(data);
    const double after = now_ms();
    add(&all, &room, after - before);
    before = now_ms();
  }
  return all;
}
