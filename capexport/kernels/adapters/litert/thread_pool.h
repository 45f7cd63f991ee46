/* A few threads that share the parts of one product. */
#ifndef THREAD_POOL_H
#define THREAD_POOL_H

typedef struct thread_pool thread_pool;

typedef void part_of_work(void* work, int part);

/* A pool that computes with `threads` threads, the caller's one of them; NULL where it cannot be. */
thread_pool* threads_open(int threads);

/* Calls run(work, 0 .. parts-1), each once and in any order, and returns when all have returned.
 * Without a pool, or while another caller has it, the calling thread does them all. */
void threads_share(thread_pool* pool, part_of_work* run, void* work, int parts);

void threads_close(thread_pool* pool); /* NULL: nothing */
#endif
