/* What a packed matrix looks like in memory: a header, then 64-byte aligned sections. */
#ifndef CK_PACKED_H
#define CK_PACKED_H
#include "capexport_kernels.h"

enum {
  CK_MAGIC = 0x314b4d43,
  CK_LANES = 16,        /* rows of a group */
  CK_SLOTS = 4,         /* weights that a WELL step holds for each lane */
  CK_STEP_BYTES = 128,  /* 64 offsets u8, then 64 weights i8, both lane * 4 + slot */
  CK_CSR_MULTIPLE = 4,  /* rows of CSR are padded to this many entries */
  CK_OVERREAD = 256,    /* readable bytes behind each row of x */
  CK_MAX_PASS = 64      /* rows of x that one pass over the weights takes */
};

/* Sections are given as offsets from the header. "Lane order" is the order of the rows in the
 * groups: unchanged for CSR, and for WELL sorted by their number of entries where that gains.
 * lanes = groups * 16. */
struct ck_packed {
  uint32_t magic;
  int32_t kernel, rows, cols, groups;
  int32_t in_order; /* lane i is row i */
  int32_t gives_int8;
  uint64_t size;
  uint64_t row;    /* i32[lanes] row of each lane, -1 for padding (only in the last group) */
  uint64_t rowsum; /* i32[lanes] sum of the weights, for the zero point */
  uint64_t scale;  /* f32[lanes] */
  uint64_t bias;   /* f32[lanes]; i32[lanes] where it gives int8 */
  uint64_t start;  /* WELL: u32[groups + 1] first step; CSR: u32[lanes + 1] first entry */
  uint64_t column; /* WELL: u16[steps] first column of the window, at the first step of each window;
                      CSR: u16[entries] column */
  uint64_t weight; /* WELL: u8[steps][128] stream; CSR: i8[entries] */
};

#define CK_SECTION(type, packed, name) \
  ((const type*)(const void*)((const char*)(packed) + (packed)->name))

static inline uint64_t ck_round_up(uint64_t n, uint64_t multiple) {
  return (n + multiple - 1) / multiple * multiple;
}

static inline int ck_aligned(const void* p) { return p && (uintptr_t)p % CK_ALIGNMENT == 0; }

static inline int32_t ck_groups_of(int32_t rows) { return (rows + CK_LANES - 1) / CK_LANES; }

/* Lanes of a group that stand for a row. */
static inline int ck_rows_in_group(const ck_packed* p, int group) {
  int left = p->rows - group * CK_LANES;
  return left < CK_LANES ? left : CK_LANES;
}
#endif
