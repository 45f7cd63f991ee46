/* Hierarchies that begin with equal caches share them: a tree, in which only misses go down. No
 * prefetching, no other core, and no cache is kept to hold what a nearer one does. */
#include "caches.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINE_SHIFT = 6, KIB = 1024 };

typedef struct cache {
  struct cache *farther, *sibling;
  uint64_t kib, ways, sets, *line, *last_use, clock;
  bool* is_changed;
  passed_lines passed;
} cache;

static cache* nearest;
static hierarchy all[MOST_HIERARCHIES];
static int count;
static traffic sum;

static cache* open_cache(uint64_t kib, uint64_t ways, cache* sibling) {
  cache* c = calloc(1, sizeof *c);
  if (!c) abort();
  const uint64_t sets = kib * (KIB >> LINE_SHIFT) / ways;
  *c = (cache){.sibling = sibling, .kib = kib, .ways = ways, .sets = sets};
  const size_t slots = sets * ways;
  c->line = malloc(slots * sizeof *c->line);
  c->last_use = calloc(slots, sizeof *c->last_use);
  c->is_changed = calloc(slots, sizeof *c->is_changed);
  if (!c->line || !c->last_use || !c->is_changed) abort();
  memset(c->line, 0xff, slots * sizeof *c->line);
  return c;
}

static cache* find_or_open(cache** siblings, uint64_t kib, uint64_t ways) {
  for (cache* c = *siblings; c; c = c->sibling)
    if (c->kib == kib && c->ways == ways) return c;
  return *siblings = open_cache(kib, ways, *siblings);
}

bool add_hierarchy(const char* text) {
  const size_t name = strcspn(text, ":");
  if (count == MOST_HIERARCHIES || !name || name >= NAME_BYTES) return false;
  hierarchy* h = &all[count];
  *h = (hierarchy){0};
  memcpy(h->name, text, name);
  cache** siblings = &nearest;
  for (text += name; *text; h->levels++) {
    unsigned kib, ways;
    int length = 0;
    if (sscanf(text, ":%u:%u%n", &kib, &ways, &length) != 2) return false;
    if (h->levels == MOST_LEVELS || !ways || kib * (KIB >> LINE_SHIFT) < ways) return false;
    cache* c = find_or_open(siblings, kib, ways);
    h->passed[h->levels] = &c->passed;
    siblings = &c->farther;
    text += length;
  }
  count += h->levels > 0;
  return h->levels > 0;
}

int count_hierarchies(void) { return count; }
const hierarchy* get_hierarchy(int index) { return &all[index]; }
const traffic* get_traffic(void) { return &sum; }

/* The line's place, or SIZE_MAX; `*oldest` is then where it would go. */
static size_t find(const cache* c, uint64_t line, size_t* oldest) {
  const size_t first = line % c->sets * c->ways;
  *oldest = first;
  for (size_t slot = first; slot < first + c->ways; slot++) {
    if (c->line[slot] == line) return slot;
    if (c->last_use[slot] < c->last_use[*oldest]) *oldest = slot;
  }
  return SIZE_MAX;
}

/* A changed line leaves a cache for the next that has it, or for memory. */
static void write_on(cache* c, uint64_t line) {
  c->passed.written++;
  for (cache* next = c->farther; next; next = next->sibling) {
    size_t oldest;
    const size_t slot = find(next, line, &oldest);
    if (slot == SIZE_MAX)
      write_on(next, line);
    else
      next->is_changed[slot] = true;
  }
}

static void reach(cache* c, uint64_t line, bool is_store, bool is_change) {
  size_t oldest, slot = find(c, line, &oldest);
  if (slot == SIZE_MAX) {
    slot = oldest;
    c->passed.misses++;
    c->passed.fetched += !is_store;
    if (c->is_changed[slot]) write_on(c, c->line[slot]);
    c->line[slot] = line;
    c->is_changed[slot] = false;
    for (cache* next = c->farther; next; next = next->sibling) reach(next, line, is_store, false);
  }
  c->is_changed[slot] |= is_change;
  c->last_use[slot] = ++c->clock;
}

void access_caches(uint64_t address, uint64_t bytes, bool is_store) {
  *(is_store ? &sum.stores : &sum.loads) += 1;
  *(is_store ? &sum.store_bytes : &sum.load_bytes) += bytes;
  const uint64_t last = (address + bytes - 1) >> LINE_SHIFT;
  for (uint64_t line = address >> LINE_SHIFT; line <= last; line++)
    for (cache* c = nearest; c; c = c->sibling) reach(c, line, is_store, is_store);
}

static void forget(cache* c) {
  for (; c; c = c->sibling) {
    c->passed = (passed_lines){0};
    forget(c->farther);
  }
}

void forget_traffic(void) {
  sum = (traffic){0};
  forget(nearest);
}
