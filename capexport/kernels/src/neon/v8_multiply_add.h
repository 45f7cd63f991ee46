/* Four products of int8 per 32-bit lane without the dot product instruction. */
#ifndef CK_V8_MULTIPLY_ADD_H
#define CK_V8_MULTIPLY_ADD_H
#include "neon.h"

/* Two products are at most 2 * 128 * 127 and fit 16 bits. */
CK_ALWAYS_INLINE int32x4_t multiply_add(int32x4_t sum, int8x16_t x, int8x16_t weight) {
  const int16x8_t low = vmull_s8(vget_low_s8(x), vget_low_s8(weight));
  return vpadalq_s16(sum, vpaddq_s16(low, vmull_high_s8(x, weight)));
}
#endif
