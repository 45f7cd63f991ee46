/* Sums of products -> int8, for every kernel and both kinds of tile. */
#include <string.h>

#include "../kernel.h"

/* Added to a float of at most 2^22 it leaves the nearest integer, ties to even, in the low bits:
 * unlike lrintf every compiler makes SIMD of it. */
static const float TO_INTEGER = 12582912.f; /* 2^23 + 2^22 */

static int32_t rounded(float v) {
  int32_t bits, zero;
  const float moved = v + TO_INTEGER;
  memcpy(&bits, &moved, sizeof bits);
  memcpy(&zero, &TO_INTEGER, sizeof zero);
  return bits - zero;
}

/* 16 results of one row of x, from sums `apart` from each other. Additions wrap as the SIMD ones of
 * a dense kernel do: only a bias beyond all products can make them. */
static void results(const ck_packed* p, const ck_outcome* o, int at, int i, const int32_t* sum,
                    int apart, int8_t* lane) {
  const float low = (float)(o->range->low - o->range->zero);
  const float high = (float)(o->range->high - o->range->zero);
  const int32_t* rowsum = CK_SECTION(int32_t, p, rowsum) + at;
  const int32_t* bias = CK_SECTION(int32_t, p, bias) + at;
  const float* scale = CK_SECTION(float, p, scale) + at;
  for (int l = 0; l < CK_LANES; l++) {
    const uint32_t exact = (uint32_t)(sum[l * apart] - o->zero[i] * rowsum[l]);
    float v = (float)(int32_t)(exact + (uint32_t)bias[l]) * scale[l];
    v = v < low ? low : v;
    v = v > high ? high : v;
    lane[l] = (int8_t)(rounded(v) + o->range->zero);
  }
}

void ck_finish_int8(const ck_packed* p, const ck_outcome* o) {
  const int columns = ck_kernel_at(p->kernel)->operand == CK_COLUMNS;
  const int apart = columns ? o->stride : 1, next = columns ? 1 : CK_LANES;
  const int32_t *tile = o->tile, *row = CK_SECTION(int32_t, p, row);
  int8_t lane[CK_LANES];
  for (int g = o->first; g < o->last; g++, tile += CK_LANES * o->stride)
    for (int i = 0; i < o->n; i++) {
      int8_t* y = (int8_t*)o->y + (size_t)i * (size_t)p->rows;
      results(p, o, g * CK_LANES, i, tile + i * next, apart, lane);
      for (int l = 0; l < ck_rows_in_group(p, g); l++) y[row[g * CK_LANES + l]] = lane[l];
    }
}
