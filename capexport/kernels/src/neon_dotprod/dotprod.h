/* Shared by the files that use the dot product of Armv8.2. */
#ifndef CK_DOTPROD_H
#define CK_DOTPROD_H
#include "../neon/neon.h"
#define CK_DOTPROD __attribute__((target("arch=armv8.2-a+dotprod")))

CK_DOTPROD CK_ALWAYS_INLINE int32x4_t multiply_add(int32x4_t sum, int8x16_t x, int8x16_t weight) {
  return vdotq_s32(sum, x, weight);
}
#endif
