/* The constant weight of a MatMulInteger node, as our kernels want it. */
#ifndef CK_INTEGER_WEIGHT_H
#define CK_INTEGER_WEIGHT_H
#include "../onnxruntime/node.h"
#include "capexport_kernels.h"
#include "ep_abi.h"

/* Inputs of MatMulInteger. */
enum { INPUT_A, INPUT_B, INPUT_A_ZERO, INPUT_B_ZERO, MOST_NODE_INPUTS };

typedef struct {
  const OrtValueInfo* inputs[MOST_NODE_INPUTS]; /* NULL where there is none */
  tensor b;                                     /* [K][M], of int8 or uint8 */
  int zero;                                     /* of b */
  int64_t nnz;                                  /* elements that differ from it */
} integer_weight;

/* Reads the node into `out`, if it is a MatMulInteger whose A is not constant and has one zero
 * point, whose B is constant and has one constant zero point, such that the differences fit
 * -127..127. Otherwise *refused says why; *is_ours is false
 * where the node is no MatMulInteger at all. */
OrtStatus* read_integer_weight(const OrtApi* api, const OrtNode* node, integer_weight* out,
                               bool* is_ours, const char** refused);

/* A constant input of the node; *out is NULL where it is none. */
OrtStatus* constant_value(const OrtApi* api, const OrtValueInfo* input, const OrtValue** out);

/* [M][K], B less its zero point, for free(); NULL when memory is out. */
int8_t* transposed(const integer_weight* weight);
#endif
