/* CSR: row by row, each padded to a multiple of four entries, so that no kernel needs a tail. */
#include "pack.h"

int64_t ck_csr_entries(const ck_weights* w, const ck_work* work) {
  int64_t entries = 0;
  for (int32_t row = 0; row < w->rows; row++)
    entries += (int64_t)ck_round_up(work->nnz[row], CK_CSR_MULTIPLE);
  return entries;
}

/* Returns where the next row starts. Padding has weight 0 and repeats the row's last column, which
 * is in the cache. */
static uint32_t pack_row(ck_cursor c, uint16_t* column, int8_t* weight, uint32_t at) {
  uint16_t last = 0;
  for (; c.column != CK_ROW_END; ck_cursor_next(&c), at++) {
    column[at] = last = (uint16_t)c.column;
    weight[at] = c.weight;
  }
  for (; at % CK_CSR_MULTIPLE; at++) {
    column[at] = last;
    weight[at] = 0;
  }
  return at;
}

void ck_pack_csr(const ck_weights* w, const ck_work* work, ck_packed* p) {
  uint32_t* start = CK_SECTION_OUT(uint32_t, p, start);
  uint16_t* column = CK_SECTION_OUT(uint16_t, p, column);
  int8_t* weight = CK_SECTION_OUT(int8_t, p, weight);
  start[0] = 0;
  for (int32_t row = 0; row < w->rows; row++)
    start[row + 1] =
        pack_row(ck_cursor_at(w, work->index[row], row), column, weight, start[row]);
  for (int32_t lane = w->rows; lane < p->groups * CK_LANES; lane++) start[lane + 1] = start[lane];
}
