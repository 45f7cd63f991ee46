/* CSR times 8 or more columns: four entries of a row by 16 of the batch per VPDPBUSD. x is uint8 =
 * int8 + 128, as VPDPBUSD wants it. */
#if defined(__x86_64__)
#include <string.h>

#include "../kernel.h"
#include "avx512vnni.h"

CK_AVX512VNNI CK_ALWAYS_INLINE int32_t four_weights(const int8_t* weight) {
  int32_t four;
  memcpy(&four, weight, 4);
  return four;
}

/* Four columns of W by 16 of the batch, so that each 32-bit lane holds its four bytes. */
CK_AVX512VNNI CK_ALWAYS_INLINE __m512i interleave(const uint8_t* p0, const uint8_t* p1,
                                                  const uint8_t* p2, const uint8_t* p3) {
  const __m128i r0 = _mm_loadu_si128((const void*)p0), r1 = _mm_loadu_si128((const void*)p1);
  const __m128i r2 = _mm_loadu_si128((const void*)p2), r3 = _mm_loadu_si128((const void*)p3);
  const __m128i a = _mm_unpacklo_epi8(r0, r1), b = _mm_unpackhi_epi8(r0, r1);
  const __m128i c = _mm_unpacklo_epi8(r2, r3), d = _mm_unpackhi_epi8(r2, r3);
  const __m256i low = _mm256_inserti128_si256(_mm256_castsi128_si256(_mm_unpacklo_epi16(a, c)),
                                              _mm_unpackhi_epi16(a, c), 1);
  const __m256i high = _mm256_inserti128_si256(_mm256_castsi128_si256(_mm_unpacklo_epi16(b, d)),
                                               _mm_unpackhi_epi16(b, d), 1);
  return _mm512_inserti64x4(_mm512_castsi256_si512(low), high, 1);
}

/* One row by `blocks` times 16 of the batch. */
CK_AVX512VNNI CK_ALWAYS_INLINE void row_sums(const ck_packed* p, const uint8_t* x, int lane,
                                             const int blocks, int32_t* tile) {
  const size_t stride = (size_t)blocks * 16;
  const uint32_t* start = CK_SECTION(uint32_t, p, start) + lane;
  const uint16_t* column = CK_SECTION(uint16_t, p, column);
  const int8_t* weight = CK_SECTION(int8_t, p, weight);
  __m512i sum[4];
  CK_UNROLL for (int b = 0; b < blocks; b++) sum[b] = _mm512_setzero_si512();
  for (uint32_t at = start[0]; at < start[1]; at += CK_CSR_MULTIPLE) {
    const __m512i w = _mm512_set1_epi32(four_weights(weight + at));
    const uint16_t* c = column + at;
    CK_UNROLL for (int b = 0; b < blocks; b++) {
      const uint8_t* block = x + 16 * b;
      const __m512i four = interleave(block + c[0] * stride, block + c[1] * stride,
                                      block + c[2] * stride, block + c[3] * stride);
      sum[b] = _mm512_dpbusd_epi32(sum[b], four, w);
    }
  }
  CK_UNROLL for (int b = 0; b < blocks; b++) _mm512_store_si512(tile + 16 * b, sum[b]);
}

/* One row by 8 of the batch. */
CK_AVX512VNNI static void row_by_8(const ck_packed* p, const uint8_t* x, int lane, int32_t* tile) {
  const uint32_t* start = CK_SECTION(uint32_t, p, start) + lane;
  const uint16_t* column = CK_SECTION(uint16_t, p, column);
  const int8_t* weight = CK_SECTION(int8_t, p, weight);
  __m256i sum = _mm256_setzero_si256();
  for (uint32_t at = start[0]; at < start[1]; at += CK_CSR_MULTIPLE) {
    const uint16_t* c = column + at;
    const __m128i r0 = _mm_loadl_epi64((const void*)(x + c[0] * 8));
    const __m128i r1 = _mm_loadl_epi64((const void*)(x + c[1] * 8));
    const __m128i r2 = _mm_loadl_epi64((const void*)(x + c[2] * 8));
    const __m128i r3 = _mm_loadl_epi64((const void*)(x + c[3] * 8));
    const __m128i a = _mm_unpacklo_epi8(r0, r1), b = _mm_unpacklo_epi8(r2, r3);
    const __m256i four = _mm256_inserti128_si256(_mm256_castsi128_si256(_mm_unpacklo_epi16(a, b)),
                                                 _mm_unpackhi_epi16(a, b), 1);
    sum = _mm256_dpbusd_epi32(sum, four, _mm256_set1_epi32(four_weights(weight + at)));
  }
  _mm256_store_si256((void*)tile, sum);
}

#define ROW(blocks)                                                                           \
  CK_AVX512VNNI static void row##blocks(const ck_packed* p, const uint8_t* x, int lane,       \
                                        int32_t* tile) {                                      \
    row_sums(p, x, lane, blocks, tile);                                                       \
  }
ROW(1)
ROW(2)
ROW(3)
ROW(4)
#undef ROW

void ck_product_spmm_avx512vnni(const ck_packed* p, const void* x, size_t stride, int n, int first,
                                int last, int32_t* tile) {
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
