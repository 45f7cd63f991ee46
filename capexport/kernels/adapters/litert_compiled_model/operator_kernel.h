/* The functions that a compiled model calls for the nodes of one operator name. */
#ifndef OPERATOR_KERNEL_H
#define OPERATOR_KERNEL_H
#include "model_operators.h"

/* What LiteRT hands to them. */
typedef struct {
  const model_operators* operators;
  const op_kind* kind;
} kernel_data;

extern const lrt_kernel OPERATOR_KERNEL;
#endif
