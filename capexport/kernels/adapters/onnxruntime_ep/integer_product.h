/* A node that was taken: its packed weight, and the product that ONNX Runtime asks for. */
#ifndef CK_INTEGER_PRODUCT_H
#define CK_INTEGER_PRODUCT_H
#include "integer_weight.h"

/* Packs the weight in the form of `kernel`; B may go afterwards. `graph_node` is the node itself,
 * `fused` the one that takes its place, with the inputs that are left of it. */
OrtStatus* create_product(const OrtApi* api, const OrtNode* graph_node, const OrtNode* fused,
                          const integer_weight* weight, int32_t kernel, OrtNodeComputeInfo** out);
void release_product(OrtNodeComputeInfo* info);
#endif
