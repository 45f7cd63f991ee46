/* A model of data caches: 64-byte lines, the least recently used one goes, and is written to the next
 * level if a store changed it. Several cores' caches are modelled at once, by the same accesses. */
#ifndef CACHES_H
#define CACHES_H
#include <stdbool.h>
#include <stdint.h>

enum { MOST_LEVELS = 3, MOST_HIERARCHIES = 16, NAME_BYTES = 32 };

/* Lines that one cache did not have, those of them that a load asked for, and lines that it wrote on. */
typedef struct {
  uint64_t misses, fetched, written;
} passed_lines;

typedef struct {
  char name[NAME_BYTES];
  int levels;
  const passed_lines* passed[MOST_LEVELS];
} hierarchy;

typedef struct {
  uint64_t loads, stores, load_bytes, store_bytes;
} traffic;

/* NAME:KIB:WAYS[:KIB:WAYS[:KIB:WAYS]], the nearest cache first; false where it is not that. */
bool add_hierarchy(const char* text);

int count_hierarchies(void);
const hierarchy* get_hierarchy(int index);
const traffic* get_traffic(void);

/* An access that begins at an address. */
void access_caches(uint64_t address, uint64_t bytes, bool is_store);

/* Counts begin anew; what the caches hold stays. */
void forget_traffic(void);
#endif
