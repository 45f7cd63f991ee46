/* Scaling, bias, relu and the way to y, for tiles of rows and of columns. */
#if defined(__aarch64__)
#include "../finish.h"
#include "neon.h"

/* Four results; the same steps as ck_result. */
CK_ALWAYS_INLINE float32x4_t results(int32x4_t sum, int32x4_t zero, int32x4_t rowsum,
                                     float32x4_t x_scale, float32x4_t scale, float32x4_t bias,
                                     int relu) {
  const float32x4_t exact = vcvtq_f32_s32(vmlsq_s32(sum, zero, rowsum));
  const float32x4_t y = vfmaq_f32(bias, vmulq_f32(exact, x_scale), scale);
  return relu ? vmaxq_f32(y, vdupq_n_f32(0.f)) : y; /* FMAX keeps a NaN */
}

void ck_finish_ROWS_neon(const ck_packed* p, const ck_outcome* o) {
  const int32_t* sum = o->tile;
  float result[CK_LANES];
  for (int g = o->first; g < o->last; g++)
    for (int i = 0; i < o->n; i++, sum += CK_LANES) {
      CK_UNROLL for (int lane = 0; lane < CK_LANES; lane += 4) {
        const int at = g * CK_LANES + lane;
        vst1q_f32(result + lane,
                  results(vld1q_s32(sum + lane), vdupq_n_s32(o->zero[i]),
                          vld1q_s32(CK_SECTION(int32_t, p, rowsum) + at),
                          vdupq_n_f32(o->scale[i]), vld1q_f32(CK_SECTION(float, p, scale) + at),
                          vld1q_f32(CK_SECTION(float, p, bias) + at), o->relu));
      }
      ck_scatter(p, g, result, (float*)o->y + (size_t)i * (size_t)p->rows);
    }
}

CK_ALWAYS_INLINE void transpose4(float32x4_t v[4]) {
  const float32x4_t a = vtrn1q_f32(v[0], v[1]), b = vtrn2q_f32(v[0], v[1]);
  const float32x4_t c = vtrn1q_f32(v[2], v[3]), d = vtrn2q_f32(v[2], v[3]);
  v[0] = vcombine_f32(vget_low_f32(a), vget_low_f32(c));
  v[1] = vcombine_f32(vget_low_f32(b), vget_low_f32(d));
  v[2] = vcombine_f32(vget_high_f32(a), vget_high_f32(c));
  v[3] = vcombine_f32(vget_high_f32(b), vget_high_f32(d));
}

static void store_some(float32x4_t v, int count, float* y) {
  float four[4];
  vst1q_f32(four, v);
  for (int i = 0; i < count && i < 4; i++) y[i] = four[i];
}

/* 4 lanes from `at` (`rows` of them real) by 4 rows of x from `first`. */
static void finish_block(const ck_packed* p, const ck_outcome* o, const int32_t* sum, int at,
                         int rows, int first) {
  const int32x4_t zero = vld1q_s32(o->zero + first);
  const float32x4_t x_scale = vld1q_f32(o->scale + first);
  float32x4_t v[4];
  CK_UNROLL for (int lane = 0; lane < 4; lane++) {
    v[lane] = results(vld1q_s32(sum + lane * o->stride + first), zero,
                      vdupq_n_s32(CK_SECTION(int32_t, p, rowsum)[at + lane]), x_scale,
                      vdupq_n_f32(CK_SECTION(float, p, scale)[at + lane]),
                      vdupq_n_f32(CK_SECTION(float, p, bias)[at + lane]), o->relu);
  }
  transpose4(v);
  float* y = (float*)o->y + (size_t)first * (size_t)p->rows + at;
  for (int i = 0; i < 4 && first + i < o->n; i++, y += p->rows) {
    if (rows >= 4)
      vst1q_f32(y, v[i]);
    else
      store_some(v[i], rows, y);
  }
}

void ck_finish_COLUMNS_neon(const ck_packed* p, const ck_outcome* o) {
  const int32_t* sum = o->tile;
  for (int at = o->first * CK_LANES; at < o->last * CK_LANES; at += 4, sum += 4 * o->stride)
    for (int first = 0; first < o->n && at < p->rows; first += 4)
      finish_block(p, o, sum, at, p->rows - at, first);
}
#endif
