/* A CKSB blob of version 2 (a stream of bits): every rule but those of its header. */
#include "blob.h"

/* How far the stream is read. A code may be read while bit <= end, thanks to the bytes behind. */
typedef struct {
  const uint8_t* stream;
  uint32_t bit, end;
} reader;

/* The weights of a row, after their number. */
static ck_status check_weights(const ck_weights* w, reader* r, uint32_t count) {
  const uint32_t k = ck_gap_parameter(w, count), cols = (uint32_t)w->cols;
  for (uint32_t i = 0, column = 0; i < count; i++, column++) {
    const uint64_t word = ck_bits_at(r->stream, r->bit);
    const ck_code gap = ck_code_in(word, k);
    const uint8_t weight = (uint8_t)(word >> gap.bits);
    r->bit += gap.bits + CK_WEIGHT_BITS;
    if (r->bit > r->end) return CK_BLOB_STREAM;
    column += gap.number;
    if (column >= cols) return CK_BLOB_COLUMN;
    if (weight == 0) return CK_BLOB_ZERO;
    if (weight == 0x80) return CK_VALUE;
    if (ck_is_wasteful(gap, k)) return CK_BLOB_CODE;
  }
  return CK_OK;
}

static ck_status check_row(const ck_weights* w, reader* r, uint32_t* count) {
  const uint32_t k = ck_count_parameter(w);
  const ck_code code = ck_code_in(ck_bits_at(r->stream, r->bit), k);
  *count = code.number;
  r->bit += code.bits;
  if (r->bit > r->end) return CK_BLOB_STREAM;
  if (*count > (uint32_t)w->cols) return CK_BLOB_COLUMN;
  if (ck_is_wasteful(code, k)) return CK_BLOB_CODE;
  return check_weights(w, r, *count);
}

/* Nothing but the zeros that fill up the last byte, and those behind it. */
static ck_status check_end(const reader* r) {
  if (r->end - r->bit >= 8) return CK_BLOB_STREAM;
  if (r->bit % 8 && r->stream[r->bit / 8] >> r->bit % 8) return CK_BLOB_PADDING;
  for (int i = 0; i < CK_STREAM_GUARD; i++)
    if (r->stream[r->end / 8 + (uint32_t)i]) return CK_BLOB_PADDING;
  return CK_OK;
}

ck_status ck_check_bits(ck_weights* w) {
  reader r = {ck_blob_stream(w), 0, 8 * ck_blob_stream_bytes(w->blob)};
  int64_t nnz = 0;
  int32_t live = 0;
  for (int32_t row = 0; row < w->rows; row++) {
    uint32_t count;
    const ck_status status = check_row(w, &r, &count);
    if (status != CK_OK) return status;
    nnz += count;
    live += count != 0;
  }
  if (nnz != w->nnz) return CK_BLOB_NNZ;
  if (live != w->live_rows) return CK_BLOB_LIVE;
  return check_end(&r);
}
