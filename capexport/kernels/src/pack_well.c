/* WELL: rows of like length share a group; a group is a list of steps, each of which gathers up to
 * four weights of every row from one window of columns. See README.md for the layout. */
#include "pack.h"

enum {
  STEPS_PER_SCATTER = 2, /* what scattering a group costs more than storing it, per row of x */
  LONG_ROWS = 128        /* mean non-zeros, above which that is nothing beside the product */
};

/* One stable pass of a radix sort by a byte of the key. */
static void sort_by_byte(const ck_work* work, const int32_t* from, int32_t* to, int32_t rows,
                         int shift) {
  int32_t place[257] = {0};
  for (int32_t i = 0; i < rows; i++) place[255 - (work->nnz[i] >> shift & 255) + 1]++;
  for (int byte = 0; byte < 256; byte++) place[byte + 1] += place[byte];
  for (int32_t i = 0; i < rows; i++)
    to[place[255 - (work->nnz[from[i]] >> shift & 255)]++] = from[i];
}

/* By the number of non-zeros, most first, equal ones by row. */
static void sort_by_nnz(const ck_weights* w, const ck_work* work) {
  sort_by_byte(work, work->order, work->spare, w->rows, 0);
  sort_by_byte(work, work->spare, work->order, w->rows, 8);
}

static int32_t first_column(const ck_cursor lane[CK_LANES]) {
  int32_t first = CK_ROW_END;
  for (int i = 0; i < CK_LANES; i++) first = lane[i].column < first ? lane[i].column : first;
  return first;
}

/* Moves entries of a row that lie before column `end` into its slots of `steps` steps, those of the
 * first step first. Returns how many. */
static int fill_slots(ck_cursor* c, int32_t first, int32_t end, int32_t steps, uint8_t* slots) {
  int filled = 0;
  for (; filled < steps * CK_SLOTS && c->column < end; filled++) {
    if (slots) {
      uint8_t* slot = slots + filled / CK_SLOTS * CK_STEP_BYTES + filled % CK_SLOTS;
      slot[0] = (uint8_t)(c->column - first);
      slot[CK_STEP_BYTES / 2] = (uint8_t)c->weight;
    }
    ck_cursor_next(c);
  }
  return filled;
}

/* Greedy: a window starts at the smallest column not stored yet, or a little before if the kernel
 * wants it aligned. A row with more entries in it than the steps of one window hold goes on in the
 * next, which overlaps. Only the group's last window may have fewer steps than the kernel shares it
 * among. Returns the number of steps; `column` and `stream` may be NULL to only count them. */
static int64_t pack_group(const ck_weights* w, const ck_work* work, int32_t group,
                          const ck_kernel_entry* kernel, uint16_t* column, uint8_t* stream) {
  const int32_t window = kernel->info.window, steps = kernel->steps;
  ck_cursor lane[CK_LANES];
  for (int32_t i = 0, at = group * CK_LANES; i < CK_LANES; i++, at++) {
    const int32_t row = at < w->rows ? work->order[at] : -1;
    lane[i] = row < 0 ? ck_cursor_nowhere() : ck_cursor_at(w, work->index[row], row);
  }
  int64_t step = 0;
  int most = steps * CK_SLOTS; /* filled slots of a row in the last window */
  for (int32_t first; (first = first_column(lane)) != CK_ROW_END; step += steps) {
    first -= first % kernel->align;
    const int32_t end = first + window < CK_ROW_END ? first + window : CK_ROW_END;
    if (column) column[step] = (uint16_t)first;
    most = 0;
    for (int i = 0; i < CK_LANES; i++) {
      uint8_t* slots = stream ? stream + step * CK_STEP_BYTES + i * CK_SLOTS : NULL;
      const int filled = fill_slots(&lane[i], first, end, steps, slots);
      most = filled > most ? filled : most;
    }
  }
  return step - (steps - (most + CK_SLOTS - 1) / CK_SLOTS);
}

static int64_t count_steps(const ck_weights* w, const ck_work* work,
                           const ck_kernel_entry* kernel) {
  int64_t steps = 0;
  for (int32_t group = 0; group < ck_groups_of(w->rows); group++)
    steps += pack_group(w, work, group, kernel, NULL, NULL);
  return steps;
}

/* Rows of like length waste fewer slots, but their results leave one by one where those of rows in
 * order leave by whole registers. */
int64_t ck_order_well(const ck_weights* w, ck_work* work, const ck_kernel_entry* kernel) {
  const int64_t allowed = STEPS_PER_SCATTER * (int64_t)ck_groups_of(w->rows);
  const int64_t in_order =
      w->nnz > LONG_ROWS * (int64_t)w->rows ? INT64_MAX : count_steps(w, work, kernel);
  sort_by_nnz(w, work);
  const int64_t sorted = count_steps(w, work, kernel);
  if (in_order - allowed > sorted) return sorted;
  for (int32_t row = 0; row < w->rows; row++) work->order[row] = row;
  return in_order;
}

void ck_pack_well(const ck_weights* w, const ck_work* work, ck_packed* p) {
  const ck_kernel_entry* kernel = ck_kernel_at(p->kernel);
  uint32_t* start = CK_SECTION_OUT(uint32_t, p, start);
  uint16_t* column = CK_SECTION_OUT(uint16_t, p, column);
  uint8_t* stream = CK_SECTION_OUT(uint8_t, p, weight);
  memset(column, 0, p->size - p->column);
  start[0] = 0;
  for (int32_t group = 0; group < p->groups; group++) {
    const size_t at = start[group];
    start[group + 1] = (uint32_t)at + (uint32_t)pack_group(w, work, group, kernel, column + at,
                                                           stream + at * CK_STEP_BYTES);
  }
}
