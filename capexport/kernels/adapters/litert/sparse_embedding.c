/* CapexportSparseInt8Embedding: ids int32 [n], weights, scale [m] -> rows of the weights [n, k]. */
#include <stdlib.h>

#include "blob_constant.h"
#include "op.h"
#include "tensors.h"

typedef struct {
  ck_weights weights;
  const float* scale; /* [rows of weights] */
  float* own_scale;   /* what `scale` points to if the file has less, or none */
  uint32_t* index;    /* where each row of the weights starts */
  int32_t n;          /* ids */
} sparse_embedding;

/* Lookups want a scale for every row, rows without weights too. */
static tfl_status open_scale(tfl_context* c, int number, sparse_embedding* s) {
  const ck_weights* w = &s->weights;
  int is_live;
  if (scale_constant(c, number, w, &s->scale, &is_live) != TFL_OK) return TFL_ERROR;
  if (s->scale && !is_live) return TFL_OK;
  s->own_scale = aligned_memory(c, (size_t)w->rows * sizeof *s->own_scale);
  if (!s->own_scale) return TFL_ERROR;
  ck_spread_scale(w, s->index, s->scale, s->own_scale);
  s->scale = s->own_scale;
  return TFL_OK;
}

static tfl_status open(tfl_context* c, const tfl_node* node, op* op) {
  sparse_embedding* s = op->state = zeroed_memory(c, sizeof *s);
  if (!s) return TFL_ERROR;
  if (blob_constant(c, node->inputs->data[1], &s->weights) != TFL_OK) return TFL_ERROR;
  s->index = aligned_memory(c, ((size_t)s->weights.rows + 1) * sizeof *s->index);
  if (!s->index) return TFL_ERROR;
  ck_index_rows(&s->weights, s->index);
  return open_scale(c, node->inputs->data[2], s);
}

static tfl_status prepare(tfl_context* c, op* op) {
  sparse_embedding* s = op->state;
  const tfl_tensor* ids = tensor_of(c, op->x, TFL_INT32);
  if (!ids) return TFL_ERROR;
  if (ids->dims->size != 1) {
    c->ReportError(c, "capexport: %s has %d axes instead of one", tensor_name(c, op->x),
                   ids->dims->size);
    return TFL_ERROR;
  }
  s->n = ids->dims->data[0];
  return give_shape(c, op->y, &s->n, 1, s->weights.cols);
}

static tfl_status run(tfl_context* c, const op* op, const void* x, void* y, void* scratch) {
  (void)scratch;
  const sparse_embedding* s = op->state;
  const int32_t* ids = x;
  float* to = y;
  for (int32_t i = 0; i < s->n; i++, to += s->weights.cols) {
    const int in_table = ids[i] >= 0 && ids[i] < s->weights.rows;
    const float scale = in_table ? s->scale[ids[i]] : 0.f;
    if (ck_embed_row(&s->weights, s->index, ids[i], scale, to) == CK_OK) continue;
    c->ReportError(c, "capexport: %s has the id %d, the table has %d rows", tensor_name(c, op->x),
                   ids[i], s->weights.rows);
    return TFL_ERROR;
  }
  return TFL_OK;
}

static void close(op* op) {
  sparse_embedding* s = op->state;
  if (!s) return;
  free(s->index);
  free(s->own_scale);
  free(s);
}

const op_kind SPARSE_EMBEDDING = {"CapexportSparseInt8Embedding", 3, open, prepare, run, close};
