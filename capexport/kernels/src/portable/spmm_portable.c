/* CSR times many columns in plain C; the compiler makes the inner loop SIMD. */
#include <string.h>

#include "../kernel.h"

void ck_product_spmm_portable(const ck_packed* p, const void* x, size_t stride, int n, int first,
                              int last, int32_t* tile) {
  const uint32_t* start = CK_SECTION(uint32_t, p, start);
  const uint16_t* column = CK_SECTION(uint16_t, p, column);
  const int8_t* weight = CK_SECTION(int8_t, p, weight);
  for (int lane = first * CK_LANES; lane < last * CK_LANES; lane++, tile += n) {
    memset(tile, 0, (size_t)n * sizeof *tile);
    for (uint32_t at = start[lane]; at < start[lane + 1]; at++) {
      const int8_t* values = (const int8_t*)x + column[at] * stride;
      for (int i = 0; i < n; i++) tile[i] += weight[at] * values[i];
    }
  }
}
