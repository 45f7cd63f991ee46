/* y = (a - a_zero) (B - b_zero), exact integers, as MatMulInteger gives them. */
#define _POSIX_C_SOURCE 200809L /* posix_memalign */
#include "integer_product.h"

#include <stdlib.h>
#include <string.h>

#include "../onnxruntime/sparse_layer.h"

enum { NO_INPUT = -1 };

typedef struct {
  OrtNodeComputeInfo info; /* first: what ONNX Runtime has of it */
  node node;
  ck_packed* packed;
  int32_t rows, cols;
  int a, a_zero;         /* places among the inputs of the fused node, or NO_INPUT */
  int32_t constant_zero; /* of a, where its zero point is no input */
} product;

/* ---- one call ---- */

static int32_t zero_of(const tensor* t) {
  return t->type == ORT_TENSOR_INT8 ? *(const int8_t*)t->data : *(const uint8_t*)t->data;
}

static OrtStatus* read_a(const product* p, const OrtKernelContext* context, tensor* a,
                         int32_t* zero) {
  OrtStatus* status = node_input(&p->node, context, (size_t)p->a, a);
  if (status) return status;
  if (a->rank < 1 || a->dims[a->rank - 1] != p->cols || a->size / p->cols > INT32_MAX)
    return node_error(&p->node, ORT_INVALID_ARGUMENT, "A does not fit the weight");
  if (a->type != ORT_TENSOR_INT8 && a->type != ORT_TENSOR_UINT8)
    return node_error(&p->node, ORT_INVALID_ARGUMENT, "A is not 8-bit");
  *zero = p->constant_zero;
  if (p->a_zero == NO_INPUT) return NULL;
  tensor t;
  status = node_input(&p->node, context, (size_t)p->a_zero, &t);
  if (status) return status;
  if (t.size != 1 || t.type != a->type)
    return node_error(&p->node, ORT_INVALID_ARGUMENT, "the zero point of A is not one number");
  *zero = zero_of(&t);
  return NULL;
}

/* Scratch memory is taken per call, so that threads may run one session at the same time. */
static OrtStatus* multiply(const product* p, const tensor* a, int32_t zero, int32_t* y) {
  const int32_t n = (int32_t)(a->size / p->cols);
  void* scratch = aligned_bytes(ck_scratch_size(p->packed, n));
  int32_t* zeros = malloc((size_t)n * sizeof *zeros);
  ck_status status = CK_ARGUMENT;
  if (scratch && zeros) {
    for (int32_t i = 0; i < n; i++) zeros[i] = zero;
    status = ck_run_integer(p->packed, a->data, (size_t)p->cols, a->type == ORT_TENSOR_UINT8, zeros,
                            n, y, scratch);
  }
  const int out_of_memory = !scratch || !zeros;
  free(scratch);
  free(zeros);
  if (out_of_memory) return node_error(&p->node, ORT_FAIL, "out of memory");
  return status == CK_OK ? NULL : node_error(&p->node, ORT_FAIL, ck_status_text(status));
}

static OrtStatus* compute(OrtNodeComputeInfo* info, void* state, OrtKernelContext* context) {
  (void)state;
  const product* p = (const product*)info;
  tensor a, y;
  int32_t zero = 0;
  OrtStatus* status = read_a(p, context, &a, &zero);
  if (status) return status;
  y = a;
  y.dims[y.rank - 1] = p->rows;
  status = node_output(&p->node, context, &y);
  return status || a.size == 0 ? status : multiply(p, &a, zero, y.data);
}

static OrtStatus* create_state(OrtNodeComputeInfo* info, OrtNodeComputeContext* context,
                               void** state) {
  return (void)context, *state = info, NULL;
}

static void release_state(OrtNodeComputeInfo* info, void* state) { (void)info, (void)state; }

/* ---- the node ---- */

