/* CapexportSparseInt8Embedding: ids int32 [n], weights, scale [m] -> rows of the weights [n, k]. */
#include <stdlib.h>

#include "custom_op.h"
#include "tensors.h"

/* Lookups want a scale for every row, rows without weights too. */
static tfl_status open_scale(tfl_context* c, int number, custom_op* op) {
  const ck_weights* w = &op->weights;
  int is_live;
  op->scale = floats_of(c, number, w->rows, w->live_rows, &is_live);
  if (!op->scale) return TFL_ERROR;
  if (!is_live) return TFL_OK;
  op->own_scale = aligned_memory(c, (size_t)w->rows * sizeof *op->own_scale);
  if (!op->own_scale) return TFL_ERROR;
  ck_spread_scale(w, op->index, op->scale, op->own_scale);
  op->scale = op->own_scale;
  return TFL_OK;
}

static tfl_status open(tfl_context* c, const tfl_node* node, custom_op* op) {
  if (open_weights(c, node, op) != TFL_OK) return TFL_ERROR;
  op->index = aligned_memory(c, ((size_t)op->weights.rows + 1) * sizeof *op->index);
  if (!op->index) return TFL_ERROR;
  ck_index_rows(&op->weights, op->index);
  return open_scale(c, node->inputs->data[2], op);
}

static tfl_status prepare(tfl_context* c, custom_op* op) {
  const tfl_tensor* ids = tensor_of(c, op->x, TFL_INT32);
  if (!ids) return TFL_ERROR;
  if (ids->dims->size != 1) {
    c->ReportError(c, "capexport: %s has %d axes instead of one", tensor_name(c, op->x),
                   ids->dims->size);
    return TFL_ERROR;
  }
  op->n = ids->dims->data[0];
  return shape_like(c, op->y, ids, 1, op->weights.cols);
}

static tfl_status run(tfl_context* c, const custom_op* op, const void* x, float* y, void* scratch) {
  (void)scratch;
  const int32_t* ids = x;
  for (int32_t i = 0; i < op->n; i++, y += op->weights.cols) {
    const int in_table = ids[i] >= 0 && ids[i] < op->weights.rows;
    const float scale = in_table ? op->scale[ids[i]] : 0.f;
    if (ck_embed_row(&op->weights, op->index, ids[i], scale, y) == CK_OK) continue;
    c->ReportError(c, "capexport: %s has the id %d, the table has %d rows", tensor_name(c, op->x),
                   ids[i], op->weights.rows);
    return TFL_ERROR;
  }
  return TFL_OK;
}

const custom_op_kind SPARSE_EMBEDDING = {"CapexportSparseInt8Embedding", 3, open, prepare, run};
