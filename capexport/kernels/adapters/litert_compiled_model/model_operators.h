/* The packed operators of a model file, each with what the delegate's code needs to run it.
 *
 * That code knows its runtime by a tfl_context alone. Here every operator gets a context of its own,
 * with the tensors of one node, so that both doors into LiteRT run the same operators. */
#ifndef MODEL_OPERATORS_H
#define MODEL_OPERATORS_H
#include "../litert/op.h"
#include "failure.h"
#include "litert_abi.h"

enum { MOST_INPUTS = 4 };

typedef struct {
  tfl_context context; /* first: what ReportError and ResizeTensor are given */
  failure* why;
  tfl_tensor tensors[MOST_INPUTS + 1]; /* inputs, then the output */
  op op;
  int32_t rows, cols; /* of its weights */
  int has_relu;
  void* scratch; /* NULL: not ready for any x */
} model_operator;

typedef struct {
  const lrt_library* library;
  const settings* settings;
  failure* why;
  size_t count;
  model_operator** items;
} model_operators;

/* Takes every custom operator out of the subgraph and checks its constants, which stay where the
 * model has them. Fails for a custom operator that is not ours. */
lrt_status read_operators(const lrt_library* library, lrt_handle subgraph, const settings* settings,
                          failure* why, model_operators* operators);
void free_operators(model_operators* operators);

/* The operator whose node has inputs of these shapes; where it is one of several, their outputs have
 * the same shape. NULL after a failure. */
model_operator* operator_of_shapes(const model_operators* operators, const op_kind* kind,
                                   size_t inputs, const lrt_layout* input);

/* The operator with these constants; data[0], x, is not looked at. NULL after a failure. */
model_operator* operator_of_constants(const model_operators* operators, const op_kind* kind,
                                      size_t inputs, void* const* data);

/* Makes it ready for x of this shape: weights are packed where that needs another form. */
lrt_status prepare_operator(model_operator* operator, const lrt_layout* x);
#endif
