/* Single rows out of checked weights: the lookup of a sparse embedding. */
#include "cursor.h"

void ck_index_rows(const ck_weights* w, uint32_t* index) {
  uint32_t at = 0;
  for (int32_t row = 0; row < w->rows; row++) {
    index[row] = at;
    if (w->blob) at += ck_u16_at(ck_blob_counts(w) + 2 * (size_t)row);
  }
  index[w->rows] = at;
}

ck_status ck_read_row(const ck_weights* w, const uint32_t* index, int64_t row, int8_t* out) {
  if (row < 0 || row >= w->rows) return CK_ARGUMENT;
  memset(out, 0, (size_t)w->cols);
  ck_cursor c = ck_cursor_at(w, index, (int32_t)row);
  for (; c.column != CK_ROW_END; ck_cursor_next(&c)) out[c.column] = c.weight;
  return CK_OK;
}

ck_status ck_embed_row(const ck_weights* w, const uint32_t* index, int64_t row, float scale,
                       float* out) {
  if (row < 0 || row >= w->rows) return CK_ARGUMENT;
  memset(out, 0, (size_t)w->cols * sizeof *out);
  ck_cursor c = ck_cursor_at(w, index, (int32_t)row);
  for (; c.column != CK_ROW_END; ck_cursor_next(&c)) out[c.column] = (float)c.weight * scale;
  return CK_OK;
}
