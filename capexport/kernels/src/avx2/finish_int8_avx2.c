/* int8 results: the compiler makes AVX2 of the plain body. */
#if defined(__x86_64__)
#include "../finish_int8.h"
#include "avx2.h"

CK_AVX2 static void finish(const ck_packed* p, const ck_outcome* o) { ck_int8_tile_of(p, o); }

void ck_finish_int8_avx2(const ck_packed* p, const ck_outcome* o) { finish(p, o); }
#endif
