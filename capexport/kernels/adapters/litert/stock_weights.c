/* An int8 constant of a file -> checked weights. */
#include "stock_weights.h"

#include "tensors.h"

/* [rows, columns], or [rows, 1, 1, columns]; 0 otherwise. */
static int is_matrix(const tfl_ints* dims) {
  if (dims->size != 2 && dims->size != 4) return 0;
  for (int i = 1; i + 1 < dims->size; i++)
    if (dims->data[i] != 1) return 0;
  return 1;
}

static int counts_up(const tfl_ints* numbers, int count) {
  if (!numbers || numbers->size != count) return 0;
  for (int i = 0; i < count; i++)
    if (numbers->data[i] != i) return 0;
  return 1;
}

/* All axes dense but the last, which is compressed; nothing reordered, no blocks. */
static int is_compressed_rows(const tfl_tensor* t) {
  const tfl_sparsity* s = t->sparsity;
  const int last = t->dims->size - 1;
  if (s->count != last + 1 || !s->dimensions || !counts_up(s->traversal_order, last + 1)) return 0;
  if (s->block_map && s->block_map->size) return 0;
  for (int i = 0; i < last; i++)
    if (s->dimensions[i].format != TFL_DENSE || s->dimensions[i].size != t->dims->data[i]) return 0;
  const tfl_dimension* d = &s->dimensions[last];
  return d->format == TFL_CSR && d->segments && d->indices;
}

static const char* read_csr(const tfl_tensor* t, int rows, int columns, ck_weights* w) {
  if (!is_compressed_rows(t)) return "sparse in another way than compressed rows";
  const tfl_dimension* d = &t->sparsity->dimensions[t->dims->size - 1];
  const tfl_ints *segments = d->segments, *indices = d->indices;
  if (segments->size != rows + 1 || indices->size < 0 || t->bytes != (size_t)indices->size)
    return "the sizes of the compressed rows do not agree";
  const ck_status status = ck_weights_csr(w, segments->data, indices->data, t->data, indices->size,
                                          rows, columns);
  return status == CK_OK ? NULL : ck_status_text(status);
}

static const char* read_dense(const tfl_tensor* t, int rows, int columns, ck_weights* w) {
  if (!is_tensor_of(t, TFL_INT8)) return "the bytes of the weights do not fit their shape";
  const ck_status status = ck_weights_dense(w, t->data, rows, columns);
  return status == CK_OK ? NULL : ck_status_text(status);
}

/* Symmetric, with one scale for all rows or one for each. */
static const char* read_scale(const tfl_tensor* t, int rows, const tfl_floats** scale) {
  const tfl_affine* q = t->quantization.params;
  if (t->quantization.type != TFL_AFFINE || !q || !q->scale) return "the weights have no scale";
  if (q->scale->size != 1 && (q->scale->size != rows || q->axis != 0))
    return "the scales do not belong to the rows";
  for (int i = 0; i < q->scale->size; i++)
    if (!is_scale(q->scale->data[i])) return "a scale is not a positive number";
  for (int i = 0; q->zero_point && i < q->zero_point->size; i++)
    if (q->zero_point->data[i]) return "the weights have a zero point";
  *scale = q->scale;
  return NULL;
}

static int same_axes(const tfl_ints* a, const tfl_ints* b) {
  if (!a || !b || a->size != b->size) return 0;
  for (int i = 0; i < a->size; i++)
    if (a->data[i] != b->data[i]) return 0;
  return 1;
}

const char* stock_weights_read(const tfl_tensor* t, const tfl_tensor* read, stock_layer* layer) {
  if (t->allocation_type != TFL_CONSTANT || !t->data) return "the weights are no constant";
  if (!t->dims || !is_matrix(t->dims)) return "not a matrix or a 1x1 kernel";
  const int rows = t->dims->data[0], columns = t->dims->data[t->dims->size - 1];
  ck_weights w;
  const char* reason = (t->sparsity ? read_csr : read_dense)(t, rows, columns, &w);
  if (reason) return reason;
  layer->weights = w;
  if (read->type != TFL_INT8 || !same_axes(read->dims, t->dims))
    return "the DENSIFY gives another type or shape than it reads";
  return read_scale(read, rows, &layer->scale);
}
