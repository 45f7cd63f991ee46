/* CSR times 8 or more columns: four entries of a row by 16 of the batch per four SDOT. */
#if defined(__aarch64__)
#include "../kernel.h"
#include "dotprod.h"

/* Four columns of W by 16 of the batch, so that each 32-bit lane holds its four bytes. */
CK_ALWAYS_INLINE int8x16x4_t interleave(const int8_t* p0, const int8_t* p1, const int8_t* p2,
                                        const int8_t* p3) {
  const int8x16_t r0 = vld1q_s8(p0), r1 = vld1q_s8(p1), r2 = vld1q_s8(p2), r3 = vld1q_s8(p3);
  const int16x8_t a = vreinterpretq_s16_s8(vzip1q_s8(r0, r1));
  const int16x8_t b = vreinterpretq_s16_s8(vzip2q_s8(r0, r1));
  const int16x8_t c = vreinterpretq_s16_s8(vzip1q_s8(r2, r3));
  const int16x8_t d = vreinterpretq_s16_s8(vzip2q_s8(r2, r3));
  return (int8x16x4_t){
      {vreinterpretq_s8_s16(vzip1q_s16(a, c)), vreinterpretq_s8_s16(vzip2q_s16(a, c)),
       vreinterpretq_s8_s16(vzip1q_s16(b, d)), vreinterpretq_s8_s16(vzip2q_s16(b, d))}};
}

/* One row by `blocks` times 16 of the batch. */
CK_DOTPROD CK_ALWAYS_INLINE void row_sums(const ck_packed* p, const int8_t* x, int lane,
                                          const int blocks, int32_t* tile) {
  const size_t stride = (size_t)blocks * 16;
  const uint32_t* start = CK_SECTION(uint32_t, p, start) + lane;
  const uint16_t* column = CK_SECTION(uint16_t, p, column);
  const int8_t* weight = CK_SECTION(int8_t, p, weight);
  int32x4_t sum[4][4];
  CK_UNROLL for (int b = 0; b < blocks; b++)
    CK_UNROLL for (int q = 0; q < 4; q++) sum[b][q] = vdupq_n_s32(0);
  for (uint32_t at = start[0]; at < start[1]; at += CK_CSR_MULTIPLE) {
    const int8x16_t w = vreinterpretq_s8_s32(vld1q_dup_s32((const void*)(weight + at)));
    const uint16_t* c = column + at;
    const int8_t *x0 = x + c[0] * stride, *x1 = x + c[1] * stride;
    const int8_t *x2 = x + c[2] * stride, *x3 = x + c[3] * stride;
    CK_UNROLL for (int b = 0; b < blocks; b++) {
      const int8x16x4_t v = interleave(x0 + 16 * b, x1 + 16 * b, x2 + 16 * b, x3 + 16 * b);
      CK_UNROLL for (int q = 0; q < 4; q++) sum[b][q] = multiply_add(sum[b][q], v.val[q], w);
    }
  }
  CK_UNROLL for (int b = 0; b < blocks; b++)
    CK_UNROLL for (int q = 0; q < 4; q++) vst1q_s32(tile + 16 * b + 4 * q, sum[b][q]);
}

/* One row by 8 of the batch. */
CK_DOTPROD static void row_by_8(const ck_packed* p, const int8_t* x, int lane, int32_t* tile) {
  const uint32_t* start = CK_SECTION(uint32_t, p, start) + lane;
  const uint16_t* column = CK_SECTION(uint16_t, p, column);
  const int8_t* weight = CK_SECTION(int8_t, p, weight);
  int32x4_t low = vdupq_n_s32(0), high = low;
  for (uint32_t at = start[0]; at < start[1]; at += CK_CSR_MULTIPLE) {
    const int8x16_t w = vreinterpretq_s8_s32(vld1q_dup_s32((const void*)(weight + at)));
    const uint16_t* c = column + at;
    const int8x8_t r0 = vld1_s8(x + c[0] * 8), r1 = vld1_s8(x + c[1] * 8);
    const int8x8_t r2 = vld1_s8(x + c[2] * 8), r3 = vld1_s8(x + c[3] * 8);
    const int16x8_t a = vreinterpretq_s16_s8(vcombine_s8(vzip1_s8(r0, r1), vzip2_s8(r0, r1)));
    const int16x8_t b = vreinterpretq_s16_s8(vcombine_s8(vzip1_s8(r2, r3), vzip2_s8(r2, r3)));
    low = multiply_add(low, vreinterpretq_s8_s16(vzip1q_s16(a, b)), w);
    high = multiply_add(high, vreinterpretq_s8_s16(vzip2q_s16(a, b)), w);
  }
  vst1q_s32(tile, low);
  vst1q_s32(tile + 4, high);
}

#define ROW(blocks)                                                                     \
  CK_DOTPROD static void row##blocks(const ck_packed* p, const int8_t* x, int lane,     \
                                     int32_t* tile) {                                   \
    row_sums(p, x, lane, blocks, tile);                                                 \
  }
ROW(1)
ROW(2)
ROW(3)
ROW(4)
#undef ROW

void ck_product_spmm_neon_dotprod(const ck_packed* p, const void* x, size_t stride, int n,
                                  int first, int last, int32_t* tile) {
  (void)stride; /* = n */
  for (int lane = first * CK_LANES; lane < last * CK_LANES; lane++, tile += n) switch (n) {
      case 8: row_by_8(p, x, lane, tile); break;
      case 16: row1(p, x, lane, tile); break;
      case 32: row2(p, x, lane, tile); break;
      case 48: row3(p, x, lane, tile); break;
      default: row4(p, x, lane, tile); break;
    }
}
#endif
