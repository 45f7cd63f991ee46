/* WELL, 128 columns per step: VPERMI2B gathers 64 bytes of x from two registers, VPDPBUSD adds the
 * four products of each lane. x is uint8 = int8 + 128, as VPDPBUSD wants it. */
#if defined(__x86_64__)
#include "../kernel.h"
#include "avx512vnni.h"

enum { MOST_ROWS = 6 };

CK_AVX512VNNI CK_ALWAYS_INLINE __m512i multiply_add(__m512i sum, const uint8_t* window,
                                                    __m512i offset, __m512i weight) {
  const __m512i lower = _mm512_loadu_si512(window), upper = _mm512_loadu_si512(window + 64);
  return _mm512_dpbusd_epi32(sum, _mm512_permutex2var_epi8(lower, offset, upper), weight);
}

/* One row of x: two sums, as each would wait for itself otherwise. */
CK_AVX512VNNI CK_ALWAYS_INLINE void row_sums(const ck_packed* p, const uint8_t* x, int group,
                                             int32_t* tile) {
  const uint32_t* start = CK_SECTION(uint32_t, p, start) + group;
  const uint16_t* column = CK_SECTION(uint16_t, p, column);
  const uint8_t* step = CK_SECTION(uint8_t, p, weight) + (size_t)start[0] * CK_STEP_BYTES;
  __m512i even = _mm512_setzero_si512(), odd = even;
  uint32_t at = start[0];
  for (; at + 2 <= start[1]; at += 2, step += 2 * CK_STEP_BYTES) {
    even = multiply_add(even, x + column[at], _mm512_load_si512(step),
                        _mm512_load_si512(step + 64));
    odd = multiply_add(odd, x + column[at + 1], _mm512_load_si512(step + 128),
                       _mm512_load_si512(step + 192));
  }
  if (at < start[1])
    even = multiply_add(even, x + column[at], _mm512_load_si512(step),
                        _mm512_load_si512(step + 64));
  _mm512_store_si512(tile, _mm512_add_epi32(even, odd));
}

/* One group, `n` rows of x at once: they share offsets and weights. */
CK_AVX512VNNI CK_ALWAYS_INLINE void group_sums(const ck_packed* p, const uint8_t* x, size_t stride,
                                               const int n, int group, int32_t* tile) {
  if (n == 1) {
    row_sums(p, x, group, tile);
    return;
  }
  const uint32_t* start = CK_SECTION(uint32_t, p, start) + group;
  const uint16_t* column = CK_SECTION(uint16_t, p, column);
  const uint8_t* stream = CK_SECTION(uint8_t, p, weight);
  __m512i sum[MOST_ROWS];
  CK_UNROLL for (int i = 0; i < n; i++) sum[i] = _mm512_setzero_si512();
  for (uint32_t at = start[0]; at < start[1]; at++) {
    const uint8_t* step = stream + (size_t)at * CK_STEP_BYTES;
    const __m512i offset = _mm512_load_si512(step), weight = _mm512_load_si512(step + 64);
    const uint8_t* window = x + column[at];
    CK_UNROLL for (int i = 0; i < n; i++)
      sum[i] = multiply_add(sum[i], window + (size_t)i * stride, offset, weight);
  }
  CK_UNROLL for (int i = 0; i < n; i++) _mm512_store_si512(tile + i * CK_LANES, sum[i]);
}

#include "well.inc"

void ck_product_well128_avx512vnni(const ck_packed* p, const void* x, size_t stride, int n,
                                   int first, int last, int32_t* tile) {
  well(p, x, stride, n, first, last, tile);
}
#endif
