/* Walks over the non-zeros of one row, whatever form the weights come in. */
#ifndef CK_CURSOR_H
#define CK_CURSOR_H
#include <string.h>

#include "row_head.h"

enum { CK_ROW_END = CK_MAX_COLS + 1 }; /* column of a cursor behind the last entry */

typedef struct {
  int32_t column;        /* of the entry it stands on, or CK_ROW_END */
  int8_t weight;
  const uint8_t* stream; /* versions 2 and 3, else NULL */
  uint32_t bit, left, k; /* versions 2 and 3: next entry, entries left, their code */
  int32_t free;          /* version 3: columns, of which the last entry takes one; else 0 */
  const uint8_t* gap;    /* version 1: next entry, else NULL */
  const int32_t* stored; /* CSR: column of the next entry, else NULL */
  const int8_t* value;   /* version 1 and CSR: next entry; dense: the whole row */
  const int8_t* end;
} ck_cursor;

static inline void ck_cursor_next_in_bits(ck_cursor* c) {
  if (!c->left) {
    c->column = CK_ROW_END;
    return;
  }
  const uint64_t word = ck_bits_at(c->stream, c->bit);
  const ck_code gap = c->left == 1 && c->free
                          ? ck_bounded_in(word, (uint32_t)(c->free - c->column - 1))
                          : ck_code_in(word, c->k);
  c->column += (int32_t)gap.number + 1;
  c->weight = (int8_t)(uint8_t)(word >> gap.bits);
  c->bit += gap.bits + CK_WEIGHT_BITS;
  c->left--;
}

/* Escapes have the value 0 and are stepped over. */
static inline void ck_cursor_next_in_bytes(ck_cursor* c) {
  while (c->value < c->end) {
    c->column += *c->gap++;
    c->weight = *c->value++;
    if (c->weight) return;
  }
  c->column = CK_ROW_END;
}

static inline void ck_cursor_next_in_csr(ck_cursor* c) {
  while (c->value < c->end) {
    c->column = *c->stored++;
    c->weight = *c->value++;
    if (c->weight) return;
  }
  c->column = CK_ROW_END;
}

static inline void ck_cursor_next_in_dense(ck_cursor* c) {
  const int8_t* at = c->value + c->column + 1;
  uint64_t eight = 0;
  while (c->end - at >= 8) { /* zeros come in long runs */
    memcpy(&eight, at, 8);
    if (eight) break;
    at += 8;
  }
  while (at < c->end && !*at) at++;
  c->column = at < c->end ? (int32_t)(at - c->value) : CK_ROW_END;
  c->weight = at < c->end ? *at : 0;
}

static inline void ck_cursor_next(ck_cursor* c) {
  if (c->stream)
    ck_cursor_next_in_bits(c);
  else if (c->gap)
    ck_cursor_next_in_bytes(c);
  else if (c->stored)
    ck_cursor_next_in_csr(c);
  else
    ck_cursor_next_in_dense(c);
}

/* On the first entry of a row. start: its place as ck_index_rows gives it. */
static inline ck_cursor ck_cursor_at(const ck_weights* w, uint32_t start, int32_t row) {
  ck_cursor c = {.column = -1};
  if (w->start) {
    c.stored = w->column + w->start[row];
    c.value = w->value + w->start[row];
    c.end = w->value + w->start[row + 1];
  } else if (w->dense) {
    c.value = w->dense + (size_t)row * (size_t)w->cols;
    c.end = c.value + w->cols;
  } else if (ck_blob_version(w->blob) == 1) {
    c.column = 0; /* gaps of version 1 lead from entry to entry, the first from column 0 */
    c.gap = ck_blob_gaps(w) + start;
    c.value = ck_blob_values(w) + start;
    c.end = c.value + ck_u16_at(ck_blob_counts(w) + 2 * (size_t)row);
  } else {
    const ck_row_head head = ck_row_head_at(w, start);
    c.stream = ck_blob_stream(w);
    c.bit = head.end;
    c.left = head.weights;
    c.k = ck_gap_parameter(w, head.weights);
    c.free = ck_is_version_3(w) ? w->cols : 0;
  }
  ck_cursor_next(&c);
  return c;
}

/* Where the next row starts, for a cursor that has passed the last entry of its row. */
static inline uint32_t ck_cursor_place(const ck_weights* w, const ck_cursor* c) {
  if (!w->blob) return 0;
  return c->stream ? c->bit : (uint32_t)(c->value - ck_blob_values(w));
}

/* Past the last entry of every row. */
static inline ck_cursor ck_cursor_nowhere(void) { return (ck_cursor){.column = CK_ROW_END}; }
#endif
