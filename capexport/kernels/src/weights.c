/* Bytes from outside -> checked weights. Nothing after this looks for damage again. */
#include <string.h>

#include "row_head.h"

static int in_range(uint32_t rows, uint32_t cols) {
  return rows >= 1 && rows <= CK_MAX_ROWS && cols >= 1 && cols <= CK_MAX_COLS;
}

static ck_status of_size(size_t size, uint64_t wanted) {
  if (size == wanted) return CK_OK;
  return size < wanted ? CK_BLOB_TRUNCATED : CK_BLOB_TOO_LONG;
}

static ck_status read_version_1(ck_weights* w, const uint8_t* b, size_t size) {
  static const uint8_t RESERVED[8] = {0};
  if (memcmp(b + 24, RESERVED, sizeof RESERVED) != 0) return CK_BLOB_RESERVED;
  w->entries = ck_u32_at(b + 16);
  const uint64_t counts = ck_round_up(2 * (uint64_t)w->rows, CK_BLOB_ALIGNMENT);
  const uint64_t entries = ck_round_up((uint64_t)w->entries, CK_BLOB_ALIGNMENT);
  const ck_status status = of_size(size, CK_BLOB_HEADER + counts + 2 * entries);
  return status == CK_OK ? ck_check_bytes(w) : status;
}

static ck_status read_stream(ck_weights* w, const uint8_t* b, size_t size, uint64_t around) {
  const ck_status status = of_size(size, around + ck_blob_stream_bytes(b));
  if (status != CK_OK) return status;
  if (ck_blob_stream_bytes(b) > CK_STREAM_MOST) return CK_TOO_LARGE;
  return w->nnz > (int64_t)w->rows * w->cols ? CK_BLOB_NNZ : ck_check_bits(w);
}

static ck_status read_version_2(ck_weights* w, const uint8_t* b, size_t size) {
  if (ck_u32_at(b + 28) != 0) return CK_BLOB_RESERVED;
  w->entries = w->nnz;
  w->live_rows = (int32_t)ck_u32_at(b + 24);
  return read_stream(w, b, size, CK_BLOB_HEADER + CK_STREAM_GUARD);
}

/* Of a code, so that no k is above 15. */
enum { LONGEST_NUMBER = 0xffff };

static ck_status read_version_3(ck_weights* w, const uint8_t* b, size_t size) {
  if (size < CK_BLOB_HEADER_3) return CK_BLOB_TRUNCATED;
  const uint32_t flags = ck_u16_at(b + 6);
  if (flags & ~(uint32_t)(CK_HAS_SCALE | CK_HAS_BIAS)) return CK_BLOB_RESERVED;
  w->has_scale = (flags & CK_HAS_SCALE) != 0;
  w->has_bias = (flags & CK_HAS_BIAS) != 0;
  w->entries = w->nnz;
  if (ck_u32_at(b + 24) > (uint32_t)w->rows) return CK_BLOB_LIVE;
  w->live_rows = (int32_t)ck_u32_at(b + 24);
  if (w->has_scale && !w->live_rows) return CK_BLOB_LIVE;
  if (!w->has_scale && (ck_u32_at(b + 32) || ck_u16_at(b + 36))) return CK_BLOB_RESERVED;
  if (ck_folded_counts(w) / LONGEST_NUMBER > (uint32_t)w->rows) return CK_BLOB_COUNTS;
  if (ck_folded_codes(w) / LONGEST_NUMBER > (uint32_t)w->live_rows) return CK_BLOB_SCALE;
  const int32_t exponent = ck_bias_exponent(w);
  if (w->has_bias ? exponent < CK_LOWEST_BIAS_EXPONENT || exponent > CK_HIGHEST_BIAS_EXPONENT
                  : exponent != 0)
    return CK_BLOB_BIAS;
  return read_stream(w, b, size, CK_BLOB_HEADER_3 + CK_STREAM_GUARD_3);
}

ck_status ck_weights_blob(ck_weights* w, const void* blob, size_t size) {
  const uint8_t* b = blob;
  if (size < 4 || memcmp(b, "CKSB", 4) != 0) return CK_BLOB_MAGIC;
  if (size < CK_BLOB_HEADER) return CK_BLOB_TRUNCATED;
  const uint32_t version = ck_blob_version(b), rows = ck_u32_at(b + 8), cols = ck_u32_at(b + 12);
  if (version < 1 || version > 3) return CK_BLOB_VERSION;
  if (version < 3 && ck_u16_at(b + 6) != 0) return CK_BLOB_RESERVED;
  if (!in_range(rows, cols)) return CK_SHAPE;
  *w = (ck_weights){
      .blob = b, .rows = (int32_t)rows, .cols = (int32_t)cols, .nnz = ck_u32_at(b + 20)};
  if (version == 1) return read_version_1(w, b, size);
  return version == 2 ? read_version_2(w, b, size) : read_version_3(w, b, size);
}

/* One row, from its first entry to the first of the next. */
static ck_status check_csr_row(ck_weights* w, int32_t from, int32_t to) {
  int32_t last = -1, in_row = 0;
  for (int32_t at = from; at < to; at++) {
    if (w->column[at] <= last || w->column[at] >= w->cols) return CK_CSR_COLUMN;
    if (w->value[at] == -128) return CK_VALUE;
    last = w->column[at];
    in_row += w->value[at] != 0;
  }
  w->nnz += in_row;
  w->live_rows += in_row != 0;
  return CK_OK;
}

ck_status ck_weights_csr(ck_weights* w, const int32_t* start, const int32_t* column,
                         const int8_t* value, int32_t entries, int32_t rows, int32_t cols) {
  if (!in_range((uint32_t)rows, (uint32_t)cols)) return CK_SHAPE;
  *w = (ck_weights){
      .start = start, .column = column, .value = value, .rows = rows, .cols = cols};
  if (start[0] != 0 || start[rows] != entries) return CK_CSR_ROWS;
  for (int32_t row = 0; row < rows; row++) {
    if (start[row + 1] < start[row] || start[row + 1] > entries) return CK_CSR_ROWS;
    const ck_status status = check_csr_row(w, start[row], start[row + 1]);
    if (status != CK_OK) return status;
  }
  return CK_OK;
}

ck_status ck_weights_dense(ck_weights* w, const int8_t* dense, int32_t rows, int32_t cols) {
  if (!in_range((uint32_t)rows, (uint32_t)cols)) return CK_SHAPE;
  *w = (ck_weights){.dense = dense, .rows = rows, .cols = cols};
  for (int32_t row = 0; row < rows; row++) {
    const int8_t* values = dense + (size_t)row * (size_t)cols;
    int32_t in_row = 0, lowest = 0;
    for (int32_t k = 0; k < cols; k++) {
      in_row += values[k] != 0;
      lowest = values[k] < lowest ? values[k] : lowest;
    }
    if (lowest == -128) return CK_VALUE;
    w->nnz += in_row;
    w->live_rows += in_row != 0;
  }
  return CK_OK;
}
