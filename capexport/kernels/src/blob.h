/* Where the sections of a checked CKSB blob lie. The format is described in README.md. */
#ifndef CK_BLOB_H
#define CK_BLOB_H
#include "bits.h"

enum {
  CK_BLOB_HEADER = 32,
  CK_BLOB_HEADER_3 = 40,  /* of version 3 */
  CK_HAS_SCALE = 1,       /* flags of version 3 */
  CK_HAS_BIAS = 2,
  CK_BLOB_ALIGNMENT = 16, /* of the sections of version 1 */
  CK_LONGEST_GAP = 255    /* of version 1 */
};

static inline uint32_t ck_blob_version(const uint8_t* blob) { return ck_u16_at(blob + 4); }

/* The second half of ck_weights_blob, for each version: `w` has what the header says. Sets what
 * it does not say. */
ck_status ck_check_bytes(ck_weights* w);
ck_status ck_check_bits(ck_weights* w);

/* ---- version 1: bytes ---- */

/* u16[rows], little-endian: entries of each row. */
static inline const uint8_t* ck_blob_counts(const ck_weights* w) {
  return w->blob + CK_BLOB_HEADER;
}

static inline const uint8_t* ck_blob_gaps(const ck_weights* w) {
  return ck_blob_counts(w) + ck_round_up(2 * (uint64_t)w->rows, CK_BLOB_ALIGNMENT);
}

static inline const int8_t* ck_blob_values(const ck_weights* w) {
  return (const int8_t*)ck_blob_gaps(w) + ck_round_up((uint64_t)w->entries, CK_BLOB_ALIGNMENT);
}

/* ---- versions 2 and 3: a stream of bits ---- */

static inline int ck_is_version_3(const ck_weights* w) { return ck_blob_version(w->blob) == 3; }

static inline const uint8_t* ck_blob_stream(const ck_weights* w) {
  return w->blob + (ck_is_version_3(w) ? CK_BLOB_HEADER_3 : CK_BLOB_HEADER);
}

static inline uint32_t ck_blob_stream_bytes(const uint8_t* blob) { return ck_u32_at(blob + 16); }

/* Sum of the numbers that the rows' numbers of weights are written as; mean of the latter. */
static inline uint32_t ck_folded_counts(const ck_weights* w) { return ck_u32_at(w->blob + 28); }
static inline uint32_t ck_mean_count(const ck_weights* w) {
  return (uint32_t)w->nnz / (uint32_t)w->rows;
}

/* The same of the codes of the scales. */
static inline uint32_t ck_folded_codes(const ck_weights* w) { return ck_u32_at(w->blob + 32); }
static inline int32_t ck_mean_code(const ck_weights* w) {
  return (int16_t)(uint16_t)ck_u16_at(w->blob + 36);
}

/* Of the step of the biases. */
static inline int32_t ck_bias_exponent(const ck_weights* w) {
  return (int16_t)(uint16_t)ck_u16_at(w->blob + 38);
}

/* k of the codes of the rows' numbers of weights. */
static inline uint32_t ck_count_parameter(const ck_weights* w) {
  const uint32_t sum = ck_is_version_3(w) ? ck_folded_counts(w) : (uint32_t)w->nnz;
  return ck_rice_parameter(sum, (uint32_t)w->rows);
}

/* k of the codes of the scales. */
static inline uint32_t ck_scale_parameter(const ck_weights* w) {
  return ck_rice_parameter(ck_folded_codes(w), (uint32_t)w->live_rows);
}

/* k of the codes of a row: its zeros lie in count + 1 gaps. */
static inline uint32_t ck_gap_parameter(const ck_weights* w, uint32_t count) {
  return ck_rice_parameter((uint32_t)w->cols - count, count + 1);
}
#endif
