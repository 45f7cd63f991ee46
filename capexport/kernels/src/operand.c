/* Rows of x, float or integer -> the 8-bit rows or columns that a kernel reads. */
#include "operand.h"

#include <float.h>
#include <string.h>

#include "quantize.h"

enum { SIGN_BIT = 0x80, UNSIGNED_OFFSET = 128 };

static int wants_columns(const ck_packed* p) {
  return ck_kernel_at(p->kernel)->operand == CK_COLUMNS;
}

ck_scratch ck_divide_scratch(const ck_packed* p, int n) {
  const size_t padded = (size_t)ck_round_up((uint64_t)n, CK_MAX_PASS);
  const int pass = wants_columns(p) && n > CK_MAX_PASS ? CK_MAX_PASS : n;
  ck_scratch s = {0};
  s.row_stride = (size_t)ck_round_up((uint64_t)p->cols, CK_ALIGNMENT) + CK_OVERREAD;
  s.zero = s.scale + padded * sizeof(float);
  s.rows = s.zero + padded * sizeof(int32_t);
  s.columns = s.rows + (size_t)pass * s.row_stride;
  s.size = s.columns;
  if (wants_columns(p)) {
    const uint64_t bytes = (uint64_t)p->cols * (uint64_t)ck_padded_batch(pass);
    s.pass_size = (size_t)ck_round_up(bytes, CK_ALIGNMENT);
    s.size += padded / CK_MAX_PASS * s.pass_size;
  }
  return s;
}

/* Fills one row; `source` is what the caller of take_rows gave. */
typedef void fill_row(const ck_packed* p, const void* source, int i, uint8_t* row, float* scale,
                      int32_t* zero);

/* Rows are filled one pass at a time; for a COLUMNS operand each pass is then turned, and the next
 * one uses the same rows again. */
static void take_rows(const ck_packed* p, const void* source, fill_row* fill, int n,
                      char* scratch) {
  const ck_scratch s = ck_divide_scratch(p, n);
  float* scale = (void*)(scratch + s.scale);
  int32_t* zero = (void*)(scratch + s.zero);
  memset(scratch, 0, s.rows);
  for (int at = 0; at < n; at += CK_MAX_PASS) {
    const int end = n - at < CK_MAX_PASS ? n : at + CK_MAX_PASS;
    uint8_t* rows = (uint8_t*)scratch + s.rows + (wants_columns(p) ? 0 : (size_t)at * s.row_stride);
    for (int i = at; i < end; i++) {
      uint8_t* row = rows + (size_t)(i - at) * s.row_stride;
      fill(p, source, i, row, &scale[i], &zero[i]);
      memset(row + p->cols, 0, s.row_stride - (size_t)p->cols);
    }
    if (wants_columns(p))
      ck_transpose(rows, s.row_stride, end - at, p->cols, (uint8_t*)scratch + ck_pass_at(p, &s, at),
                   ck_padded_batch(end - at));
  }
}

/* The range of a row that holds an infinity or a NaN is not finite: its scale is NaN, and with it
 * all of its results. */
static int finite(ck_range r) { return r.high - r.low <= FLT_MAX; }

static ck_grid grid_of(ck_range r) {
  const float levels = 255.f, span = r.high - r.low;
  const float s = levels / (span > levels * FLT_MIN ? span : levels);
  return (ck_grid){s, ck_clamp_int8((int32_t)lrintf(-128.f - r.low * s))};
}

static void quantize(const ck_packed* p, const void* source, int i, uint8_t* row, float* scale,
                     int32_t* zero) {
  const ck_kernel_entry* kernel = ck_kernel_at(p->kernel);
  const float* x = (const float*)source + (size_t)i * (size_t)p->cols;
  const ck_range range = kernel->measure(x, p->cols);
  *scale = NAN;
  *zero = 0;
  if (!finite(range)) {
    memset(row, 0, (size_t)p->cols);
    return;
  }
  const ck_grid grid = grid_of(range);
  kernel->quantize(x, p->cols, grid, kernel->offset ? SIGN_BIT : 0, row);
  *scale = 1.f / grid.steps_per_unit;
  *zero = grid.zero + kernel->offset;
}

static void copy(const ck_packed* p, const void* source, int i, uint8_t* row, float* scale,
                 int32_t* zero) {
  const ck_integers* x = source;
  const int32_t wanted = ck_kernel_at(p->kernel)->offset;
  const int32_t given = x->is_unsigned ? UNSIGNED_OFFSET : 0;
  const uint8_t flip = wanted == given ? 0 : SIGN_BIT;
  const uint8_t* from = x->x + (size_t)i * x->stride;
  for (int k = 0; k < p->cols; k++) row[k] = from[k] ^ flip;
  *scale = 1.f;
  *zero = (x->zero ? x->zero[i] : x->common_zero) + wanted - given;
}

void ck_take_floats(const ck_packed* p, const float* x, int n, char* scratch) {
  take_rows(p, x, quantize, n, scratch);
}

void ck_take_integers(const ck_packed* p, const ck_integers* x, int n, char* scratch) {
  take_rows(p, x, copy, n, scratch);
}
