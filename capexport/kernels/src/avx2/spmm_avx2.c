/* CSR times 8 or 16 columns at a time, as int16: VPMADDWD adds two weights' products at once. */
#if defined(__x86_64__)
#include <string.h>

#include "../kernel.h"
#include "avx2.h"

/* Four weights as two pairs of int16, each pair in every 32-bit lane. */
typedef struct {
  __m256i pair[2];
} weights;

CK_AVX2 CK_ALWAYS_INLINE weights load_weights(const int8_t* weight) {
  int32_t four;
  memcpy(&four, weight, 4);
  const __m256i wide = _mm256_cvtepi8_epi16(_mm_set1_epi32(four));
  return (weights){{_mm256_shuffle_epi32(wide, 0x00), _mm256_shuffle_epi32(wide, 0x55)}};
}

/* Two columns of W by 8 of the batch: (a0 b0 a1 b1 ...) as int16. */
CK_AVX2 CK_ALWAYS_INLINE __m256i pairs(const int8_t* a, const int8_t* b) {
  const __m128i ab = _mm_unpacklo_epi8(_mm_loadl_epi64((const void*)a),
                                       _mm_loadl_epi64((const void*)b));
  return _mm256_cvtepi8_epi16(ab);
}

/* One row by `blocks` times 8 of the batch. */
CK_AVX2 CK_ALWAYS_INLINE void row_sums(const ck_packed* p, const int8_t* x, size_t stride, int lane,
                                       const int blocks, int32_t* tile) {
  const uint32_t* start = CK_SECTION(uint32_t, p, start) + lane;
  const uint16_t* column = CK_SECTION(uint16_t, p, column);
  const int8_t* weight = CK_SECTION(int8_t, p, weight);
  __m256i sum[4];
  CK_UNROLL for (int b = 0; b < blocks; b++) sum[b] = _mm256_setzero_si256();
  for (uint32_t at = start[0]; at < start[1]; at += CK_CSR_MULTIPLE) {
    const weights w = load_weights(weight + at);
    const uint16_t* c = column + at;
    const int8_t *x0 = x + c[0] * stride, *x1 = x + c[1] * stride;
    const int8_t *x2 = x + c[2] * stride, *x3 = x + c[3] * stride;
    CK_UNROLL for (int b = 0; b < blocks; b++) {
      const __m256i first = _mm256_madd_epi16(pairs(x0 + 8 * b, x1 + 8 * b), w.pair[0]);
      const __m256i second = _mm256_madd_epi16(pairs(x2 + 8 * b, x3 + 8 * b), w.pair[1]);
      sum[b] = _mm256_add_epi32(sum[b], _mm256_add_epi32(first, second));
    }
  }
  CK_UNROLL for (int b = 0; b < blocks; b++)
    _mm256_store_si256((void*)(tile + 8 * b), sum[b]);
}

CK_AVX2 static void row(const ck_packed* p, const int8_t* x, size_t stride, int n, int lane,
                        int32_t* tile) {
  int i = 0;
  for (; i + 32 <= n; i += 32) row_sums(p, x + i, stride, lane, 4, tile + i);
  if (i + 16 <= n) {
    row_sums(p, x + i, stride, lane, 2, tile + i);
    i += 16;
  }
  if (i < n) row_sums(p, x + i, stride, lane, 1, tile + i);
}

void ck_product_spmm_avx2(const ck_packed* p, const void* x, size_t stride, int n, int first,
                          int last, int32_t* tile) {
  for (int lane = first * CK_LANES; lane < last * CK_LANES; lane++, tile += n)
    row(p, x, stride, n, lane, tile);
}
#endif
