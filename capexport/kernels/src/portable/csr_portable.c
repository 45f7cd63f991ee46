/* CSR in plain C, one row of x after the other: the reference of all kernels. */
#include "../kernel.h"

static int32_t row_sum(const uint16_t* column, const int8_t* weight, uint32_t from, uint32_t to,
                       const int8_t* x) {
  int32_t sum[CK_CSR_MULTIPLE] = {0};
  for (uint32_t at = from; at < to; at += CK_CSR_MULTIPLE)
    for (int i = 0; i < CK_CSR_MULTIPLE; i++) sum[i] += weight[at + i] * x[column[at + i]];
  return sum[0] + sum[1] + sum[2] + sum[3];
}

void ck_product_csr_portable(const ck_packed* p, const void* x, size_t stride, int n, int first,
                             int last, int32_t* tile) {
  const uint32_t* start = CK_SECTION(uint32_t, p, start);
  const uint16_t* column = CK_SECTION(uint16_t, p, column);
  const int8_t* weight = CK_SECTION(int8_t, p, weight);
  for (int group = first; group < last; group++)
    for (int i = 0; i < n; i++)
      for (int lane = group * CK_LANES; lane < (group + 1) * CK_LANES; lane++)
        *tile++ = row_sum(column, weight, start[lane], start[lane + 1],
                          (const int8_t*)x + (size_t)i * stride);
}
