/* QEMU user-mode plugin for AArch64 guests: instructions by class, bytes, cache misses and the
 * heaviest blocks of code between two marks.
 *
 *   qemu-aarch64 -plugin file=libcapexport_counter.so,out=FILE,caches=CACHES... program ...
 *
 * CACHES is what add_hierarchy takes, once for each core; misses by level are of the first, and
 * `memory` has by name the lines fetched from memory by loads and those written to it.
 *
 * The guest sets marks by prctl(0x43415042, n), to which every kernel answers EINVAL: 3 switches the
 * model of caches on, so that it is warm; 1 starts a region, 2 ends it. Each region becomes one line
 * of JSON. Counters are plain: the guest must run one thread. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "caches.h"
#include "classes.h"
#include "qemu_plugin_abi.h"

EXPORT int qemu_plugin_version = 1;

enum { BUCKETS = 1 << 16, HOT_BLOCKS = 400 };
enum { AARCH64_PRCTL = 167, MARK = 0x43415042, START = 1, END = 2, WARM = 3 };

/* QEMU may translate the same code again: it then meets its old counter. */
typedef struct block {
  struct block* next;
  uint64_t address, executions;
  size_t count;
  uint32_t* words;
} block;

static block* blocks[BUCKETS];
static size_t block_count;
static FILE* out;
static bool is_warm;

/* ---- counting ---- */

static block* find_or_add(uint64_t address, const uint32_t* words, size_t count) {
  block** bucket = &blocks[address / 4 % BUCKETS];
  const size_t bytes = count * sizeof *words;
  for (block* b = *bucket; b; b = b->next)
    if (b->address == address && b->count == count && memcmp(b->words, words, bytes) == 0)
      return b;
  block* b = calloc(1, sizeof *b);
  uint32_t* copy = malloc(bytes);
  if (!b || !copy) abort();
  memcpy(copy, words, bytes);
  *b = (block){*bucket, address, 0, count, copy};
  block_count++;
  return *bucket = b;
}

static void accessed(unsigned cpu, uint32_t info, uint64_t address, void* data) {
  (void)cpu, (void)data;
  if (is_warm)
    access_caches(address, UINT64_C(1) << qemu_plugin_mem_size_shift(info),
                  qemu_plugin_mem_is_store(info));
}

static void translated(plugin_id id, struct qemu_plugin_tb* tb) {
  (void)id;
  const size_t count = qemu_plugin_tb_n_insns(tb);
  uint32_t* words = malloc(count * sizeof *words);
  if (!words) abort();
  for (size_t i = 0; i < count; i++) {
    struct qemu_plugin_insn* instruction = qemu_plugin_tb_get_insn(tb, i);
    memcpy(&words[i], qemu_plugin_insn_data(instruction), sizeof *words);
    qemu_plugin_register_vcpu_mem_cb(instruction, accessed, NO_REGISTERS, READ_AND_WRITE, NULL);
  }
  block* b = find_or_add(qemu_plugin_tb_vaddr(tb), words, count);
  free(words);
  qemu_plugin_register_vcpu_tb_exec_inline(tb, INLINE_ADD_U64, &b->executions, 1);
}

/* ---- regions ---- */

static uint64_t weight(const block* b) { return b->executions * b->count; }

/* Equal weights by address: the same blocks in every run. */
static int heavier(const void* left, const void* right) {
  const block *a = *(block* const*)left, *b = *(block* const*)right;
  if (weight(a) != weight(b)) return weight(a) < weight(b) ? 1 : -1;
  return (a->address > b->address) - (a->address < b->address);
}

static void print_counts(block** all, size_t count) {
  uint64_t by_class[CLASSES] = {0}, total = 0;
  for (size_t i = 0; i < count; i++) {
    total += weight(all[i]);
    for (size_t w = 0; w < all[i]->count; w++)
      by_class[classify(all[i]->words[w])] += all[i]->executions;
  }
  fprintf(out, "{\"instructions\":%" PRIu64, total);
  for (int c = 0; c < CLASSES; c++)
    fprintf(out, ",\"%s\":%" PRIu64, CLASS_NAMES[c], by_class[c]);
}

static void print_traffic(void) {
  const traffic* sum = get_traffic();
  fprintf(out, ",\"load_bytes\":%" PRIu64 ",\"store_bytes\":%" PRIu64, sum->load_bytes,
          sum->store_bytes);
  const hierarchy* own = get_hierarchy(0);
  for (int i = 0; i < own->levels; i++)
    fprintf(out, ",\"l%d_misses\":%" PRIu64, i + 1, own->passed[i]->misses);
  fprintf(out, ",\"memory\":{");
  for (int i = 0; i < count_hierarchies(); i++) {
    const hierarchy* h = get_hierarchy(i);
    const passed_lines* last = h->passed[h->levels - 1];
    fprintf(out, "%s\"%s\":[%" PRIu64 ",%" PRIu64 "]", i ? "," : "", h->name, last->fetched,
            last->written);
  }
  fprintf(out, "}");
}

static void print_hot_blocks(block** all, size_t count) {
  fprintf(out, ",\"hot\":[");
  for (size_t i = 0; i < count && i < HOT_BLOCKS; i++) {
    fprintf(out, "%s[%" PRIu64 ",\"", i ? "," : "", all[i]->executions);
    for (size_t w = 0; w < all[i]->count; w++) fprintf(out, "%08" PRIx32, all[i]->words[w]);
    fprintf(out, "\"]");
  }
  fprintf(out, "]}\n");
  fflush(out);
}

static void end_region(void) {
  block** all = malloc((block_count + 1) * sizeof *all);
  size_t count = 0;
  if (!all) abort();
  for (int i = 0; i < BUCKETS; i++)
    for (block* b = blocks[i]; b; b = b->next)
      if (b->executions) all[count++] = b;
  qsort(all, count, sizeof *all, heavier);
  print_counts(all, count);
  print_traffic();
  print_hot_blocks(all, count);
  free(all);
}

static void start_region(void) {
  for (int i = 0; i < BUCKETS; i++)
    for (block* b = blocks[i]; b; b = b->next) b->executions = 0;
  forget_traffic();
}

static void called(plugin_id id, unsigned cpu, int64_t number, uint64_t a, uint64_t b, uint64_t c,
                   uint64_t d, uint64_t e, uint64_t f, uint64_t g, uint64_t h) {
  (void)id, (void)cpu, (void)c, (void)d, (void)e, (void)f, (void)g, (void)h;
  if (number != AARCH64_PRCTL || a != MARK) return;
  if (b == WARM) is_warm = true;
  if (b == START) start_region();
  if (b == END) end_region();
}

EXPORT int qemu_plugin_install(plugin_id id, const void* info, int argc, char** argv) {
  (void)info;
  for (int i = 0; i < argc; i++) {
    if (strncmp(argv[i], "out=", 4) == 0)
      out = fopen(argv[i] + 4, "w");
    else if (strncmp(argv[i], "caches=", 7) != 0 || !add_hierarchy(argv[i] + 7))
      return -1;
  }
  if (!out || !count_hierarchies()) return -1;
  qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
  qemu_plugin_register_vcpu_syscall_cb(id, called);
  return 0;
}
