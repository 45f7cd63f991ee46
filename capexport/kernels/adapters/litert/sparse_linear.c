/* CapexportSparseInt8Linear: x [..., k], weights, scale [m], bias [m] -> x W^T + bias [..., m].
 *
 * The scale may leave out rows without weights. One number stands for what is in the blob, or for no
 * bias: a scale of 1, a bias of 0.
 * Options: one byte, 1 for a relu at the end, 0 for none. */
#include <stdlib.h>

#include "blob_constant.h"
#include "op.h"
#include "product.h"
#include "tensors.h"

typedef struct {
  product product;
  int relu;
} sparse_linear;

static tfl_status open_bias(tfl_context* c, int number, product* p) {
  int is_short;
  if (p->weights.has_bias) return placeholder(c, number, 0);
  const float* bias = floats_of(c, number, p->weights.rows, 1, &is_short);
  if (!bias) return TFL_ERROR;
  p->bias = is_short ? NULL : bias;
  return is_short ? placeholder(c, number, 0) : TFL_OK;
}

static tfl_status open_options(tfl_context* c, const tfl_node* node, sparse_linear* s) {
  const uint8_t* options = node->custom_data;
  if (!options || node->custom_size != 1 || options[0] > 1) {
    c->ReportError(c, "capexport: unknown options of %s", SPARSE_LINEAR.name);
    return TFL_ERROR;
  }
  s->relu = options[0];
  return TFL_OK;
}

static tfl_status open(tfl_context* c, const tfl_node* node, op* op) {
  sparse_linear* s = op->state = zeroed_memory(c, sizeof *s);
  if (!s) return TFL_ERROR;
  product* p = &s->product;
  *p = (product){.stored_in = node->inputs->data[1], .stored = "cksb", .kernel = NOT_PACKED};
  if (blob_constant(c, p->stored_in, &p->weights) != TFL_OK) return TFL_ERROR;
  if (scale_constant(c, node->inputs->data[2], &p->weights, &p->scale, &p->scale_is_live) != TFL_OK)
    return TFL_ERROR;
  if (open_bias(c, node->inputs->data[3], p) != TFL_OK) return TFL_ERROR;
  return open_options(c, node, s);
}

static tfl_status prepare(tfl_context* c, op* op) {
  product* p = &((sparse_linear*)op->state)->product;
  const tfl_tensor* x = rows_of(c, op->x, TFL_FLOAT32, p->weights.cols);
  if (!x) return TFL_ERROR;
  const int n = (int)(elements_of(x->dims) / p->weights.cols);
  if (product_prepare(c, op, p, n) != TFL_OK) return TFL_ERROR;
  return give_shape(c, op->y, x->dims->data, x->dims->size - 1, p->weights.rows);
}

static tfl_status run(tfl_context* c, const op* op, const void* x, void* y, void* scratch) {
  const sparse_linear* s = op->state;
  const product* p = &s->product;
  if (p->n == 0) return TFL_OK; /* nor is it packed */
  const ck_status status = ck_quantize(p->packed, x, p->n, scratch);
  if (status != CK_OK) return product_refuse(c, p, status);
  product_run(op, &(multiplication){p, scratch, s->relu, NULL, y});
  return TFL_OK;
}

static void close(op* op) {
  sparse_linear* s = op->state;
  if (s) product_close(&s->product);
  free(s);
}

const op_kind SPARSE_LINEAR = {"CapexportSparseInt8Linear", 4, open, prepare, run, close};
