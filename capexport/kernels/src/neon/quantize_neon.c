/* Range and quantization of a row of x, 16 values at a time. */
#if defined(__aarch64__)
#include "../quantize.h"
#include "neon.h"

enum { TURN = 16 }; /* values per turn of a loop, four registers */

ck_range ck_measure_row_neon(const float* x, int cols) {
  float32x4_t low[4], high[4];
  CK_UNROLL for (int i = 0; i < 4; i++) low[i] = high[i] = vdupq_n_f32(0.f);
  const float* end = x + cols / TURN * TURN;
  for (const float* at = x; at < end; at += TURN) /* FMIN and FMAX keep a NaN */
    CK_UNROLL for (int i = 0; i < 4; i++) {
      const float32x4_t v = vld1q_f32(at + 4 * i);
      low[i] = vminq_f32(low[i], v);
      high[i] = vmaxq_f32(high[i], v);
    }
  for (int i = 1; i < 4; i++) {
    low[0] = vminq_f32(low[0], low[i]);
    high[0] = vmaxq_f32(high[0], high[i]);
  }
  const ck_range r = {vminvq_f32(low[0]), vmaxvq_f32(high[0])};
  return ck_widen(r, x, cols / TURN * TURN, cols);
}

/* Eight steps: at most 255 away from 0, so that the lower halves of the integers hold them. */
CK_ALWAYS_INLINE int16x8_t eight(const float* x, float32x4_t steps_per_unit, int16x8_t zero) {
  const int32x4_t a = vcvtnq_s32_f32(vmulq_f32(vld1q_f32(x), steps_per_unit));
  const int32x4_t b = vcvtnq_s32_f32(vmulq_f32(vld1q_f32(x + 4), steps_per_unit));
  return vaddq_s16(vuzp1q_s16(vreinterpretq_s16_s32(a), vreinterpretq_s16_s32(b)), zero);
}

void ck_quantize_row_neon(const float* x, int cols, ck_grid grid, uint8_t flip, uint8_t* q) {
  const float32x4_t s = vdupq_n_f32(grid.steps_per_unit);
  const int16x8_t z = vdupq_n_s16((int16_t)grid.zero);
  const uint8x16_t f = vdupq_n_u8(flip);
  int k = 0;
  for (; k + TURN <= cols; k += TURN) { /* narrowing clamps to -128..127 */
    const int8x16_t bytes = vqmovn_high_s16(vqmovn_s16(eight(x + k, s, z)), eight(x + k + 8, s, z));
    vst1q_u8(q + k, veorq_u8(vreinterpretq_u8_s8(bytes), f));
  }
  ck_quantize_values(x, k, cols, grid, flip, q);
}
#endif
