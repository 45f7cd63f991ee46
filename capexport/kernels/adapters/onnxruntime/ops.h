/* The operators of the domain "capexport", version 1. The README of this folder describes them. */
#ifndef CK_ORT_OPS_H
#define CK_ORT_OPS_H
#include "capexport_kernels.h"
#include "node.h"

extern const OrtCustomOp SPARSE_MATMUL, SPARSE_GATHER;

/* Both operators as a domain, for the caller to release behind the last session that has it. */
OrtStatus* create_sparse_domain(const OrtApi* api, OrtCustomOpDomain** out);

/* A constant input with a float per row of the weight, or a shorter form of it. */
typedef struct {
  const float* values;
  int is_short;
} row_floats;

/* Constant inputs 1 and 2, which both operators have: the checked weight, and its scale. A short
 * scale leaves out the rows without weights; one that is in the blob has no values. */
OrtStatus* read_weight(const node* n, const OrtKernelInfo* info, ck_weights* weights,
                       row_floats* scale);

/* A constant input with `rows` floats, or `other` if it is short; `misfit` is the error if it has
 * neither. */
OrtStatus* read_row_floats(const node* n, const OrtKernelInfo* info, size_t index, int32_t rows,
                           int32_t other, const char* misfit, row_floats* out);

/* A constant input of one number, `value`, that stands for what is not there. */
OrtStatus* check_placeholder(const node* n, const OrtKernelInfo* info, size_t index, float value,
                             const char* misfit);

/* The answers that are the same for both. */
const char* on_cpu(const OrtCustomOp* op);
size_t one_output(const OrtCustomOp* op);
int float_output(const OrtCustomOp* op, size_t index);
int required(const OrtCustomOp* op, size_t index);
int default_memory(const OrtCustomOp* op, size_t index);
int not_variadic(const OrtCustomOp* op);

#define OP_COMMON                                                                      \
  .version = ORT_CUSTOM_OP_LEVEL, .GetExecutionProviderType = on_cpu,                  \
  .GetOutputTypeCount = one_output, .GetOutputType = float_output,                     \
  .GetInputCharacteristic = required, .GetOutputCharacteristic = required,             \
  .GetInputMemoryType = default_memory, .GetVariadicInputMinArity = not_variadic,      \
  .GetVariadicInputHomogeneity = not_variadic, .GetVariadicOutputMinArity = not_variadic, \
  .GetVariadicOutputHomogeneity = not_variadic
#endif
