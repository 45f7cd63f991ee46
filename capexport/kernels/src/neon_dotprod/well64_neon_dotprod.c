/* WELL, 64 columns per step, with the dot product of Armv8.2 (Cortex-A55, A75 and later). */
#if defined(__aarch64__)
#include "../kernel.h"
#include "dotprod.h"
#define WINDOW 64
#define TARGET CK_DOTPROD
#include "../neon/well.inc"

void ck_product_well64_neon_dotprod(const ck_packed* p, const void* x, size_t stride, int n,
                                    int first, int last, int32_t* tile) {
  well(p, x, stride, n, first, last, tile);
}
#endif
