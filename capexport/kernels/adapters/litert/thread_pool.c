/* The pool: parts are handed out by a counter, so that a thread that is slow takes fewer of them.
 *
 * A job is one product of some ten microseconds, and waking a thread that sleeps takes as long.
 * Workers therefore look out for the next job for a while before they go to sleep. */
#include "thread_pool.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

enum { LOOKS = 4000 }; /* about 50 us at 12 ns a pause */

struct thread_pool {
  pthread_mutex_t in_use; /* held by the one caller that it serves */
  pthread_mutex_t door;   /* guards `job` where somebody sleeps */
  pthread_cond_t called;
  atomic_uint job; /* number of the current one; changes last when a job is there */
  atomic_int next, left;
  atomic_int inside; /* workers that may still touch the job */
  atomic_int closing; /* a worker that is late for the last job reads it outside the door */
  part_of_work* run;
  void* work;
  int parts;
  int workers;
  pid_t owner; /* a child after fork has none of the threads */
  pthread_t thread[];
};

static void pause_briefly(void) {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

static void take_parts(thread_pool* p) {
  int part;
  while ((part = atomic_fetch_add(&p->next, 1)) < p->parts) {
    p->run(p->work, part);
    atomic_fetch_sub(&p->left, 1);
  }
}

/* Returns the number of a job other than `last`. */
static unsigned wait_for_job(thread_pool* p, unsigned last) {
  for (int look = 0; look < LOOKS; look++) {
    if (atomic_load(&p->job) != last) break;
    pause_briefly();
  }
  pthread_mutex_lock(&p->door);
  while (atomic_load(&p->job) == last) pthread_cond_wait(&p->called, &p->door);
  const unsigned job = atomic_load(&p->job);
  atomic_fetch_add(&p->inside, 1); /* under the door: the caller cannot miss it */
  pthread_mutex_unlock(&p->door);
  return job;
}

static void* worker(void* pool) {
  thread_pool* p = pool;
  for (unsigned job = 0;;) {
    job = wait_for_job(p, job);
    const int closing = p->closing;
    if (!closing) take_parts(p);
    atomic_fetch_sub(&p->inside, 1);
    if (closing) return NULL;
  }
}

/* The fields of a job may be written: no worker is inside, and none gets in before the door. */
static void call(thread_pool* p) {
  atomic_fetch_add(&p->job, 1);
  pthread_cond_broadcast(&p->called);
}

static void run_job(thread_pool* p, part_of_work* run, void* work, int parts) {
  pthread_mutex_lock(&p->door);
  while (atomic_load(&p->inside)) pause_briefly(); /* late for the last job: they find no part */
  p->run = run;
  p->work = work;
  p->parts = parts;
  atomic_store(&p->left, parts);
  atomic_store(&p->next, 0);
  call(p);
  pthread_mutex_unlock(&p->door);
  take_parts(p);
  for (int look = 0; atomic_load(&p->left); look++)
    if (look < LOOKS)
      pause_briefly();
    else
      sched_yield(); /* a worker may have lost its CPU */
}

void threads_share(thread_pool* p, part_of_work* run, void* work, int parts) {
  if (p && parts > 1 && p->owner == getpid() && pthread_mutex_trylock(&p->in_use) == 0) {
    run_job(p, run, work, parts);
    pthread_mutex_unlock(&p->in_use);
    return;
  }
  for (int part = 0; part < parts; part++) run(work, part);
}

/* Starts as many as asked for; fewer are told by p->workers. */
static void start(thread_pool* p, int workers) {
  while (p->workers < workers &&
         pthread_create(&p->thread[p->workers], NULL, worker, p) == 0)
    p->workers++;
}

thread_pool* threads_open(int threads) {
  thread_pool* p = calloc(1, sizeof *p + (size_t)(threads - 1) * sizeof(pthread_t));
  if (!p) return NULL;
  if (pthread_mutex_init(&p->in_use, NULL) || pthread_mutex_init(&p->door, NULL) ||
      pthread_cond_init(&p->called, NULL)) {
    free(p);
    return NULL;
  }
  p->owner = getpid();
  start(p, threads - 1);
  if (p->workers == threads - 1) return p;
  threads_close(p);
  return NULL;
}

void threads_close(thread_pool* p) {
  if (!p || p->owner != getpid()) return; /* in a child nothing can be waited for */
  pthread_mutex_lock(&p->door);
  p->closing = 1;
  call(p);
  pthread_mutex_unlock(&p->door);
  for (int i = 0; i < p->workers; i++) pthread_join(p->thread[i], NULL);
  pthread_cond_destroy(&p->called);
  pthread_mutex_destroy(&p->door);
  pthread_mutex_destroy(&p->in_use);
  free(p);
}
