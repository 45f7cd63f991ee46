/* The rule by which a row of x becomes 8-bit, value by value; SIMD variants must equal it.
 *
 * As XNNPACK does it, in float32 and to nearest even. The range always holds 0. With steps per unit
 * s = 255 / (high - low): q = round(x * s) + zero in -128..127, zero = round(-128 - low * s), and
 * the scale is 1 / s. A row of zeros or subnormal numbers has s = 1. */
#ifndef CK_QUANTIZE_H
#define CK_QUANTIZE_H
#include <math.h>

#include "kernel.h"

static inline int32_t ck_clamp_int8(int32_t q) { return q < -128 ? -128 : q > 127 ? 127 : q; }

/* Widens the range by the values from..cols-1; one NaN makes all of it NaN. */
static inline ck_range ck_widen(ck_range r, const float* x, int from, int cols) {
  for (int k = from; k < cols; k++) {
    if (x[k] != x[k]) return (ck_range){NAN, NAN};
    r.low = x[k] < r.low ? x[k] : r.low;
    r.high = x[k] > r.high ? x[k] : r.high;
  }
  return r;
}

/* Values from..cols-1. */
static inline void ck_quantize_values(const float* x, int from, int cols, ck_grid grid,
                                      uint8_t flip, uint8_t* q) {
  for (int k = from; k < cols; k++) {
    const int32_t value = (int32_t)lrintf(x[k] * grid.steps_per_unit) + grid.zero;
    q[k] = (uint8_t)ck_clamp_int8(value) ^ flip;
  }
}
#endif
