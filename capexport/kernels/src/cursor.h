/* Walks over the non-zeros of one row, whatever form the weights come in. */
#ifndef CK_CURSOR_H
#define CK_CURSOR_H
#include <string.h>

#include "blob.h"

enum { CK_ROW_END = CK_MAX_COLS + 1 }; /* column of a cursor behind the last entry */

typedef struct {
  int32_t column;      /* of the entry it stands on, or CK_ROW_END */
  int8_t weight;
  const uint8_t* gap;  /* next entry of a blob, NULL when dense */
  const int8_t* value; /* next entry of a blob, or the whole dense row */
  const int8_t* end;
} ck_cursor;

/* Escapes have the value 0 and are stepped over. */
static inline void ck_cursor_next_in_blob(ck_cursor* c) {
  while (c->value < c->end) {
    c->column += *c->gap++;
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
  if (c->gap)
    ck_cursor_next_in_blob(c);
  else
    ck_cursor_next_in_dense(c);
}

/* On the first entry of a row. index as ck_index_rows fills it. */
static inline ck_cursor ck_cursor_at(const ck_weights* w, const uint32_t* index, int32_t row) {
  ck_cursor c = {0};
  if (w->blob) {
    c.gap = ck_blob_gaps(w) + index[row];
    c.value = ck_blob_values(w) + index[row];
    c.end = ck_blob_values(w) + index[row + 1];
  } else {
    c.column = -1;
    c.value = w->dense + (size_t)row * (size_t)w->cols;
    c.end = c.value + w->cols;
  }
  ck_cursor_next(&c);
  return c;
}

/* Past the last entry of every row. */
static inline ck_cursor ck_cursor_nowhere(void) { return (ck_cursor){.column = CK_ROW_END}; }
#endif
