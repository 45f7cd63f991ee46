/* Shared by the AVX2 files. Every CPU with AVX2 but a few of VIA has FMA too. */
#ifndef CK_AVX2_H
#define CK_AVX2_H
#include <immintrin.h>

#include "../inline.h"
#define CK_AVX2 __attribute__((target("avx2,fma")))
#endif