/* Where the fused node has an input of that name. */
static OrtStatus* place_of(const OrtApi* api, const OrtValueInfo* input, const OrtNode* fused,
                           int* place) {
  const OrtValueInfo* inputs[MOST_NODE_INPUTS];
  const char *wanted, *name;
  size_t count;
  *place = NO_INPUT;
  OrtStatus* status = api->GetValueInfoName(input, &wanted);
  if (!status) status = api->Node_GetNumInputs(fused, &count);
  if (status) return status;
  if (count > MOST_NODE_INPUTS) return api->CreateStatus(ORT_FAIL, "capexport: too many inputs");
  status = api->Node_GetInputs(fused, inputs, count);
  for (size_t i = 0; i < count && !status && *place == NO_INPUT; i++) {
    status = api->GetValueInfoName(inputs[i], &name);
    if (!status && strcmp(name, wanted) == 0) *place = (int)i;
  }
  return status;
}

/* A constant zero point is no input of the fused node: it may be freed with the weight. */
static OrtStatus* read_a_zero(product* p, const OrtValueInfo* input, const OrtNode* fused) {
  const OrtValue* value;
  tensor t;
  p->a_zero = NO_INPUT;
  if (!input) return NULL;
  OrtStatus* status = constant_value(p->node.api, input, &value);
  if (status) return status;
  if (!value) {
    status = place_of(p->node.api, input, fused, &p->a_zero);
    if (status || p->a_zero != NO_INPUT) return status;
    return node_error(&p->node, ORT_FAIL, "the zero point of A has gone");
  }
  status = node_value(&p->node, value, &t);
  if (status) return status;
  if (t.size != 1) return node_error(&p->node, ORT_FAIL, "A has several zero points");
  p->constant_zero = zero_of(&t);
  return NULL;
}

static const char* pack_with(product* p, const ck_weights* weights, int32_t kernel, void* work) {
  ck_plan plan;
  ck_status status = ck_make_plan(weights, kernel, work, &plan);
  if (status != CK_OK) return ck_status_text(status);
  p->packed = aligned_bytes((size_t)plan.packed_size);
  if (!p->packed) return "out of memory";
  status = ck_pack(weights, &plan, NULL, NULL, work, p->packed);
  return status == CK_OK ? NULL : ck_status_text(status);
}

static const char* pack(product* p, const integer_weight* weight, int32_t kernel) {
  ck_weights weights;
  int8_t* dense = transposed(weight);
  if (!dense) return "out of memory";
  const char* failed = NULL;
  void* work = NULL;
  const ck_status status = ck_weights_dense(&weights, dense, p->rows, p->cols);
  if (status != CK_OK)
    failed = ck_status_text(status);
  else if (!(work = aligned_bytes(ck_work_size(&weights))))
    failed = "out of memory";
  else
    failed = pack_with(p, &weights, kernel, work);
  free(work);
  free(dense);
  return failed;
}

static OrtStatus* fill(product* p, const integer_weight* weight, const OrtNode* graph_node,
                       const OrtNode* fused, int32_t kernel) {
  const OrtApi* api = p->node.api;
  const char* name;
  OrtStatus* status = api->Node_GetName(graph_node, &name);
  if (status) return status;
  strncpy(p->node.name, name, sizeof p->node.name - 1);
  status = place_of(api, weight->inputs[INPUT_A], fused, &p->a);
  if (!status) status = read_a_zero(p, weight->inputs[INPUT_A_ZERO], fused);
  if (status) return status;
  if (p->a == NO_INPUT) return node_error(&p->node, ORT_FAIL, "A has gone");
  const char* failed = pack(p, weight, kernel);
  return failed ? node_error(&p->node, ORT_FAIL, failed) : NULL;
}

OrtStatus* create_product(const OrtApi* api, const OrtNode* graph_node, const OrtNode* fused,
                          const integer_weight* weight, int32_t kernel, OrtNodeComputeInfo** out) {
  product* p = calloc(1, sizeof *p);
  if (!p) return api->CreateStatus(ORT_FAIL, "capexport: out of memory");
  p->info = (OrtNodeComputeInfo){EP_API_LEVEL, create_state, compute, release_state};
  p->node.api = api;
  p->node.op = "MatMulInteger";
  p->rows = (int32_t)weight->b.dims[1];
  p->cols = (int32_t)weight->b.dims[0];
  OrtStatus* status = fill(p, weight, graph_node, fused, kernel);
  if (status)
    release_product(&p->info);
  else
    *out = &p->info;
  return status;
}

void release_product(OrtNodeComputeInfo* info) {
  if (!info) return;
  product* p = (product*)info;
  free(p->packed);
  free(p);
}
