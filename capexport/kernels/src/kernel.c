/* The table of kernels, and the texts of the statuses. */
#include "kernel.h"

static const ck_kernel_entry KERNELS[] = {
#define CK_KERNEL(name, isa, layout, window, align, steps, operand, offset, around) \
  {{#name, CK_ISA_##isa, CK_LAYOUT_##layout, window},                 \
   align,                                                             \
   steps,                                                             \
   CK_##operand,                                                      \
   offset,                                                            \
   ck_product_##name,                                                 \
   ck_measure_row_##around,                                           \
   ck_quantize_row_##around,                                          \
   ck_finish_##operand##_##around,                                    \
   ck_finish_int8_##around},
#include "../kernels.inc"
};

const ck_kernel_entry* ck_kernel_at(int32_t kernel) {
  return kernel >= 0 && kernel < CK_KERNEL_COUNT ? &KERNELS[kernel] : NULL;
}

int32_t ck_abi_version(void) { return CK_ABI_VERSION; }

int32_t ck_kernel_count(void) { return CK_KERNEL_COUNT; }

const ck_kernel_info* ck_kernel(int32_t kernel) {
  const ck_kernel_entry* entry = ck_kernel_at(kernel);
  return entry ? &entry->info : NULL;
}

const char* ck_status_text(int32_t status) {
  switch (status) {
#define CK_STATUS_CASE(name, text) \
  case CK_##name:                  \
    return text;
    CK_STATUS_LIST(CK_STATUS_CASE)
#undef CK_STATUS_CASE
    default:
      return NULL;
  }
}
