/* Marks that a kernel needs on its functions. */
#ifndef CK_INLINE_H
#define CK_INLINE_H

/* A body written once for a number of columns that each caller knows at compile time. */
#define CK_ALWAYS_INLINE static inline __attribute__((always_inline))

/* Loops over that number are unrolled, so that its arrays become registers. */
#define CK_UNROLL _Pragma("GCC unroll 16")
#endif
