/* Where the sections of a checked CKSB blob lie. The format is described in README.md. */
#ifndef CK_BLOB_H
#define CK_BLOB_H
#include "packed.h"

enum { CK_BLOB_HEADER = 32, CK_BLOB_ALIGNMENT = 16, CK_LONGEST_GAP = 255 };

static inline uint32_t ck_u16_at(const uint8_t* p) { return p[0] | (uint32_t)p[1] << 8; }
static inline uint32_t ck_u32_at(const uint8_t* p) { return ck_u16_at(p) | ck_u16_at(p + 2) << 16; }

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
#endif
