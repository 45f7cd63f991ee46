/* TFLite's own FULLY_CONNECTED and 1x1 CONV_2D: x [..., k] -> [..., m], float or int8.
 *
 * Floats are quantized by rows of x as XNNPACK does it, also where the stock graph would run the
 * operator on a builtin kernel, which rounds otherwise. */
#include <stdlib.h>

#include "op.h"
#include "product.h"
#include "tensors.h"

typedef struct {
  product product;
  stock_layer layer;
  float* scale; /* of each row: of the weights, or of int8 results per sum of products */
} stock_linear;

/* What the sums of a row are multiplied with; for int8 in XNNPACK's order of operations. */
static float scale_of(const stock_layer* l, int row) {
  const float scale = l->scale->data[l->scale->size == 1 ? 0 : row];
  return l->gives_int8 ? l->x_scale * scale / l->y_scale : scale;
}

static tfl_status open(tfl_context* c, const tfl_node* node, op* op) {
  (void)node;
  const stock_layer* l = op->layer;
  const ck_weights* w = &l->weights;
  stock_linear* s = op->state = zeroed_memory(c, sizeof *s);
  if (s) s->scale = aligned_memory(c, (size_t)w->rows * sizeof *s->scale);
  if (!s || !s->scale) return TFL_ERROR;
  for (int row = 0; row < w->rows; row++) s->scale[row] = scale_of(l, row);
  s->layer = *l;
  s->product = (product){.weights = *w,
                         .stored_in = l->stored_in,
                         .stored = l->stored,
                         .scale = s->scale,
                         .bias = l->bias,
                         .gives_int8 = l->gives_int8,
                         .kernel = NOT_PACKED};
  return TFL_OK;
}

static tfl_status prepare(tfl_context* c, op* op) {
  stock_linear* s = op->state;
  const int columns = s->layer.weights.cols, rows = s->layer.weights.rows;
  const int type = s->layer.gives_int8 ? TFL_INT8 : TFL_FLOAT32;
  const tfl_tensor* x = rows_of(c, op->x, type, columns);
  if (!x) return TFL_ERROR;
  const int n = (int)(elements_of(x->dims) / columns);
  if (product_prepare(c, op, &s->product, n) != TFL_OK) return TFL_ERROR;
  return s->layer.keeps_axes ? give_shape(c, op->y, x->dims->data, x->dims->size - 1, rows)
                             : give_shape(c, op->y, &n, 1, rows);
}

static tfl_status run(tfl_context* c, const op* op, const void* x, void* y, void* scratch) {
  const stock_linear* s = op->state;
  const product* p = &s->product;
  if (p->n == 0) return TFL_OK; /* nor is it packed */
  const ck_status status = p->gives_int8
                               ? ck_load_int8(p->packed, x, p->n, s->layer.x_zero, scratch)
                               : ck_quantize(p->packed, x, p->n, scratch);
  if (status != CK_OK) return product_refuse(c, p, status);
  product_run(op, &(multiplication){p, scratch, s->layer.relu, &s->layer.y_range, y});
  return TFL_OK;
}

static void close(op* op) {
  stock_linear* s = op->state;
  if (!s) return;
  product_close(&s->product);
  free(s->scale);
  free(s);
}

const op_kind FULLY_CONNECTED = {"FULLY_CONNECTED", 0, open, prepare, run, close};
const op_kind CONV_2D = {"CONV_2D", 0, open, prepare, run, close};
