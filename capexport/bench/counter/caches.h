/* A model of three levels of data caches: 64-byte lines, the least recently used one goes. */
#ifndef CACHES_H
#define CACHES_H
#include <stdint.h>

enum { LEVELS = 3 };

typedef struct {
  uint64_t loads, stores, load_bytes, store_bytes, misses[LEVELS];
} traffic;

/* 64 KiB of 4 ways, 512 KiB of 8 and 2 MiB of 16: a Cortex-A76 in a phone. */
void open_caches(void);

/* An access that begins at an address; it is counted in `sum`. */
void access_caches(uint64_t address, uint64_t bytes, int is_store, traffic* sum);
#endif
