/* Bytes from outside -> checked weights. Nothing after this looks for damage again. */
#include <string.h>

#include "blob.h"

static int zero_bytes(const uint8_t* from, const uint8_t* to) {
  while (from < to)
    if (*from++) return 0;
  return 1;
}

static int zero_padded(const void* section, uint64_t size) {
  const uint8_t* start = section;
  return zero_bytes(start + size, start + ck_round_up(size, CK_BLOB_ALIGNMENT));
}

static ck_status read_header(ck_weights* w, const uint8_t* b, size_t size) {
  if (size < 4 || memcmp(b, "CKSB", 4) != 0) return CK_BLOB_MAGIC;
  if (size < CK_BLOB_HEADER) return CK_BLOB_TRUNCATED;
  if (ck_u16_at(b + 4) != 1) return CK_BLOB_VERSION;
  if (ck_u16_at(b + 6) != 0 || !zero_bytes(b + 24, b + CK_BLOB_HEADER)) return CK_BLOB_RESERVED;
  const uint32_t rows = ck_u32_at(b + 8), cols = ck_u32_at(b + 12), entries = ck_u32_at(b + 16);
  if (rows < 1 || rows > CK_MAX_ROWS || cols < 1 || cols > CK_MAX_COLS) return CK_SHAPE;
  const uint64_t wanted = CK_BLOB_HEADER + ck_round_up(2 * (uint64_t)rows, CK_BLOB_ALIGNMENT) +
                          2 * ck_round_up(entries, CK_BLOB_ALIGNMENT);
  if (size != wanted) return size < wanted ? CK_BLOB_TRUNCATED : CK_BLOB_TOO_LONG;
  *w = (ck_weights){b, NULL, (int32_t)rows, (int32_t)cols, ck_u32_at(b + 20), entries};
  return CK_OK;
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

static ck_status check_rows(const ck_weights* w) {
  const uint8_t *counts = ck_blob_counts(w), *gaps = ck_blob_gaps(w);
  const int8_t* values = ck_blob_values(w);
  int64_t at = 0, nnz = 0;
  for (int32_t row = 0; row < w->rows; row++) {
    const uint32_t count = ck_u16_at(counts + 2 * (size_t)row);
    if (count > w->entries - at) return CK_BLOB_COUNTS;
    const ck_status status = check_row(gaps + at, values + at, count, (uint32_t)w->cols, &nnz);
    if (status != CK_OK) return status;
    at += count;
  }
  if (at != w->entries) return CK_BLOB_COUNTS;
  return nnz == w->nnz ? CK_OK : CK_BLOB_NNZ;
}

ck_status ck_weights_blob(ck_weights* w, const void* blob, size_t size) {
  const ck_status status = read_header(w, blob, size);
  if (status != CK_OK) return status;
  if (!zero_padded(ck_blob_counts(w), 2 * (uint64_t)w->rows) ||
      !zero_padded(ck_blob_gaps(w), (uint64_t)w->entries) ||
      !zero_padded(ck_blob_values(w), (uint64_t)w->entries))
    return CK_BLOB_PADDING;
  return check_rows(w);
}

ck_status ck_weights_dense(ck_weights* w, const int8_t* dense, int32_t rows, int32_t cols) {
  if (rows < 1 || rows > CK_MAX_ROWS || cols < 1 || cols > CK_MAX_COLS) return CK_SHAPE;
  int64_t nnz = 0;
  for (int32_t row = 0; row < rows; row++) {
    const int8_t* values = dense + (size_t)row * (size_t)cols;
    int32_t in_row = 0, lowest = 0;
    for (int32_t k = 0; k < cols; k++) {
      in_row += values[k] != 0;
      lowest = values[k] < lowest ? values[k] : lowest;
    }
    if (lowest == -128) return CK_VALUE;
    nnz += in_row;
  }
  *w = (ck_weights){NULL, dense, rows, cols, nnz, 0};
  return CK_OK;
}
