/* int8 results in plain C. */
#include "../finish_int8.h"

void ck_finish_int8_portable(const ck_packed* p, const ck_outcome* o) { ck_int8_tile_of(p, o); }
