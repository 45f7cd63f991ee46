/* Sums of products -> int8: a body that each instruction set compiles for itself. */
#ifndef CK_FINISH_INT8_H
#define CK_FINISH_INT8_H
#include <string.h>

#include "inline.h"
#include "kernel.h"

/* Added to a float of at most 2^22 it leaves the nearest integer, ties to even, in the low bits:
 * unlike lrintf every compiler makes SIMD of it. */
#define CK_TO_INTEGER 12582912.f /* 2^23 + 2^22 */

CK_ALWAYS_INLINE int32_t ck_rounded(float v) {
  const float zero = CK_TO_INTEGER, moved = v + zero;
  int32_t bits, zero_bits;
  memcpy(&bits, &moved, sizeof bits);
  memcpy(&zero_bits, &zero, sizeof zero_bits);
  return bits - zero_bits;
}

/* 16 results of one row of x, from sums `apart` from each other. Additions wrap as the SIMD ones of
 * a dense kernel do: only a bias beyond all products can make them. */
CK_ALWAYS_INLINE void ck_int8_results(const ck_packed* p, const ck_outcome* o, int at, int i,
                                      const int32_t* sum, int apart, int8_t* lane) {
  const float low = (float)(o->range->low - o->range->zero);
  const float high = (float)(o->range->high - o->range->zero);
  const int32_t x_zero = o->zero[i], y_zero = o->range->zero;
  const int32_t* rowsum = CK_SECTION(int32_t, p, rowsum) + at;
  const int32_t* bias = CK_SECTION(int32_t, p, bias) + at;
  const float* scale = CK_SECTION(float, p, scale) + at;
  for (int l = 0; l < CK_LANES; l++) {
    const uint32_t exact = (uint32_t)(sum[l * apart] - x_zero * rowsum[l]);
    float v = (float)(int32_t)(exact + (uint32_t)bias[l]) * scale[l];
    v = v < low ? low : v;
    v = v > high ? high : v;
    lane[l] = (int8_t)(ck_rounded(v) + y_zero);
  }
}

/* Sums of a row of x are `apart` from each other, those of a lane `next`. */
CK_ALWAYS_INLINE void ck_int8_tile(const ck_packed* p, const ck_outcome* o, int apart, int next) {
  const int32_t *tile = o->tile, *row = CK_SECTION(int32_t, p, row) + o->first * CK_LANES;
  int8_t lane[CK_LANES];
  for (int g = o->first; g < o->last; g++, tile += CK_LANES * o->stride, row += CK_LANES) {
    const int rows = ck_rows_in_group(p, g);
    for (int i = 0; i < o->n; i++) {
      int8_t* y = (int8_t*)o->y + (size_t)i * (size_t)p->rows;
      ck_int8_results(p, o, g * CK_LANES, i, tile + i * next, apart, lane);
      if (rows == CK_LANES)
        for (int l = 0; l < CK_LANES; l++) y[row[l]] = lane[l];
      else
        for (int l = 0; l < rows; l++) y[row[l]] = lane[l];
    }
  }
}

CK_ALWAYS_INLINE void ck_int8_tile_of(const ck_packed* p, const ck_outcome* o) {
  if (ck_kernel_at(p->kernel)->operand == CK_COLUMNS)
    ck_int8_tile(p, o, o->stride, 1);
  else
    ck_int8_tile(p, o, 1, CK_LANES);
}
#endif
