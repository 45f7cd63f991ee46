/* Shared by the AVX-512 files. */
#ifndef CK_AVX512VNNI_H
#define CK_AVX512VNNI_H
#include <immintrin.h>

#include "../inline.h"
#define CK_AVX512VNNI \
  __attribute__((target("avx2,avx512f,avx512bw,avx512vl,avx512dq,avx512vnni,avx512vbmi")))
#endif
