/* B [K][M] of a node -> checked weights [M][K]. */
#include "integer_weight.h"

#include <stdlib.h>
#include <string.h>

static OrtStatus* is_matmul_integer(const OrtApi* api, const OrtNode* n, bool* out) {
  const char *type, *domain;
  OrtStatus* status = api->Node_GetOperatorType(n, &type);
  if (!status) status = api->Node_GetDomain(n, &domain);
  if (!status)
    *out = strcmp(type, "MatMulInteger") == 0 && (!*domain || strcmp(domain, "ai.onnx") == 0);
  return status;
}

OrtStatus* constant_value(const OrtApi* api, const OrtValueInfo* input, const OrtValue** out) {
  bool is_constant = false;
  *out = NULL;
  if (!input) return NULL;
  OrtStatus* status = api->ValueInfo_IsConstantInitializer(input, &is_constant);
  return status || !is_constant ? status : api->ValueInfo_GetInitializerValue(input, out);
}

/* The zero point of B: one number; 0 where the node has none. */
static OrtStatus* read_zero(const node* n, integer_weight* w, const char** refused) {
  const OrtValue* value;
  tensor t;
  if (!w->inputs[INPUT_B_ZERO]) return NULL;
  OrtStatus* status = constant_value(n->api, w->inputs[INPUT_B_ZERO], &value);
  if (status) return status;
  if (!value) return *refused = "the weight's zero point is not constant", NULL;
  status = node_value(n, value, &t);
  if (status) return status;
  if (t.type != w->b.type || t.size < 1)
    return *refused = "the weight's zero point is of another type", NULL;
  const uint8_t* bytes = t.data;
  for (int64_t i = 1; i < t.size; i++)
    if (bytes[i] != bytes[0]) return *refused = "the weight has several zero points", NULL;
  w->zero = t.type == ORT_TENSOR_INT8 ? (int8_t)bytes[0] : bytes[0];
  return NULL;
}

static int weight_at(const integer_weight* w, int64_t at) {
  const uint8_t byte = ((const uint8_t*)w->b.data)[at];
  return (w->b.type == ORT_TENSOR_INT8 ? (int8_t)byte : byte) - w->zero;
}

/* 0 where a difference does not fit -127..127. */
static int count(integer_weight* w) {
  w->nnz = 0;
  for (int64_t i = 0; i < w->b.size; i++) {
    const int weight = weight_at(w, i);
    if (weight < -127 || weight > 127) return 0;
    w->nnz += weight != 0;
  }
  return 1;
}

int8_t* transposed(const integer_weight* w) {
  enum { TILE = 64 }; /* by columns of B alone, every access would meet another cache line */
  const int64_t k = w->b.dims[0], m = w->b.dims[1];
  int8_t* out = malloc((size_t)w->b.size);
  for (int64_t from = 0; out && from < k; from += TILE)
    for (int64_t row = 0; row < m; row++)
      for (int64_t column = from; column < from + TILE && column < k; column++)
        out[row * k + column] = (int8_t)weight_at(w, column * m + row);
  return out;
}

static const char* misfit(const tensor* b) {
  if (b->type != ORT_TENSOR_INT8 && b->type != ORT_TENSOR_UINT8) return "the weight is not 8-bit";
  if (b->rank != 2) return "the weight is no matrix";
  if (b->dims[0] < 1 || b->dims[0] > CK_MAX_COLS || b->dims[1] < 1 || b->dims[1] > CK_MAX_ROWS)
    return "the weight is empty or too large";
  return NULL;
}

/* A constant A would not be an input of the fused node; that of several zero points has no product
 * of ours. */
static OrtStatus* read_a(const node* n, const integer_weight* w, const char** refused) {
  const OrtValue* value;
  tensor t;
  OrtStatus* status = constant_value(n->api, w->inputs[INPUT_A], &value);
  if (status) return status;
  if (value) return *refused = "A is constant as well", NULL;
  status = constant_value(n->api, w->inputs[INPUT_A_ZERO], &value);
  if (status || !value) return status;
  status = node_value(n, value, &t);
  if (!status && t.size != 1) *refused = "A has several zero points";
  return status;
}

static OrtStatus* read_matrix(const node* n, const OrtValue* value, integer_weight* w,
                              const char** refused) {
  OrtStatus* status = node_value(n, value, &w->b);
  if (status) return status;
  *refused = misfit(&w->b);
  if (!*refused) status = read_zero(n, w, refused);
  if (!status && !*refused && !count(w)) *refused = "a weight is further than 127 from zero";
  return status;
}

OrtStatus* read_integer_weight(const OrtApi* api, const OrtNode* graph_node, integer_weight* out,
                               bool* is_ours, const char** refused) {
  const node n = {.api = api, .op = "MatMulInteger"};
  const OrtValue* value;
  size_t inputs;
  *out = (integer_weight){.nnz = 0};
  *refused = NULL;
  OrtStatus* status = is_matmul_integer(api, graph_node, is_ours);
  if (status || !*is_ours) return status;
  status = api->Node_GetNumInputs(graph_node, &inputs);
  if (status) return status;
  if (inputs <= INPUT_B || inputs > MOST_NODE_INPUTS) return *refused = "unknown inputs", NULL;
  status = api->Node_GetInputs(graph_node, out->inputs, inputs);
  if (!status) status = constant_value(api, out->inputs[INPUT_B], &value);
  if (status) return status;
  if (!value) return *refused = "the weight is not constant", NULL;
  status = read_a(&n, out, refused);
  return status || *refused ? status : read_matrix(&n, value, out, refused);
}
