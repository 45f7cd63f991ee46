/* Two clocks, and marks that an emulator's plugin sees. */
#define _GNU_SOURCE
#include "samples.h"

#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "failure.h"

enum { MARK = 0x43415042, START = 1, END = 2, WARM = 3, COUNTED_CALLS = 5 };

static double read_ms(clockid_t clock) {
  struct timespec t;
  clock_gettime(clock, &t);
  return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

double now_ms(void) { return read_ms(CLOCK_MONOTONIC); }

/* No prctl has that number: every kernel answers EINVAL. */
static void mark(long which) { syscall(SYS_prctl, (long)MARK, which, 0L, 0L, 0L); }

static double* grown(double* items, size_t room) {
  items = realloc(items, room * sizeof *items);
  if (!items) stop("samples", "there is no memory left");
  return items;
}

static void add(samples* all, size_t* room, double ms, double cpu_ms) {
  if (all->count == *room) {
    *room = *room ? 2 * *room : 1024;
    all->ms = grown(all->ms, *room);
    all->cpu_ms = grown(all->cpu_ms, *room);
  }
  all->ms[all->count] = ms;
  all->cpu_ms[all->count++] = cpu_ms;
}

samples measure(const description* settings, void (*work)(void*), void* data) {
  samples all = {0, NULL, NULL};
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
    const double cpu_before = read_ms(CLOCK_THREAD_CPUTIME_ID);
    before = now_ms();
    work(data);
    const double after = now_ms();
    add(&all, &room, after - before, read_ms(CLOCK_THREAD_CPUTIME_ID) - cpu_before);
  }
  return all;
}
