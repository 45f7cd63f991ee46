/* WELL, 64 columns per step, for Armv8.0 (Cortex-A53, A72, A73). */
#if defined(__aarch64__)
#include "../kernel.h"
#include "neon.h"
#include "v8_multiply_add.h"
#define WINDOW 64
#define TARGET
#include "well.inc"

void ck_product_well64_neon(const ck_packed* p, const void* x, size_t stride, int n, int first,
                            int last, int32_t* tile) {
  well(p, x, stride, n, first, last, tile);
}
#endif
