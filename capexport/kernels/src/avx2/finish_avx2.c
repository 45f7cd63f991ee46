/* Scaling, bias, relu and the way to y, for tiles of rows and of columns. */
#if defined(__x86_64__)
#include "../finish.h"
#include "avx2.h"

/* Sums, zero points, row sums and so on of eight results; the same steps as ck_result. */
CK_AVX2 CK_ALWAYS_INLINE __m256 results(__m256i sum, __m256i zero, __m256i rowsum, __m256 x_scale,
                                        __m256 scale, __m256 bias, int relu) {
  const __m256i exact = _mm256_sub_epi32(sum, _mm256_mullo_epi32(zero, rowsum));
  const __m256 scaled = _mm256_mul_ps(_mm256_cvtepi32_ps(exact), x_scale);
  const __m256 y = _mm256_fmadd_ps(scaled, scale, bias);
  return relu ? _mm256_max_ps(_mm256_setzero_ps(), y) : y; /* of a NaN, the second operand */
}

/* The 8 lanes from `at` for one row of x. */
CK_AVX2 CK_ALWAYS_INLINE __m256 lanes(const ck_packed* p, const ck_outcome* o, int at, int i,
                                      const int32_t* sum) {
  return results(_mm256_load_si256((const void*)sum), _mm256_set1_epi32(o->zero[i]),
                 _mm256_load_si256((const void*)(CK_SECTION(int32_t, p, rowsum) + at)),
                 _mm256_set1_ps(o->scale[i]), _mm256_load_ps(CK_SECTION(float, p, scale) + at),
                 _mm256_load_ps(CK_SECTION(float, p, bias) + at), o->relu);
}

/* One group for one row of x. */
CK_AVX2 CK_ALWAYS_INLINE void finish_group(const ck_packed* p, const ck_outcome* o, int group,
                                           int i, const int32_t* sum) {
  const int at = group * CK_LANES;
  const __m256 low = lanes(p, o, at, i, sum), high = lanes(p, o, at + 8, i, sum + 8);
  float* y = (float*)o->y + (size_t)i * (size_t)p->rows;
  if (p->in_order && ck_rows_in_group(p, group) == CK_LANES) {
    _mm256_storeu_ps(y + at, low);
    _mm256_storeu_ps(y + at + 8, high);
    return;
  }
  float lane[CK_LANES] __attribute__((aligned(32)));
  _mm256_store_ps(lane, low);
  _mm256_store_ps(lane + 8, high);
  ck_scatter(p, group, lane, y);
}

CK_AVX2 static void finish_rows(const ck_packed* p, const ck_outcome* o) {
  const int32_t* sum = o->tile;
  for (int g = o->first; g < o->last; g++)
    for (int i = 0; i < o->n; i++, sum += CK_LANES) finish_group(p, o, g, i, sum);
}

void ck_finish_ROWS_avx2(const ck_packed* p, const ck_outcome* o) { finish_rows(p, o); }

CK_AVX2 CK_ALWAYS_INLINE void transpose8(__m256 v[8]) {
  __m256 a[8], b[8];
  CK_UNROLL for (int i = 0; i < 8; i += 2) {
    a[i] = _mm256_unpacklo_ps(v[i], v[i + 1]);
    a[i + 1] = _mm256_unpackhi_ps(v[i], v[i + 1]);
  }
  CK_UNROLL for (int i = 0; i < 8; i += 4) {
    b[i] = _mm256_shuffle_ps(a[i], a[i + 2], 0x44);
    b[i + 1] = _mm256_shuffle_ps(a[i], a[i + 2], 0xee);
    b[i + 2] = _mm256_shuffle_ps(a[i + 1], a[i + 3], 0x44);
    b[i + 3] = _mm256_shuffle_ps(a[i + 1], a[i + 3], 0xee);
  }
  CK_UNROLL for (int i = 0; i < 4; i++) {
    v[i] = _mm256_permute2f128_ps(b[i], b[i + 4], 0x20);
    v[i + 4] = _mm256_permute2f128_ps(b[i], b[i + 4], 0x31);
  }
}

/* 8 lanes from `at` (`rows` of them real) by 8 rows of x from `first`. */
CK_AVX2 static void finish_block(const ck_packed* p, const ck_outcome* o, const int32_t* sum,
                                 int at, int rows, int first) {
  const __m256i zero = _mm256_loadu_si256((const void*)(o->zero + first));
  const __m256 x_scale = _mm256_loadu_ps(o->scale + first);
  __m256 v[8];
  CK_UNROLL for (int lane = 0; lane < 8; lane++) {
    v[lane] = results(_mm256_load_si256((const void*)(sum + lane * o->stride + first)), zero,
                      _mm256_set1_epi32(CK_SECTION(int32_t, p, rowsum)[at + lane]), x_scale,
                      _mm256_set1_ps(CK_SECTION(float, p, scale)[at + lane]),
                      _mm256_set1_ps(CK_SECTION(float, p, bias)[at + lane]), o->relu);
  }
  transpose8(v);
  const __m256i mask = _mm256_cmpgt_epi32(_mm256_set1_epi32(rows),
                                          _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
  float* y = (float*)o->y + (size_t)first * (size_t)p->rows + at;
  for (int i = 0; i < 8 && first + i < o->n; i++, y += p->rows) _mm256_maskstore_ps(y, mask, v[i]);
}

CK_AVX2 static void finish_columns(const ck_packed* p, const ck_outcome* o) {
  const int32_t* sum = o->tile;
  for (int at = o->first * CK_LANES; at < o->last * CK_LANES; at += 8, sum += 8 * o->stride)
    for (int first = 0; first < o->n && at < p->rows; first += 8)
      finish_block(p, o, sum, at, p->rows - at, first);
}

void ck_finish_COLUMNS_avx2(const ck_packed* p, const ck_outcome* o) { finish_columns(p, o); }
#endif
