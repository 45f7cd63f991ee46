/* Single rows out of checked weights: the lookup of a sparse embedding. */
#include "cursor.h"

void ck_index_rows(const ck_weights* w, uint32_t* index) {
  index[0] = 0;
  for (int32_t row = 0; row < w->rows; row++) {
    ck_cursor c = ck_cursor_at(w, index[row], row);
    if (w->blob)
      while (c.column != CK_ROW_END) ck_cursor_next(&c);
    index[row + 1] = ck_cursor_place(w, &c);
  }
}

void ck_spread_scale(const ck_weights* w, const uint32_t* index, const float* live_scale,
                     float* scale) {
  for (int32_t row = 0; row < w->rows; row++) {
    const int live = ck_cursor_at(w, index[row], row).column != CK_ROW_END;
    if (live_scale)
      scale[row] = live ? *live_scale++ : 1.f;
    else
      scale[row] = w->has_scale ? ck_row_scale(w, index[row]) : 1.f;
  }
}

ck_status ck_read_row(const ck_weights* w, const uint32_t* index, int64_t row, int8_t* out) {
  if (row < 0 || row >= w->rows) return CK_ARGUMENT;
  memset(out, 0, (size_t)w->cols);
  ck_cursor c = ck_cursor_at(w, index[row], (int32_t)row);
  for (; c.column != CK_ROW_END; ck_cursor_next(&c)) out[c.column] = c.weight;
  return CK_OK;
}

ck_status ck_embed_row(const ck_weights* w, const uint32_t* index, int64_t row, float scale,
                       float* out) {
  if (row < 0 || row >= w->rows) return CK_ARGUMENT;
  memset(out, 0, (size_t)w->cols * sizeof *out);
  ck_cursor c = ck_cursor_at(w, index[row], (int32_t)row);
  for (; c.column != CK_ROW_END; ck_cursor_next(&c)) out[c.column] = (float)c.weight * scale;
  return CK_OK;
}
