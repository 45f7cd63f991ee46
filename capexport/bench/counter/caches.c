/* Sets of lines with the time of their last use. No prefetching and no other core. */
#include "caches.h"

#include <stdlib.h>
#include <string.h>

enum { LINE_SHIFT = 6, KIB = 1024 };

static struct {
  const uint64_t kib, ways;
  uint64_t sets, *line, *last_use, clock;
} levels[LEVELS] = {{64, 4, 0, NULL, NULL, 0}, {512, 8, 0, NULL, NULL, 0}, {2048, 16, 0, NULL, NULL, 0}};

void open_caches(void) {
  for (int i = 0; i < LEVELS; i++) {
    levels[i].sets = levels[i].kib * KIB / (1 << LINE_SHIFT) / levels[i].ways;
    const size_t slots = levels[i].sets * levels[i].ways;
    levels[i].line = malloc(slots * sizeof(uint64_t));
    levels[i].last_use = calloc(slots, sizeof(uint64_t));
    if (!levels[i].line || !levels[i].last_use) abort();
    memset(levels[i].line, 0xff, slots * sizeof(uint64_t));
  }
}

static int hits(int level, uint64_t line) {
  const uint64_t first = line % levels[level].sets * levels[level].ways;
  uint64_t* lines = levels[level].line + first;
  uint64_t* last_use = levels[level].last_use + first;
  uint64_t victim = 0;
  levels[level].clock++;
  for (uint64_t way = 0; way < levels[level].ways; way++) {
    if (lines[way] == line) {
      last_use[way] = levels[level].clock;
      return 1;
    }
    if (last_use[way] < last_use[victim]) victim = way;
  }
  lines[victim] = line;
  last_use[victim] = levels[level].clock;
  return 0;
}

void access_caches(uint64_t address, uint64_t bytes, int is_store, traffic* sum) {
  *(is_store ? &sum->stores : &sum->loads) += 1;
  *(is_store ? &sum->store_bytes : &sum->load_bytes) += bytes;
  const uint64_t last = (address + bytes - 1) >> LINE_SHIFT;
  for (uint64_t line = address >> LINE_SHIFT; line <= last; line++)
    for (int level = 0; level < LEVELS && !hits(level, line); level++) sum->misses[level]++;
}
