/* One weight matrix in memory: packed for the rows of x that come, multiplied by all threads. */
#ifndef PRODUCT_H
#define PRODUCT_H
#include "capexport_kernels.h"
#include "op.h"

/* The first six are set by the operator that has it; pointers lead into the file. */
typedef struct {
  ck_weights weights;
  int stored_in;       /* number of the tensor with the weights */
  const char* stored;  /* for the report */
  const float* scale;  /* [rows of weights], or [live rows] if scale_is_live; NULL in the blob */
  int scale_is_live;
  const void* bias;    /* [rows of weights] of floats, of int32 if gives_int8; NULL for the blob's */
  int gives_int8;
  int32_t n;           /* rows of x */
  int32_t kernel;      /* that `packed` is for, NOT_PACKED at first */
  ck_packed* packed;
} product;

enum { NOT_PACKED = -1 };

/* Packs for n rows of x, unless what is there serves that many as well, as anything serves none;
 * sets op->scratch_size. */
tfl_status product_prepare(tfl_context* c, op* op, product* p, int32_t n);

/* y [n][rows], float or int8, from x in `scratch`. */
typedef struct {
  const product* product;
  void* scratch;
  int relu;                   /* of floats */
  const ck_int8_range* range; /* of int8 */
  void* y;
} multiplication;
void product_run(const op* op, multiplication* m);

/* Report of a call of the kernels that failed. */
tfl_status product_refuse(tfl_context* c, const product* p, ck_status status);

void product_close(product* p);
#endif
