/* SparseInt8Gather: rows of a sparse int8 table by their numbers, as floats. */
#include <stdio.h>
#include <stdlib.h>

#include "model_file.h"
#include "ops.h"

typedef struct {
  node node;
  ck_weights weights;
  const float* scale; /* one per row */
  float* own_scale;   /* what `scale` points to if the model has a short one or none */
  uint32_t* index;    /* where each row of the blob starts */
} gather;

static void destroy(void* kernel) {
  gather* g = kernel;
  free(g->index);
  free(g->own_scale);
  free(g);
}

static OrtStatus* spread_scale(gather* g) {
  g->own_scale = malloc((size_t)g->weights.rows * sizeof *g->own_scale);
  if (!g->own_scale) return node_error(&g->node, ORT_FAIL, "out of memory");
  ck_spread_scale(&g->weights, g->index, g->scale, g->own_scale);
  g->scale = g->own_scale;
  return NULL;
}

static OrtStatus* read_table(gather* g, const OrtKernelInfo* info) {
  row_floats scale;
  OrtStatus* status = read_weight(&g->node, info, &g->weights, &scale);
  if (status) return status;
  g->scale = scale.values;
  g->index = malloc(((size_t)g->weights.rows + 1) * sizeof *g->index);
  if (!g->index) return node_error(&g->node, ORT_FAIL, "out of memory");
  ck_index_rows(&g->weights, g->index);
  status = scale.is_short || !scale.values ? spread_scale(g) : NULL;
  model_file_drop_pages(g->weights.blob); /* from here on only the rows that are asked for */
  return status;
}

static OrtStatus* create(const OrtCustomOp* op, const OrtApi* api, const OrtKernelInfo* info,
                         void** kernel) {
  gather* g = calloc(1, sizeof *g);
  if (!g) return api->CreateStatus(ORT_FAIL, "SparseInt8Gather: out of memory");
  node_init(&g->node, api, op->GetName(op), info);
  OrtStatus* status = read_table(g, info);
  if (status)
    destroy(g);
  else
    *kernel = g;
  return status;
}

static OrtStatus* no_such_row(const gather* g, int32_t id) {
  char what[80];
  snprintf(what, sizeof what, "there is no row %d in a table of %d", (int)id, (int)g->weights.rows);
  return node_error(&g->node, ORT_INVALID_ARGUMENT, what);
}

/* The output is as ids, with the columns of the table as a new last axis. */
static OrtStatus* make_output(const gather* g, OrtKernelContext* context, const tensor* ids,
                              tensor* rows) {
  if (ids->rank == NODE_MOST_AXES)
    return node_error(&g->node, ORT_INVALID_ARGUMENT, "the ids have more than 7 axes");
  *rows = *ids;
  rows->dims[rows->rank++] = g->weights.cols;
  return node_output(&g->node, context, rows);
}

static OrtStatus* compute(void* kernel, OrtKernelContext* context) {
  const gather* g = kernel;
  tensor ids, rows;
  OrtStatus* status = node_input(&g->node, context, 0, &ids);
  if (!status) status = make_output(g, context, &ids, &rows);
  if (status) return status;
  const int32_t* id = ids.data;
  float* row = rows.data;
  for (int64_t i = 0; i < ids.size; i++, row += g->weights.cols) {
    if (id[i] < 0 || id[i] >= g->weights.rows) return no_such_row(g, id[i]);
    ck_embed_row(&g->weights, g->index, id[i], g->scale[id[i]], row);
  }
  return NULL;
}

static const char* name(const OrtCustomOp* op) { return (void)op, "SparseInt8Gather"; }
static size_t inputs(const OrtCustomOp* op) { return (void)op, 3; }
static int input_type(const OrtCustomOp* op, size_t index) {
  static const int TYPES[] = {ORT_TENSOR_INT32, ORT_TENSOR_UINT8, ORT_TENSOR_FLOAT};
  return (void)op, TYPES[index];
}

const OrtCustomOp SPARSE_GATHER = {OP_COMMON,
                                   .GetName = name,
                                   .GetInputTypeCount = inputs,
                                   .GetInputType = input_type,
                                   .CreateKernelV2 = create,
                                   .KernelComputeV2 = compute,
                                   .KernelDestroy = destroy};
