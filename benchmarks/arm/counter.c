/* QEMU user-mode plugin for AArch64 guests: how often each block of code runs between two marks.
 *
 *   qemu-aarch64 -plugin file=counter.so,out=FILE program ...
 *
 * The guest sets the marks with prctl(0x43415042, 1), which starts a region, and (..., 2), which
 * ends it; the kernel answers EINVAL to both. Each region becomes one line "region" in FILE, then a
 * line for each block that ran: address (hex), instructions, executions.
 *
 * Below is the part of plugin interface 1 (QEMU 4.2 to 8.2) that is used, so that no header of
 * QEMU is needed. Counters are plain: the guest must run one thread. */
#include <inttypes.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXPORT __attribute__((visibility("default")))

typedef uint64_t plugin_id;
struct qemu_plugin_tb;
enum { INLINE_ADD_U64 = 0 };
typedef void on_block(plugin_id, struct qemu_plugin_tb*);
typedef void on_syscall(plugin_id, unsigned cpu, int64_t number, uint64_t, uint64_t, uint64_t,
                        uint64_t, uint64_t, uint64_t, uint64_t, uint64_t);
extern size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb*);
extern uint64_t qemu_plugin_tb_vaddr(const struct qemu_plugin_tb*);
extern void qemu_plugin_register_vcpu_tb_trans_cb(plugin_id, on_block*);
extern void qemu_plugin_register_vcpu_tb_exec_inline(struct qemu_plugin_tb*, int op, void* counter,
                                                     uint64_t add);
extern void qemu_plugin_register_vcpu_syscall_cb(plugin_id, on_syscall*);

EXPORT int qemu_plugin_version = 1;

/* QEMU may translate the same code again: it then meets its old counter. */
typedef struct block {
  struct block* next;
  uint64_t address, executions;
  size_t instructions;
} block;

enum { BUCKETS = 1 << 16 };
static block* blocks[BUCKETS];
static FILE* out;

static block* find_or_add(uint64_t address, size_t instructions) {
  block** bucket = &blocks[address / 4 % BUCKETS];
  for (block* b = *bucket; b; b = b->next)
    if (b->address == address && b->instructions == instructions) return b;
  block* b = calloc(1, sizeof *b);
  if (!b) abort();
  *b = (block){*bucket, address, 0, instructions};
  return *bucket = b;
}

static void translated(plugin_id id, struct qemu_plugin_tb* tb) {
  (void)id;
  block* b = find_or_add(qemu_plugin_tb_vaddr(tb), qemu_plugin_tb_n_insns(tb));
  qemu_plugin_register_vcpu_tb_exec_inline(tb, INLINE_ADD_U64, &b->executions, 1);
}

static void start_region(void) {
  for (int i = 0; i < BUCKETS; i++)
    for (block* b = blocks[i]; b; b = b->next) b->executions = 0;
}

static void end_region(void) {
  fprintf(out, "region\n");
  for (int i = 0; i < BUCKETS; i++)
    for (const block* b = blocks[i]; b; b = b->next)
      if (b->executions)
        fprintf(out, "%" PRIx64 " %zu %" PRIu64 "\n", b->address, b->instructions, b->executions);
  fflush(out);
}

static void called(plugin_id id, unsigned cpu, int64_t number, uint64_t a, uint64_t b, uint64_t c,
                   uint64_t d, uint64_t e, uint64_t f, uint64_t g, uint64_t h) {
  enum { AARCH64_PRCTL = 167, MARK = 0x43415042, START = 1, END = 2 };
  (void)id, (void)cpu, (void)c, (void)d, (void)e, (void)f, (void)g, (void)h;
  if (number != AARCH64_PRCTL || a != MARK) return;
  if (b == START) start_region();
  if (b == END) end_region();
}

EXPORT int qemu_plugin_install(plugin_id id, const void* info, int argc, char** argv) {
  (void)info;
  if (argc != 1 || strncmp(argv[0], "out=", 4) != 0) return -1;
  out = fopen(argv[0] + 4, "w");
  if (!out) return -1;
  qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
  qemu_plugin_register_vcpu_syscall_cb(id, called);
  return 0;
}
