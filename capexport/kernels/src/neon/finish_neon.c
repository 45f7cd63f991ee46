/* Scaling, bias, relu and the way to y, for tiles of rows and of columns. */
#if defined(__aarch64__)
#include "../finish.h"
#include "neon.h"

enum { QUARTERS = CK_LANES / 4 };

/* Four results; the same steps as ck_result. */
CK_ALWAYS_INLINE float32x4_t results(int32x4_t sum, int32x4_t zero, int32x4_t rowsum,
                                     float32x4_t x_scale, float32x4_t scale, float32x4_t bias) {
  const float32x4_t exact = vcvtq_f32_s32(vmlsq_s32(sum, zero, rowsum));
  return vfmaq_f32(bias, vmulq_f32(exact, x_scale), scale);
}

/* FMAX keeps a NaN. */
CK_ALWAYS_INLINE void clip(float32x4_t v[4]) {
  CK_UNROLL for (int q = 0; q < 4; q++) v[q] = vmaxq_f32(v[q], vdupq_n_f32(0.f));
}

/* All that is read per group, in local variables: a store to y cannot have changed them. */
typedef struct {
  const int32_t *row, *rowsum;
  const float *scale, *bias;
  int n, relu, in_order;
} sections;

CK_ALWAYS_INLINE sections sections_of(const ck_packed* p, const ck_outcome* o, int in_order) {
  return (sections){CK_SECTION(int32_t, p, row), CK_SECTION(int32_t, p, rowsum),
                    CK_SECTION(float, p, scale), CK_SECTION(float, p, bias),
                    o->n, o->relu, in_order};
}

/* What the lanes of one group have of their own. */
typedef struct {
  int32x4_t rowsum[QUARTERS];
  float32x4_t scale[QUARTERS], bias[QUARTERS];
} lanes;

CK_ALWAYS_INLINE lanes lanes_from(const sections* s, int at) {
  lanes l;
  CK_UNROLL for (int q = 0; q < QUARTERS; q++) {
    l.rowsum[q] = vld1q_s32(s->rowsum + at + 4 * q);
    l.scale[q] = vld1q_f32(s->scale + at + 4 * q);
    l.bias[q] = vld1q_f32(s->bias + at + 4 * q);
  }
  return l;
}

/* What one row of x has of its own. */
typedef struct {
  int32x4_t zero;
  float32x4_t scale;
  float* y;
} operand;

CK_ALWAYS_INLINE operand operand_of(const ck_packed* p, const ck_outcome* o, int i) {
  return (operand){vdupq_n_s32(o->zero[i]), vdupq_n_f32(o->scale[i]),
                   (float*)o->y + (size_t)i * (size_t)p->rows};
}

/* All lanes of a group for one row of x. */
CK_ALWAYS_INLINE void finish_lanes(const lanes* l, const operand* x, int relu, const int32_t* sum,
                                   float32x4_t v[QUARTERS]) {
  CK_UNROLL for (int q = 0; q < QUARTERS; q++) {
    v[q] = results(vld1q_s32(sum + 4 * q), x->zero, l->rowsum[q], x->scale, l->scale[q],
                   l->bias[q]);
  }
  if (relu) clip(v);
}

/* To places that lie anywhere. All of them are read before the first store, which for all the
 * compiler knows could change them. */
CK_ALWAYS_INLINE void scatter(const int32_t* row, const float32x4_t v[QUARTERS], float* y) {
  int64_t at[CK_LANES];
  CK_UNROLL for (int lane = 0; lane < CK_LANES; lane++) at[lane] = row[lane];
  CK_UNROLL for (int q = 0; q < QUARTERS; q++) {
    vst1q_lane_f32(y + at[4 * q], v[q], 0);
    vst1q_lane_f32(y + at[4 * q + 1], v[q], 1);
    vst1q_lane_f32(y + at[4 * q + 2], v[q], 2);
    vst1q_lane_f32(y + at[4 * q + 3], v[q], 3);
  }
}

/* The 16 lanes from `at`, all of them real, for one row of x. */
CK_ALWAYS_INLINE void finish_group(const sections* s, const lanes* l, int at, const operand* x,
                                   const int32_t* sum) {
  float32x4_t v[QUARTERS];
  finish_lanes(l, x, s->relu, sum, v);
  if (!s->in_order) {
    scatter(s->row + at, v, x->y);
    return;
  }
  CK_UNROLL for (int q = 0; q < QUARTERS; q++) vst1q_f32(x->y + at + 4 * q, v[q]);
}

/* Groups of which all lanes are real; returns the place in the tile behind them. */
CK_ALWAYS_INLINE const int32_t* finish_groups(const ck_packed* p, const ck_outcome* o, int last,
                                              const int in_order) {
  const sections s = sections_of(p, o, in_order);
  const int32_t* sum = o->tile;
  const operand only = operand_of(p, o, 0); /* one row of x stays in registers */
  for (int at = o->first * CK_LANES; at < last * CK_LANES; at += CK_LANES) {
    const lanes l = lanes_from(&s, at);
    if (s.n == 1) {
      finish_group(&s, &l, at, &only, sum);
      sum += CK_LANES;
      continue;
    }
    for (int i = 0; i < s.n; i++, sum += CK_LANES) {
      const operand x = operand_of(p, o, i);
      finish_group(&s, &l, at, &x, sum);
    }
  }
  return sum;
}

/* The last group, where some lanes are padding. */
static void finish_rest(const ck_packed* p, const ck_outcome* o, int group, const int32_t* sum) {
  const sections s = sections_of(p, o, 0);
  const lanes l = lanes_from(&s, group * CK_LANES);
  for (int i = 0; i < o->n; i++, sum += CK_LANES) {
    const operand x = operand_of(p, o, i);
    float32x4_t v[QUARTERS];
    float lane[CK_LANES];
    finish_lanes(&l, &x, s.relu, sum, v);
    CK_UNROLL for (int q = 0; q < QUARTERS; q++) vst1q_f32(lane + 4 * q, v[q]);
    ck_scatter(p, group, lane, x.y);
  }
}

void ck_finish_ROWS_neon(const ck_packed* p, const ck_outcome* o) {
  const int whole = p->rows / CK_LANES < o->last ? p->rows / CK_LANES : o->last;
  const int32_t* sum = p->in_order ? finish_groups(p, o, whole, 1) : finish_groups(p, o, whole, 0);
  if (whole < o->last) finish_rest(p, o, whole, sum);
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
                      vdupq_n_f32(CK_SECTION(float, p, bias)[at + lane]));
  }
  if (o->relu) clip(v);
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
