/* Three callers, one pool, many small jobs: prints how often a part was not done exactly once. For
 * a build with the thread sanitizer. */
#include "thread_pool.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

enum { CALLERS = 3, JOBS = 2000, MOST_PARTS = 40 };

static thread_pool* pool;
static int wrong[CALLERS];

static void do_part(void* work, int part) { ((int*)work)[part]++; }

static void* caller(void* number) {
  const int me = *(int*)number;
  for (int job = 0; job < JOBS; job++) {
    int done[MOST_PARTS] = {0};
    const int parts = 1 + (job * 7 + me) % MOST_PARTS;
    threads_share(pool, do_part, done, parts);
    for (int part = 0; part < MOST_PARTS; part++) wrong[me] += done[part] != (part < parts);
  }
  return NULL;
}

int main(void) {
  for (int threads = 1; threads <= 4; threads++) {
    pthread_t thread[CALLERS];
    int number[CALLERS] = {0, 1, 2};
    if (!(pool = threads_open(threads))) return 2;
    for (int i = 0; i < CALLERS; i++) pthread_create(&thread[i], NULL, caller, &number[i]);
    for (int i = 0; i < CALLERS; i++) pthread_join(thread[i], NULL);
    threads_close(pool);
  }
  printf("%d\n", wrong[0] + wrong[1] + wrong[2]);
  return 0;
}
