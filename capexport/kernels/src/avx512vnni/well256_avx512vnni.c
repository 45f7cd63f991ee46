/* WELL, 256 columns per window: two steps share its four registers. VPERMI2B gathers from the lower
 * two and from the upper two, and the top bit of an offset chooses. Fewer slots stay empty than with
 * 128 columns, so there is less to read; but one row of x takes a little longer from the cache. */
#if defined(__x86_64__)
#include "../kernel.h"
#include "avx512vnni.h"

enum { MOST_ROWS = 6 };

typedef struct {
  __m512i offset, weight;
  __mmask64 upper; /* slots whose offset is 128 or more */
} slots;

typedef struct {
  __m512i part[4];
} columns;

CK_AVX512VNNI CK_ALWAYS_INLINE slots load_step(const uint8_t* step) {
  const __m512i offset = _mm512_load_si512(step);
  return (slots){offset, _mm512_load_si512(step + 64), _mm512_movepi8_mask(offset)};
}

CK_AVX512VNNI CK_ALWAYS_INLINE columns load_window(const uint8_t* x) {
  return (columns){{_mm512_loadu_si512(x), _mm512_loadu_si512(x + 64), _mm512_loadu_si512(x + 128),
                    _mm512_loadu_si512(x + 192)}};
}

CK_AVX512VNNI CK_ALWAYS_INLINE __m512i multiply_add(__m512i sum, columns x, slots s) {
  const __m512i lower = _mm512_permutex2var_epi8(x.part[0], s.offset, x.part[1]);
  const __m512i upper = _mm512_permutex2var_epi8(x.part[2], s.offset, x.part[3]);
  return _mm512_dpbusd_epi32(sum, _mm512_mask_blend_epi8(s.upper, lower, upper), s.weight);
}

/* One group, `n` rows of x at once. A single row has two sums: one would wait for itself. */
CK_AVX512VNNI CK_ALWAYS_INLINE void group_sums(const ck_packed* p, const uint8_t* x, size_t stride,
                                               const int n, int group, int32_t* tile) {
  const uint32_t* start = CK_SECTION(uint32_t, p, start) + group;
  const uint16_t* column = CK_SECTION(uint16_t, p, column);
  const uint8_t* step = CK_SECTION(uint8_t, p, weight) + (size_t)start[0] * CK_STEP_BYTES;
  __m512i sum[MOST_ROWS], second = _mm512_setzero_si512();
  CK_UNROLL for (int i = 0; i < n; i++) sum[i] = _mm512_setzero_si512();
  uint32_t at = start[0];
  for (; at + 2 <= start[1]; at += 2, step += 2 * CK_STEP_BYTES) {
    const slots s = load_step(step), t = load_step(step + CK_STEP_BYTES);
    CK_UNROLL for (int i = 0; i < n; i++) {
      const columns window = load_window(x + column[at] + (size_t)i * stride);
      sum[i] = multiply_add(sum[i], window, s);
      __m512i* other = n == 1 ? &second : &sum[i];
      *other = multiply_add(*other, window, t);
    }
  }
  if (at < start[1]) {
    const slots s = load_step(step);
    CK_UNROLL for (int i = 0; i < n; i++)
      sum[i] = multiply_add(sum[i], load_window(x + column[at] + (size_t)i * stride), s);
  }
  if (n == 1) sum[0] = _mm512_add_epi32(sum[0], second);
  CK_UNROLL for (int i = 0; i < n; i++) _mm512_store_si512(tile + i * CK_LANES, sum[i]);
}

#include "well.inc"

void ck_product_well256_avx512vnni(const ck_packed* p, const void* x, size_t stride, int n,
                                   int first, int last, int32_t* tile) {
  well(p, x, stride, n, first, last, tile);
}
#endif
