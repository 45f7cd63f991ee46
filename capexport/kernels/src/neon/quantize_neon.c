/* Range and quantization of a row of x, 8 and 16 values at a time. */
#if defined(__aarch64__)
#include "../quantize.h"
#include "neon.h"

ck_range ck_measure_row_neon(const float* x, int cols) {
  float32x4_t low[2], high[2];
  low[0] = low[1] = high[0] = high[1] = vdupq_n_f32(0.f);
  int k = 0;
  for (; k + 8 <= cols; k += 8) /* FMIN and FMAX keep a NaN */
    CK_UNROLL for (int i = 0; i < 2; i++) {
      const float32x4_t v = vld1q_f32(x + k + 4 * i);
      low[i] = vminq_f32(low[i], v);
      high[i] = vmaxq_f32(high[i], v);
    }
  const ck_range r = {vminvq_f32(vminq_f32(low[0], low[1])),
                      vmaxvq_f32(vmaxq_f32(high[0], high[1]))};
  return ck_widen(r, x, k, cols);
}

CK_ALWAYS_INLINE int16x4_t four(const float* x, float32x4_t steps_per_unit, int32x4_t zero) {
  const int32x4_t q = vcvtnq_s32_f32(vmulq_f32(vld1q_f32(x), steps_per_unit));
  return vqmovn_s32(vaddq_s32(q, zero));
}

void ck_quantize_row_neon(const float* x, int cols, ck_grid grid, uint8_t flip, uint8_t* q) {
  const float32x4_t s = vdupq_n_f32(grid.steps_per_unit);
  const int32x4_t z = vdupq_n_s32(grid.zero);
  int k = 0;
  for (; k + 16 <= cols; k += 16) { /* narrowing clamps to -128..127 */
    const int16x8_t a = vcombine_s16(four(x + k, s, z), four(x + k + 4, s, z));
    const int16x8_t b = vcombine_s16(four(x + k + 8, s, z), four(x + k + 12, s, z));
    const uint8x16_t bytes = vreinterpretq_u8_s8(vcombine_s8(vqmovn_s16(a), vqmovn_s16(b)));
    vst1q_u8(q + k, veorq_u8(bytes, vdupq_n_u8(flip)));
  }
  ck_quantize_values(x, k, cols, grid, flip, q);
}
#endif
