/* The part of QEMU's plugin interface 1 (QEMU 4.2 to 8.2) that is used, written down by hand, so that
 * no header of QEMU is needed. Version 9 changed several of these functions. */
#ifndef QEMU_PLUGIN_ABI_H
#define QEMU_PLUGIN_ABI_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define EXPORT __attribute__((visibility("default")))

typedef uint64_t plugin_id;
struct qemu_plugin_tb;
struct qemu_plugin_insn;
enum { INLINE_ADD_U64 = 0, NO_REGISTERS = 0, READ_AND_WRITE = 3 };

typedef void on_block(plugin_id, struct qemu_plugin_tb*);
typedef void on_access(unsigned cpu, uint32_t info, uint64_t address, void* data);
typedef void on_syscall(plugin_id, unsigned cpu, int64_t number, uint64_t, uint64_t, uint64_t,
                        uint64_t, uint64_t, uint64_t, uint64_t, uint64_t);

extern size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb*);
extern uint64_t qemu_plugin_tb_vaddr(const struct qemu_plugin_tb*);
extern struct qemu_plugin_insn* qemu_plugin_tb_get_insn(const struct qemu_plugin_tb*, size_t);
extern const void* qemu_plugin_insn_data(const struct qemu_plugin_insn*);
extern unsigned qemu_plugin_mem_size_shift(uint32_t info);
extern bool qemu_plugin_mem_is_store(uint32_t info);
extern void qemu_plugin_register_vcpu_tb_trans_cb(plugin_id, on_block*);
extern void qemu_plugin_register_vcpu_tb_exec_inline(struct qemu_plugin_tb*, int op, void* counter,
                                                     uint64_t add);
extern void qemu_plugin_register_vcpu_mem_cb(struct qemu_plugin_insn*, on_access*, int flags,
                                             int which, void* data);
extern void qemu_plugin_register_vcpu_syscall_cb(plugin_id, on_syscall*);
#endif
