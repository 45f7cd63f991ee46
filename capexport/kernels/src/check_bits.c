/* A CKSB blob of version 2 or 3 (a stream of bits): every rule but those of its header. */
#include "row_head.h"

/* How far the stream is read. A code may be read while bit <= end, thanks to the bytes behind. */
typedef struct {
  const uint8_t* stream;
  uint32_t bit, end;
} reader;

/* What the rows add up to, to be compared with the header. */
typedef struct {
  int64_t nnz, codes;
  uint64_t folded_counts, folded_codes;
  int32_t live, bias_peak;
} sums;

/* The weights of a row, after its head. */
static ck_status check_weights(const ck_weights* w, reader* r, uint32_t count) {
  const uint32_t k = ck_gap_parameter(w, count), cols = (uint32_t)w->cols;
  const int bounds_last = ck_is_version_3(w);
  for (uint32_t i = 0, column = 0; i < count; i++, column++) {
    const uint64_t word = ck_bits_at(r->stream, r->bit);
    const int bounded = bounds_last && i + 1 == count;
    if (column >= cols) return CK_BLOB_COLUMN;
    const ck_code gap = bounded ? ck_bounded_in(word, cols - column) : ck_code_in(word, k);
    const uint8_t weight = (uint8_t)(word >> gap.bits);
    r->bit += gap.bits + CK_WEIGHT_BITS;
    if (r->bit > r->end) return CK_BLOB_STREAM;
    column += gap.number;
    if (column >= cols) return CK_BLOB_COLUMN;
    if (weight == 0) return CK_BLOB_ZERO;
    if (weight == 0x80) return CK_VALUE;
    if (!bounded && ck_is_wasteful(gap, k)) return CK_BLOB_CODE;
  }
  return CK_OK;
}

static ck_status check_floats(const ck_weights* w, const ck_row_head* h, sums* s) {
  const int32_t bias = h->bias < 0 ? -h->bias : h->bias;
  if (bias > CK_BIAS_PEAK) return CK_BLOB_BIAS;
  if (bias > s->bias_peak) s->bias_peak = bias;
  if (!h->scale.bits) return CK_OK;
  if (ck_is_wasteful(h->scale, ck_scale_parameter(w))) return CK_BLOB_CODE;
  const int32_t code = ck_scale_code(w, h);
  if (code < CK_LOWEST_SCALE || code > CK_HIGHEST_SCALE) return CK_BLOB_SCALE;
  s->codes += code;
  s->folded_codes += h->scale.number;
  return CK_OK;
}

static ck_status check_row(const ck_weights* w, reader* r, sums* s) {
  const ck_row_head h = ck_row_head_at(w, r->bit);
  r->bit = h.end;
  if (r->bit > r->end) return CK_BLOB_STREAM;
  if (h.weights > (uint32_t)w->cols) return CK_BLOB_COLUMN;
  if (ck_is_wasteful(h.count, ck_count_parameter(w))) return CK_BLOB_CODE;
  s->nnz += h.weights;
  s->live += h.weights != 0;
  s->folded_counts += h.count.number;
  const ck_status status = check_floats(w, &h, s);
  return status == CK_OK ? check_weights(w, r, h.weights) : status;
}

/* Nothing but the zeros that fill up the last byte, and those behind it. */
static ck_status check_end(const ck_weights* w, const reader* r) {
  if (r->end - r->bit >= 8) return CK_BLOB_STREAM;
  if (r->bit % 8 && r->stream[r->bit / 8] >> r->bit % 8) return CK_BLOB_PADDING;
  const int guard = ck_is_version_3(w) ? CK_STREAM_GUARD_3 : CK_STREAM_GUARD;
  for (int i = 0; i < guard; i++)
    if (r->stream[r->end / 8 + (uint32_t)i]) return CK_BLOB_PADDING;
  return CK_OK;
}

/* What only version 3 says. A mean is rounded down; a bias off the finest step has another form. */
static ck_status check_version_3(const ck_weights* w, const sums* s) {
  if (s->folded_counts != ck_folded_counts(w)) return CK_BLOB_COUNTS;
  if (w->has_bias && s->bias_peak <= CK_BIAS_PEAK / 2) return CK_BLOB_BIAS;
  if (!w->has_scale) return CK_OK;
  const int64_t over = s->codes - (int64_t)ck_mean_code(w) * s->live;
  const int is_mean = over >= 0 && over < s->live;
  return is_mean && s->folded_codes == ck_folded_codes(w) ? CK_OK : CK_BLOB_SCALE;
}

ck_status ck_check_bits(ck_weights* w) {
  reader r = {ck_blob_stream(w), 0, 8 * ck_blob_stream_bytes(w->blob)};
  sums s = {0};
  for (int32_t row = 0; row < w->rows; row++) {
    const ck_status status = check_row(w, &r, &s);
    if (status != CK_OK) return status;
  }
  if (s.nnz != w->nnz) return CK_BLOB_NNZ;
  if (s.live != w->live_rows) return CK_BLOB_LIVE;
  const ck_status status = ck_is_version_3(w) ? check_version_3(w, &s) : CK_OK;
  return status == CK_OK ? check_end(w, &r) : status;
}
