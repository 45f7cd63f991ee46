/* CSR times 8 or more columns for Armv8.0: pairs of products in 16 bits, widened when added. */
#if defined(__aarch64__)
#include "../kernel.h"
#include "neon.h"

/* Two entries by 8 of the batch; at most 2 * 128 * 127, which fits 16 bits. */
CK_ALWAYS_INLINE int16x8_t pair(int8x8_t x0, int8x8_t w0, int8x8_t x1, int8x8_t w1) {
  return vmlal_s8(vmull_s8(x0, w0), x1, w1);
}

/* One row by `blocks` times 8 of the batch. */
CK_ALWAYS_INLINE void row_sums(const ck_packed* p, const int8_t* x, size_t stride, int lane,
                               const int blocks, int32_t* tile) {
  const uint32_t* start = CK_SECTION(uint32_t, p, start) + lane;
  const uint16_t* column = CK_SECTION(uint16_t, p, column);
  const int8_t* weight = CK_SECTION(int8_t, p, weight);
  int32x4_t sum[4][2];
  CK_UNROLL for (int b = 0; b < blocks; b++) sum[b][0] = sum[b][1] = vdupq_n_s32(0);
  for (uint32_t at = start[0]; at < start[1]; at += 2) {
    const int8_t *x0 = x + column[at] * stride, *x1 = x + column[at + 1] * stride;
    const int8x8_t w0 = vld1_dup_s8(weight + at), w1 = vld1_dup_s8(weight + at + 1);
    CK_UNROLL for (int b = 0; b < blocks; b++) {
      const int16x8_t v = pair(vld1_s8(x0 + 8 * b), w0, vld1_s8(x1 + 8 * b), w1);
      sum[b][0] = vaddw_s16(sum[b][0], vget_low_s16(v));
      sum[b][1] = vaddw_high_s16(sum[b][1], v);
    }
  }
  CK_UNROLL for (int b = 0; b < blocks; b++) {
    vst1q_s32(tile + 8 * b, sum[b][0]);
    vst1q_s32(tile + 8 * b + 4, sum[b][1]);
  }
}

static void row(const ck_packed* p, const int8_t* x, size_t stride, int n, int lane,
                int32_t* tile) {
  int i = 0;
  for (; i + 32 <= n; i += 32) row_sums(p, x + i, stride, lane, 4, tile + i);
  if (i + 16 <= n) {
    row_sums(p, x + i, stride, lane, 2, tile + i);
    i += 16;
  }
  if (i < n) row_sums(p, x + i, stride, lane, 1, tile + i);
}

void ck_product_spmm_neon(const ck_packed* p, const void* x, size_t stride, int n, int first,
                          int last, int32_t* tile) {
  for (int lane = first * CK_LANES; lane < last * CK_LANES; lane++, tile += n)
    row(p, x, stride, n, lane, tile);
}
#endif
