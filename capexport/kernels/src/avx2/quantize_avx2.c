/* Range and quantization of a row of x, 8 and 32 values at a time. */
#if defined(__x86_64__)
#include "../quantize.h"
#include "avx2.h"

CK_AVX2 static float lowest(__m256 v) {
  __m128 four = _mm_min_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
  four = _mm_min_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_min_ss(four, _mm_movehdup_ps(four)));
}

CK_AVX2 static ck_range measure(const float* x, int cols) {
  const __m256 sign = _mm256_set1_ps(-0.f);
  __m256 low = _mm256_setzero_ps(), minus_high = low, unordered = low;
  int k = 0;
  for (; k + 8 <= cols; k += 8) {
    const __m256 v = _mm256_loadu_ps(x + k);
    low = _mm256_min_ps(low, v);
    minus_high = _mm256_min_ps(minus_high, _mm256_xor_ps(v, sign));
    unordered = _mm256_or_ps(unordered, _mm256_cmp_ps(v, v, _CMP_UNORD_Q));
  }
  if (_mm256_movemask_ps(unordered)) return (ck_range){NAN, NAN};
  return ck_widen((ck_range){lowest(low), -lowest(minus_high)}, x, k, cols);
}

ck_range ck_measure_row_avx2(const float* x, int cols) { return measure(x, cols); }

CK_AVX2 CK_ALWAYS_INLINE __m256i eight(const float* x, __m256 steps_per_unit, __m256i zero) {
  const __m256 steps = _mm256_mul_ps(_mm256_loadu_ps(x), steps_per_unit);
  return _mm256_add_epi32(_mm256_cvtps_epi32(steps), zero);
}

CK_AVX2 static void quantize(const float* x, int cols, ck_grid grid, uint8_t flip, uint8_t* q) {
  const __m256 s = _mm256_set1_ps(grid.steps_per_unit);
  const __m256i z = _mm256_set1_epi32(grid.zero), f = _mm256_set1_epi8((char)flip);
  const __m256i order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7); /* the packs work per half */
  int k = 0;
  for (; k + 32 <= cols; k += 32) { /* the packs clamp to -128..127 */
    const __m256i a = _mm256_packs_epi32(eight(x + k, s, z), eight(x + k + 8, s, z));
    const __m256i b = _mm256_packs_epi32(eight(x + k + 16, s, z), eight(x + k + 24, s, z));
    const __m256i bytes = _mm256_permutevar8x32_epi32(_mm256_packs_epi16(a, b), order);
    _mm256_storeu_si256((void*)(q + k), _mm256_xor_si256(bytes, f));
  }
  ck_quantize_values(x, k, cols, grid, flip, q);
}

void ck_quantize_row_avx2(const float* x, int cols, ck_grid grid, uint8_t flip, uint8_t* q) {
  quantize(x, cols, grid, flip, q);
}
#endif
