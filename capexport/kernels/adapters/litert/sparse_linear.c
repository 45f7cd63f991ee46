/* CapexportSparseInt8Linear: x [..., k], weights, scale [m], bias [m] -> x W^T + bias [..., m].
 *
 * The scale may leave out rows without weights. A bias of one number, which is 0, stands for none.
 * Options: one byte, 1 for a relu at the end, 0 for none. */
#include <stdlib.h>

#include "custom_op.h"
#include "tensors.h"

enum { NOT_PACKED = -1 };

static tfl_status open_bias(tfl_context* c, int number, custom_op* op) {
  int is_short;
  op->bias = floats_of(c, number, op->weights.rows, 1, &is_short);
  if (!op->bias) return TFL_ERROR;
  if (!is_short) return TFL_OK;
  if (*op->bias != 0) {
    c->ReportError(c, "capexport: %s is one number for all rows, but not 0",
                   tensor_name(c, number));
    return TFL_ERROR;
  }
  op->bias = NULL;
  return TFL_OK;
}

static tfl_status open(tfl_context* c, const tfl_node* node, custom_op* op) {
  op->kernel = NOT_PACKED;
  if (open_weights(c, node, op) != TFL_OK) return TFL_ERROR;
  const ck_weights* w = &op->weights;
  op->scale = floats_of(c, node->inputs->data[2], w->rows, w->live_rows, &op->scale_is_live);
  if (!op->scale || open_bias(c, node->inputs->data[3], op) != TFL_OK) return TFL_ERROR;
  const uint8_t* options = node->custom_data;
  if (!options || node->custom_size != 1 || options[0] > 1) {
    c->ReportError(c, "capexport: unknown options of %s", SPARSE_LINEAR.custom_code);
    return TFL_ERROR;
  }
  op->relu = options[0];
  return TFL_OK;
}

static tfl_status refuse(tfl_context* c, const custom_op* op, ck_status status) {
  c->ReportError(c, "capexport: %s: %s", tensor_name(c, op->blob), ck_status_text(status));
  return TFL_ERROR;
}

static tfl_status pack_with(tfl_context* c, custom_op* op, int32_t kernel, void* work) {
  ck_plan plan;
  ck_status status = ck_make_plan(&op->weights, kernel, work, &plan);
  if (status != CK_OK) return refuse(c, op, status);
  free(op->packed); /* first: the two layouts need not fit into memory together */
  op->kernel = NOT_PACKED;
  op->packed = aligned_memory(c, plan.packed_size);
  if (!op->packed) return TFL_ERROR;
  status = (op->scale_is_live ? ck_pack_live : ck_pack)(&op->weights, &plan, op->scale, op->bias,
                                                        work, op->packed);
  if (status != CK_OK) return refuse(c, op, status);
  op->kernel = kernel;
  return TFL_OK;
}

/* Packs for op->n rows of x, unless what is there serves that many as well. */
static tfl_status pack(tfl_context* c, custom_op* op) {
  const ck_weights* w = &op->weights;
  const ck_request request = {ck_isa(), w->rows, w->cols, w->nnz, op->n, 1};
  const int32_t kernel = ck_choose(&request, NULL);
  if (kernel == op->kernel) return TFL_OK;
  if (kernel == CK_DECLINE) return refuse(c, op, CK_KERNEL_UNSUPPORTED);
  void* work = aligned_memory(c, ck_work_size(w));
  const tfl_status status = work ? pack_with(c, op, kernel, work) : TFL_ERROR;
  free(work);
  return status;
}

static tfl_status prepare(tfl_context* c, custom_op* op) {
  const tfl_tensor* x = tensor_of(c, op->x, TFL_FLOAT32);
  if (!x) return TFL_ERROR;
  const int last = x->dims->size - 1;
  if (last < 0 || x->dims->data[last] != op->weights.cols || elements_of(x->dims) == 0) {
    c->ReportError(c, "capexport: %s does not have rows of %d numbers", tensor_name(c, op->x),
                   op->weights.cols);
    return TFL_ERROR;
  }
  op->n = (int32_t)(elements_of(x->dims) / op->weights.cols);
  if (pack(c, op) != TFL_OK) return TFL_ERROR;
  op->scratch_size = ck_scratch_size(op->packed, op->n);
  return shape_like(c, op->y, x, last, op->weights.rows);
}

static tfl_status run(tfl_context* c, const custom_op* op, const void* x, float* y, void* scratch) {
  const ck_status status = ck_run(op->packed, x, op->n, op->relu, y, scratch);
  return status == CK_OK ? TFL_OK : refuse(c, op, status);
}

const custom_op_kind SPARSE_LINEAR = {"CapexportSparseInt8Linear", 4, open, prepare, run};
