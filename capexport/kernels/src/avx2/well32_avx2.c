/* WELL, 32 columns per step. x is uint8 = int8 + 128: widening it to 16 bits is one instruction. */
#if defined(__x86_64__)
#include "../kernel.h"
#include "avx2.h"

/* 32 weights of 8 lanes: where in the window they want x, and the even and odd ones as int16. */
typedef struct {
  __m256i low, high, even, odd;
} slots;

/* VPSHUFB reads 16 bytes and gives 0 for an index with the top bit set: one shuffle of the lower
 * half of the window, where indices above 15 give 0, and one of the upper half. */
CK_AVX2 CK_ALWAYS_INLINE slots load_slots(const uint8_t* step) {
  const __m256i offset = _mm256_load_si256((const void*)step);
  const __m256i weight = _mm256_load_si256((const void*)(step + CK_STEP_BYTES / 2));
  return (slots){_mm256_adds_epu8(offset, _mm256_set1_epi8(0x70)),
                 _mm256_sub_epi8(offset, _mm256_set1_epi8(16)),
                 _mm256_srai_epi16(_mm256_slli_epi16(weight, 8), 8), _mm256_srai_epi16(weight, 8)};
}

CK_AVX2 CK_ALWAYS_INLINE __m256i multiply_add(__m256i sum, const slots* s, __m256i lower,
                                              __m256i upper) {
  const __m256i x = _mm256_or_si256(_mm256_shuffle_epi8(lower, s->low),
                                    _mm256_shuffle_epi8(upper, s->high));
  const __m256i even = _mm256_and_si256(x, _mm256_set1_epi16(0xff)), odd = _mm256_srli_epi16(x, 8);
  return _mm256_add_epi32(sum, _mm256_add_epi32(_mm256_madd_epi16(even, s->even),
                                                _mm256_madd_epi16(odd, s->odd)));
}

/* One group, `n` rows of x at once. */
CK_AVX2 CK_ALWAYS_INLINE void group_sums(const ck_packed* p, const uint8_t* x, size_t stride,
                                         const int n, int group, int32_t* tile) {
  const uint32_t* start = CK_SECTION(uint32_t, p, start) + group;
  const uint16_t* column = CK_SECTION(uint16_t, p, column);
  const uint8_t* stream = CK_SECTION(uint8_t, p, weight);
  __m256i sum[2][2];
  CK_UNROLL for (int i = 0; i < n; i++) sum[i][0] = sum[i][1] = _mm256_setzero_si256();
  for (uint32_t at = start[0]; at < start[1]; at++) {
    const uint8_t* step = stream + (size_t)at * CK_STEP_BYTES;
    const slots first = load_slots(step), second = load_slots(step + 32);
    CK_UNROLL for (int i = 0; i < n; i++) {
      const __m128i* window = (const void*)(x + (size_t)i * stride + column[at]);
      const __m256i lower = _mm256_broadcastsi128_si256(_mm_loadu_si128(window));
      const __m256i upper = _mm256_broadcastsi128_si256(_mm_loadu_si128(window + 1));
      sum[i][0] = multiply_add(sum[i][0], &first, lower, upper);
      sum[i][1] = multiply_add(sum[i][1], &second, lower, upper);
    }
  }
  CK_UNROLL for (int i = 0; i < n; i++) {
    _mm256_store_si256((void*)(tile + i * CK_LANES), sum[i][0]);
    _mm256_store_si256((void*)(tile + i * CK_LANES + 8), sum[i][1]);
  }
}

CK_AVX2 static void one(const ck_packed* p, const uint8_t* x, size_t stride, int group,
                        int32_t* tile) {
  group_sums(p, x, stride, 1, group, tile);
}

CK_AVX2 static void two(const ck_packed* p, const uint8_t* x, size_t stride, int group,
                        int32_t* tile) {
  group_sums(p, x, stride, 2, group, tile);
}

void ck_product_well32_avx2(const ck_packed* p, const void* x, size_t stride, int n, int first,
                            int last, int32_t* tile) {
  for (int group = first; group < last; group++, tile += n * CK_LANES)
    for (int i = 0; i < n; i += 2) {
      const uint8_t* rows = (const uint8_t*)x + (size_t)i * stride;
      (i + 1 < n ? two : one)(p, rows, stride, group, tile + i * CK_LANES);
    }
}
#endif
