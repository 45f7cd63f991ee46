/* WELL, 128 columns per step: VPERMI2B gathers 64 bytes of x from two registers, VPDPBUSD adds the
 * four products of each lane. x is uint8 = int8 + 128, as VPDPBUSD wants it. */
#if defined(__x86_64__)
#include "../kernel.h"
#include "avx512vnni.h"

enum { MOST_ROWS = 6, PAGE = 4096, AHEAD = 4 * PAGE };

CK_AVX512VNNI CK_ALWAYS_INLINE __m512i multiply_add(__m512i sum, const uint8_t* window,
                                                    __m512i offset, __m512i weight) {
  const __m512i lower = _mm512_loadu_si512(window), upper = _mm512_loadu_si512(window + 64);
  return _mm512_dpbusd_epi32(sum, _mm512_permutex2var_epi8(lower, offset, upper), weight);
}

/* One group, `n` rows of x at once: they share offsets and weights. */
CK_AVX512VNNI CK_ALWAYS_INLINE void group_sums(const ck_packed* p, const uint8_t* x, size_t stride,
                                               const int n, int group, int32_t* tile) {
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

/* One row of x: two sums, as each would wait for itself otherwise. */
CK_AVX512VNNI static void sums1(const ck_packed* p, const uint8_t* x, int group, int32_t* tile) {
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

#define SUMS(n)                                                                            \
  CK_AVX512VNNI static void sums##n(const ck_packed* p, const uint8_t* x, size_t stride,   \
                                    int group, int32_t* tile) {                            \
    group_sums(p, x, stride, n, group, tile);                                              \
  }
SUMS(2)
SUMS(3)
SUMS(4)
SUMS(5)
SUMS(6)
#undef SUMS

/* Rows of x for the next turn; more than six would not leave registers for the rest. */
static int take(int left) { return left <= MOST_ROWS ? left : 4; }

/* Asks for the first line of the pages that the stream reaches 16 KB after this group: from memory a
 * product waits for the address of each page (benchmarks/kernels). Groups of like length ask for as
 * many pages, some of them twice, as a branch on every page's end would be mispredicted. The address
 * may lie behind the matrix; nothing is read there. */
static void ask_for_pages(const ck_packed* p, int group) {
  const uint32_t* start = CK_SECTION(uint32_t, p, start) + group;
  const uintptr_t stream = (uintptr_t)CK_SECTION(uint8_t, p, weight) + AHEAD;
  uintptr_t page = ck_round_up(stream + (uintptr_t)start[0] * CK_STEP_BYTES, PAGE);
  for (uint32_t step = start[0]; step < start[1]; step += PAGE / CK_STEP_BYTES, page += PAGE)
    _mm_prefetch((const void*)page, _MM_HINT_T1);
}

void ck_product_well128_avx512vnni(const ck_packed* p, const void* x, size_t stride, int n,
                                   int first, int last, int32_t* tile) {
  for (int group = first; group < last; group++) {
    ask_for_pages(p, group);
    for (int i = 0, taken; i < n; i += taken, tile += taken * CK_LANES) {
      const uint8_t* rows = (const uint8_t*)x + (size_t)i * stride;
      switch (taken = take(n - i)) {
        case 1: sums1(p, rows, group, tile); break;
        case 2: sums2(p, rows, stride, group, tile); break;
        case 3: sums3(p, rows, stride, group, tile); break;
        case 4: sums4(p, rows, stride, group, tile); break;
        case 5: sums5(p, rows, stride, group, tile); break;
        default: sums6(p, rows, stride, group, tile); break;
      }
    }
  }
}
#endif
