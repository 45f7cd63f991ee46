/* A CKSB blob of version 1 (bytes): every rule but those of its header. */
#include "blob.h"

static int zero_padded(const void* section, uint64_t size) {
  const uint8_t* start = section;
  for (uint64_t i = size; i < ck_round_up(size, CK_BLOB_ALIGNMENT); i++)
    if (start[i]) return 0;
  return 1;
}

/* One row of `count` entries; adds its non-zeros to *nnz. */
static ck_status check_row(const uint8_t* gap, const int8_t* value, uint32_t count, uint32_t cols,
                           int64_t* nnz) {
  uint32_t column = 0;
  for (uint32_t i = 0; i < count; i++) {
    column += gap[i];
    if (column >= cols) return CK_BLOB_COLUMN;
    if (value[i] == -128) return CK_VALUE;
    if (gap[i] == 0 && i > 0) return CK_BLOB_GAP;
    if (value[i] == 0 && (gap[i] != CK_LONGEST_GAP || i + 1 == count)) return CK_BLOB_ESCAPE;
    *nnz += value[i] != 0;
  }
  return CK_OK;
}

static ck_status check_rows(ck_weights* w) {
  const uint8_t *counts = ck_blob_counts(w), *gaps = ck_blob_gaps(w);
  const int8_t* values = ck_blob_values(w);
  int64_t at = 0, nnz = 0;
  for (int32_t row = 0; row < w->rows; row++) {
    const uint32_t count = ck_u16_at(counts + 2 * (size_t)row);
    if (count > w->entries - at) return CK_BLOB_COUNTS;
    const ck_status status = check_row(gaps + at, values + at, count, (uint32_t)w->cols, &nnz);
    if (status != CK_OK) return status;
    at += count;
    w->live_rows += count != 0;
  }
  if (at != w->entries) return CK_BLOB_COUNTS;
  return nnz == w->nnz ? CK_OK : CK_BLOB_NNZ;
}

ck_status ck_check_bytes(ck_weights* w) {
  if (!zero_padded(ck_blob_counts(w), 2 * (uint64_t)w->rows) ||
      !zero_padded(ck_blob_gaps(w), (uint64_t)w->entries) ||
      !zero_padded(ck_blob_values(w), (uint64_t)w->entries))
    return CK_BLOB_PADDING;
  return check_rows(w);
}
