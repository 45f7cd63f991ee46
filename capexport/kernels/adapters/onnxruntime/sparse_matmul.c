/* SparseInt8MatMul: y = x W^T * scale + bias for floats x, quantized row by row on the way. */
#include <stdlib.h>

#include "ops.h"
#include "sparse_layer.h"

/* Groups of 16 rows of the weight that one thread takes at a time: below that waking a thread
 * costs more than it brings. */
enum { GROUPS_PER_PART = 32 };

typedef struct {
  node node;
  sparse_layer* layer;
  int32_t relu;
} matmul;

static void destroy(void* kernel) {
  matmul* m = kernel;
  if (m->layer) sparse_layer_destroy(m->layer);
  free(m);
}

static OrtStatus* read_relu(matmul* m, const OrtKernelInfo* info) {
  int64_t relu;
  OrtStatus* status = m->node.api->KernelInfoGetAttribute_int64(info, "relu", &relu);
  m->relu = !status && relu != 0;
  return status;
}

/* A single 0: there is no bias, or it is in the weight. */
static OrtStatus* read_bias(matmul* m, const OrtKernelInfo* info, const ck_weights* w,
                            row_floats* bias) {
  *bias = (row_floats){NULL, 0};
  if (w->has_bias)
    return check_placeholder(&m->node, info, 3, 0, "the weight has its biases, but bias is not 0");
  OrtStatus* status =
      read_row_floats(&m->node, info, 3, w->rows, 1, "bias is not one float per row", bias);
  if (status || !bias->is_short) return status;
  bias->values = NULL;
  return check_placeholder(&m->node, info, 3, 0, "bias is one float for all rows, but not 0");
}

static OrtStatus* read_layer(matmul* m, const OrtKernelInfo* info) {
  ck_weights weights;
  row_floats scale, bias;
  OrtStatus* status = read_weight(&m->node, info, &weights, &scale);
  if (!status) status = read_bias(m, info, &weights, &bias);
  if (status) return status;
  const sparse_vectors vectors = {scale.values, scale.is_short, bias.values};
  const failure failed = sparse_layer_create(&weights, &vectors, &m->layer);
  return failed ? node_error(&m->node, ORT_FAIL, failed) : NULL;
}

static OrtStatus* create(const OrtCustomOp* op, const OrtApi* api, const OrtKernelInfo* info,
                         void** kernel) {
  matmul* m = calloc(1, sizeof *m);
  if (!m) return api->CreateStatus(ORT_FAIL, "SparseInt8MatMul: out of memory");
  node_init(&m->node, api, op->GetName(op), info);
  OrtStatus* status = read_relu(m, info);
  if (!status) status = read_layer(m, info);
  if (status)
    destroy(m);
  else
    *kernel = m;
  return status;
}

/* What the threads of one call share. */
typedef struct {
  const ck_packed* packed;
  const void* scratch;
  int32_t n, relu;
  float* y;
} product;

static void run_part(void* data, size_t part) {
  const product* p = data;
  const int32_t groups = ck_groups(p->packed), first = (int32_t)part * GROUPS_PER_PART;
  const int32_t last = groups - first < GROUPS_PER_PART ? groups : first + GROUPS_PER_PART;
  /* Cannot fail: ck_quantize has accepted the same arguments. */
  ck_run_groups(p->packed, p->scratch, p->n, first, last, p->relu, p->y);
}

/* Scratch memory is taken per call, so that threads may run one session at the same time. */
static OrtStatus* run(const matmul* m, const OrtKernelContext* context, const float* x,
                      product* p) {
  void* scratch = aligned_bytes(ck_scratch_size(p->packed, p->n));
  if (!scratch) return node_error(&m->node, ORT_FAIL, "out of memory");
  p->scratch = scratch;
  OrtStatus* status = NULL;
  const ck_status quantized = ck_quantize(p->packed, x, p->n, scratch);
  const size_t parts = ((size_t)ck_groups(p->packed) + GROUPS_PER_PART - 1) / GROUPS_PER_PART;
  if (quantized != CK_OK)
    status = node_error(&m->node, ORT_FAIL, ck_status_text(quantized));
  else
    status = m->node.api->KernelContext_ParallelFor(context, run_part, parts, 0, p);
  free(scratch);
  return status;
}

/* y is as x, with the rows of the weight as its last axis. */
static OrtStatus* make_output(const matmul* m, OrtKernelContext* context, const tensor* x,
                              tensor* y) {
  const ck_weights* w = sparse_layer_weights(m->layer);
  if (x->rank < 1 || x->dims[x->rank - 1] != w->cols)
    return node_error(&m->node, ORT_INVALID_ARGUMENT,
                      "the last axis of x is not as long as the rows of the weight");
  if (x->size / w->cols > INT32_MAX)
    return node_error(&m->node, ORT_INVALID_ARGUMENT, "x has more than 2^31 rows");
  *y = *x;
  y->dims[y->rank - 1] = w->rows;
  return node_output(&m->node, context, y);
}

static OrtStatus* compute(void* kernel, OrtKernelContext* context) {
  const matmul* m = kernel;
  tensor x, y;
  OrtStatus* status = node_input(&m->node, context, 0, &x);
  if (!status) status = make_output(m, context, &x, &y);
  if (status || x.size == 0) return status;
  product p = {.n = (int32_t)(x.size / sparse_layer_weights(m->layer)->cols), .relu = m->relu};
  p.y = y.data;
  const failure failed = sparse_layer_packed(m->layer, p.n, &p.packed);
  return failed ? node_error(&m->node, ORT_FAIL, failed) : run(m, context, x.data, &p);
}

static const char* name(const OrtCustomOp* op) { return (void)op, "SparseInt8MatMul"; }
static size_t inputs(const OrtCustomOp* op) { return (void)op, 4; }
static int input_type(const OrtCustomOp* op, size_t index) {
  return (void)op, index == 1 ? ORT_TENSOR_UINT8 : ORT_TENSOR_FLOAT;
}

const OrtCustomOp SPARSE_MATMUL = {OP_COMMON,
                                   .GetName = name,
                                   .GetInputTypeCount = inputs,
                                   .GetInputType = input_type,
                                   .CreateKernelV2 = create,
                                   .KernelComputeV2 = compute,
                                   .KernelDestroy = destroy};
