/* What a kernel is made of: its description and the functions that run it. */
#ifndef CK_KERNEL_H
#define CK_KERNEL_H
#include "packed.h"

/* Sums of products for the groups first..last-1, int32, raw: x as stored, no zero point.
 *   operand ROWS:     x is u8/i8[n][stride], tile[last - first][n][16 lanes]
 *   operand COLUMNS:  x is u8/i8[cols][n], n padded, stride = n, tile[last - first][16 lanes][n] */
typedef void ck_product(const ck_packed* p, const void* x, size_t stride, int n, int first,
                        int last, int32_t* tile);

/* Low and high of a row of floats and 0; both NaN when the row holds a NaN. */
typedef struct {
  float low, high;
} ck_range;
typedef ck_range ck_measure_row(const float* x, int cols);

/* How a row is quantized: q = round(x * steps_per_unit) + zero. */
typedef struct {
  float steps_per_unit;
  int32_t zero;
} ck_grid;

/* A row of finite floats -> u8/i8[cols], `flip` xored onto each. */
typedef void ck_quantize_row(const float* x, int cols, ck_grid grid, uint8_t flip, uint8_t* q);

/* Where the sums of a tile go: n rows of x, their scales and zero points, y[n][p->rows] of float
 * (of int32 for ck_finish_integer, of int8 in `range` for finish_int8). */
typedef struct {
  const int32_t* tile;
  int first, last, n, stride; /* stride: padded batch of a COLUMNS tile */
  const float* scale;
  const int32_t* zero;
  int relu;
  const ck_int8_range* range;
  void* y;
} ck_outcome;
typedef void ck_finish(const ck_packed* p, const ck_outcome* outcome);

typedef enum { CK_ROWS, CK_COLUMNS } ck_operand;

typedef struct {
  ck_kernel_info info;
  int32_t align, steps;
  ck_operand operand;
  int32_t offset;
  ck_product* product;
  ck_measure_row* measure;
  ck_quantize_row* quantize;
  ck_finish* finish;
  ck_finish* finish_int8; /* both kinds of tile */
} ck_kernel_entry;

/* Numbers of the kernels. */
enum {
#define CK_KERNEL(name, isa, layout, window, align, steps, operand, offset, around) \
  CK_KERNEL_##name,
#include "../kernels.inc"
  CK_KERNEL_COUNT
};

#define CK_KERNEL(name, isa, layout, window, align, steps, operand, offset, around) \
  ck_product ck_product_##name;
#include "../kernels.inc"

#define CK_AROUND(name)                     \
  ck_measure_row ck_measure_row_##name;     \
  ck_quantize_row ck_quantize_row_##name;   \
  ck_finish ck_finish_ROWS_##name;          \
  ck_finish ck_finish_COLUMNS_##name;       \
  ck_finish ck_finish_int8_##name;
CK_AROUND(portable)
CK_AROUND(avx2)
CK_AROUND(neon)
#undef CK_AROUND
ck_finish ck_finish_integer; /* both kinds of tile, no scale, no bias */

const ck_kernel_entry* ck_kernel_at(int32_t kernel);

/* Batch of a COLUMNS operand: 8, 16, 32, 48 or 64 for n <= CK_MAX_PASS. */
static inline int ck_padded_batch(int n) { return n <= 8 ? 8 : (int)ck_round_up((uint64_t)n, 16); }
#endif
