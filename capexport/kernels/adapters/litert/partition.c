/* A partition: its nodes in execution order, one scratch memory for all of them.
 *
 * Each is owned by one interpreter, so that interpreters in other threads share nothing with it. */
#include "partition.h"

#include <stdlib.h>
#include <string.h>

#include "tensors.h"

typedef struct {
  int count;
  custom_op* ops;
  void* scratch;
} partition;

const custom_op_kind* kind_of(const tfl_registration* r) {
  static const custom_op_kind* const KINDS[] = {&SPARSE_LINEAR, &SPARSE_EMBEDDING};
  if (r->builtin_code != TFL_CUSTOM || !r->custom_name) return NULL;
  for (size_t i = 0; i < sizeof KINDS / sizeof *KINDS; i++)
    if (strcmp(r->custom_name, KINDS[i]->custom_code) == 0) return KINDS[i];
  return NULL;
}

/* ---- init and free ---- */

tfl_status open_weights(tfl_context* c, const tfl_node* node, custom_op* op) {
  op->blob = node->inputs->data[1];
  const void* blob = constant_of(c, op->blob, TFL_UINT8);
  if (!blob) return TFL_ERROR;
  const ck_status status = ck_weights_blob(&op->weights, blob, c->tensors[op->blob].bytes);
  if (status == CK_OK) return TFL_OK;
  c->ReportError(c, "capexport: %s: %s", tensor_name(c, op->blob), ck_status_text(status));
  return TFL_ERROR;
}

static tfl_status open_op(tfl_context* c, int node_number, custom_op* op) {
  tfl_node* node;
  tfl_registration* registration;
  if (c->GetNodeAndRegistration(c, node_number, &node, &registration) != TFL_OK) return TFL_ERROR;
  op->kind = kind_of(registration);
  if (!op->kind || node->inputs->size != op->kind->inputs || node->outputs->size != 1) {
    c->ReportError(c, "capexport: node %d has a wrong number of inputs or outputs", node_number);
    return TFL_ERROR;
  }
  op->x = node->inputs->data[0];
  op->y = node->outputs->data[0];
  if (!tensor_at(c, op->x) || !tensor_at(c, op->y) || c->tensors[op->y].type != TFL_FLOAT32) {
    c->ReportError(c, "capexport: node %d has no such input or output", node_number);
    return TFL_ERROR;
  }
  return op->kind->open(c, node, op);
}

static void partition_free(tfl_context* c, void* user_data) {
  (void)c;
  partition* p = user_data;
  if (!p) return;
  for (int i = 0; i < p->count; i++) {
    free(p->ops[i].packed);
    free(p->ops[i].index);
    free(p->ops[i].own_scale);
    free(p->ops[i].own_y);
  }
  free(p->ops);
  free(p->scratch);
  free(p);
}

static partition* new_partition(tfl_context* c, int count) {
  partition* p = calloc(1, sizeof *p);
  custom_op* ops = calloc((size_t)count, sizeof *ops);
  if (p && ops) {
    p->count = count;
    p->ops = ops;
    return p;
  }
  c->ReportError(c, "capexport: out of memory");
  free(p);
  free(ops);
  return NULL;
}

static void* partition_init(tfl_context* c, const char* parameters, size_t size) {
  (void)size;
  const tfl_delegate_params* given = (const void*)parameters;
  partition* p = new_partition(c, given->nodes->size);
  for (int i = 0; p && i < p->count; i++)
    if (open_op(c, given->nodes->data[i], &p->ops[i]) != TFL_OK) {
      partition_free(c, p);
      p = NULL;
    }
  if (!p) *(int*)given->delegate->data = 1;
  return p;
}

/* ---- prepare and invoke ---- */

/* The node of this partition that computes a tensor, or NULL. */
static custom_op* writer_of(const partition* p, int tensor) {
  for (int i = 0; i < p->count; i++)
    if (p->ops[i].y == tensor) return &p->ops[i];
  return NULL;
}

static int is_output(const tfl_node* partition_node, int tensor) {
  const tfl_ints* outputs = partition_node->outputs;
  for (int i = 0; i < outputs->size; i++)
    if (outputs->data[i] == tensor) return 1;
  return 0;
}

static void* replace(tfl_context* c, void* old, size_t size) {
  free(old);
  return aligned_memory(c, size);
}

static tfl_status partition_prepare(tfl_context* c, tfl_node* node) {
  partition* p = node->user_data;
  if (!p) return TFL_ERROR; /* init has said why */
  size_t scratch_size = 0;
  for (int i = 0; i < p->count; i++) {
    custom_op* op = &p->ops[i];
    if (op->kind->prepare(c, op) != TFL_OK) return TFL_ERROR;
    if (op->scratch_size > scratch_size) scratch_size = op->scratch_size;
    if (is_output(node, op->y)) continue;
    /* Nobody outside reads it, so the runtime gives it no memory. */
    op->own_y = replace(c, op->own_y, c->tensors[op->y].bytes);
    if (!op->own_y) return TFL_ERROR;
  }
  p->scratch = replace(c, p->scratch, scratch_size);
  return p->scratch ? TFL_OK : TFL_ERROR;
}

static void* memory_of(tfl_context* c, const partition* p, int tensor) {
  const custom_op* writer = writer_of(p, tensor);
  return writer && writer->own_y ? (void*)writer->own_y : c->tensors[tensor].data;
}

static tfl_status partition_invoke(tfl_context* c, tfl_node* node) {
  const partition* p = node->user_data;
  for (int i = 0; i < p->count; i++) {
    const custom_op* op = &p->ops[i];
    const void* x = memory_of(c, p, op->x);
    if (op->kind->run(c, op, x, memory_of(c, p, op->y), p->scratch) != TFL_OK) return TFL_ERROR;
  }
  return TFL_OK;
}

tfl_registration partition_registration(void) {
  tfl_registration r;
  memset(&r, 0, sizeof r); /* the reserved part too */
  r.init = partition_init;
  r.free = partition_free;
  r.prepare = partition_prepare;
  r.invoke = partition_invoke;
  r.builtin_code = TFL_DELEGATE;
  r.custom_name = "CapexportSparseInt8";
  r.version = 1;
  return r;
}
