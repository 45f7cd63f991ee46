/* x as a kernel wants it, in the caller's scratch memory. */
#ifndef CK_OPERAND_H
#define CK_OPERAND_H
#include "kernel.h"

/* Offsets into scratch; everything is 64-byte aligned. */
typedef struct {
  size_t scale;      /* f32[n, padded to 64] */
  size_t zero;       /* i32[n, padded to 64] zero point of x as stored */
  size_t rows;       /* u8/i8[n][row_stride]; for a COLUMNS operand only one pass of it */
  size_t columns;    /* u8/i8[passes][pass_size]: [cols][padded batch] */
  size_t size;
  size_t row_stride;
  size_t pass_size;
} ck_scratch;

ck_scratch ck_divide_scratch(const ck_packed* p, int n);

/* Where the operand of the pass that starts with row `at` of x lies. */
static inline size_t ck_pass_at(const ck_packed* p, const ck_scratch* s, int at) {
  return ck_kernel_at(p->kernel)->operand == CK_COLUMNS
             ? s->columns + (size_t)(at / CK_MAX_PASS) * s->pass_size
             : s->rows + (size_t)at * s->row_stride;
}

/* 8-bit rows that come from outside. */
typedef struct {
  const uint8_t* x;
  size_t stride;
  int is_unsigned;
  const int32_t* zero; /* NULL: the next one for all rows */
  int32_t common_zero;
} ck_integers;

/* Fill scratch from float[n][cols], or from integers. */
void ck_take_floats(const ck_packed* p, const float* x, int n, char* scratch);
void ck_take_integers(const ck_packed* p, const ck_integers* x, int n, char* scratch);

/* to[k][i] = x[i][k] for i < n, 0 for n <= i < batch; reads 7 columns past `cols`. */
void ck_transpose(const uint8_t* x, size_t stride, int n, int cols, uint8_t* to, int batch);
#endif
