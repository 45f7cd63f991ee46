/* int8 results: the compiler makes NEON of the plain body. */
#if defined(__aarch64__)
#include "../finish_int8.h"

void ck_finish_int8_neon(const ck_packed* p, const ck_outcome* o) { ck_int8_tile_of(p, o); }
#endif
