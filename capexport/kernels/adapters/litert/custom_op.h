/* A node that the delegate has taken: what it computes, and what it keeps to do so. */
#ifndef CUSTOM_OP_H
#define CUSTOM_OP_H
#include "capexport_kernels.h"
#include "tfl_abi.h"

typedef struct custom_op custom_op;

/* One operator of the file. All three functions report why they fail. */
typedef struct {
  const char* custom_code;
  int inputs; /* number of them, none omitted */

  /* Checks the constants, once. op->x and op->y are set. */
  tfl_status (*open)(tfl_context* c, const tfl_node* node, custom_op* op);

  /* Looks at the shape of x, which may have changed: sets op->n, gives y its shape. */
  tfl_status (*prepare)(tfl_context* c, custom_op* op);

  tfl_status (*run)(tfl_context* c, const custom_op* op, const void* x, float* y, void* scratch);
} custom_op_kind;

struct custom_op {
  const custom_op_kind* kind;
  int x, y;            /* numbers of the tensors that change */
  int blob;            /* number of the tensor with the weights */
  ck_weights weights;  /* refers to the bytes of the file */
  const float* scale;  /* [rows of weights], or [live rows] if scale_is_live */
  int scale_is_live;   /* linear only */
  const float* bias;   /* [rows of weights], NULL for none; linear only */
  int relu;            /* linear only */
  int32_t n;           /* rows of x, or ids */
  int32_t kernel;      /* that `packed` is for */
  ck_packed* packed;   /* linear only */
  uint32_t* index;     /* embedding only: where each row of the weights starts */
  float* own_scale;    /* embedding only: what `scale` points to if the file has less */
  size_t scratch_size; /* that `run` needs */
  float* own_y;        /* the result, where the runtime has no memory for it */
};

extern const custom_op_kind SPARSE_LINEAR, SPARSE_EMBEDDING;

/* Input 1 into op->weights. */
tfl_status open_weights(tfl_context* c, const tfl_node* node, custom_op* op);
#endif
