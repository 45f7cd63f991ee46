/* A partition: its nodes in execution order, one scratch memory for all of them.
 *
 * Each is owned by one interpreter, so that interpreters in other threads share nothing with it but
 * the threads of their delegate. */
#include "partition.h"

#include <stdlib.h>
#include <string.h>

#include "tensors.h"

typedef struct {
  int count;
  op* ops;
  int densified_count;
  int* densified; /* tensors that a DENSIFY would have filled, had we not taken all who read them */
  void* scratch;
} partition;

/* ---- init and free ---- */

static tfl_status check_operands(tfl_context* c, const tfl_node* node, const op* op) {
  const int wanted = op->layer ? node->inputs->size : op->kind->inputs;
  if (node->inputs->size != wanted || node->outputs->size != 1) {
    c->ReportError(c, "capexport: node %d has a wrong number of inputs or outputs", op->node);
    return TFL_ERROR;
  }
  const tfl_tensor* y = tensor_at(c, node->outputs->data[0]);
  if (tensor_at(c, node->inputs->data[0]) && y && y->allocation_type != TFL_CONSTANT &&
      (op->layer || y->type == TFL_FLOAT32))
    return TFL_OK;
  c->ReportError(c, "capexport: node %d has no such input or output", op->node);
  return TFL_ERROR;
}

static tfl_status open_op(tfl_context* c, const claim* taken, op* op) {
  tfl_node* node;
  tfl_registration* registration;
  if (c->GetNodeAndRegistration(c, taken->node, &node, &registration) != TFL_OK) return TFL_ERROR;
  op->kind = taken->kind;
  op->node = taken->node;
  op->layer = taken->weights < 0 ? NULL : &taken->layer;
  if (check_operands(c, node, op) != TFL_OK) return TFL_ERROR;
  op->x = node->inputs->data[0];
  op->y = node->outputs->data[0];
  const tfl_status status = op->kind->open(c, node, op);
  op->layer = NULL;
  return status;
}

static void partition_free(tfl_context* c, void* user_data) {
  (void)c;
  partition* p = user_data;
  if (!p) return;
  for (int i = 0; i < p->count; i++) {
    p->ops[i].kind->close(&p->ops[i]);
    free(p->ops[i].own_y);
  }
  free(p->ops);
  free(p->densified);
  free(p->scratch);
  free(p);
}

static partition* new_partition(tfl_context* c, int nodes) {
  partition* p = zeroed_memory(c, sizeof *p);
  if (!p) return NULL;
  p->ops = zeroed_memory(c, (size_t)nodes * sizeof *p->ops);
  p->densified = zeroed_memory(c, (size_t)nodes * sizeof *p->densified);
  if (p->ops && p->densified) return p;
  partition_free(c, p);
  return NULL;
}

static tfl_status add(tfl_context* c, partition* p, const delegate_state* state, int node) {
  const claim* taken = claims_find(&state->claims, node);
  if (!taken) return TFL_ERROR;
  if (!taken->kind) {
    p->densified[p->densified_count++] = taken->dense;
    return TFL_OK;
  }
  op* op = &p->ops[p->count++];
  op->kind = taken->kind;
  op->settings = &state->settings;
  if (open_op(c, taken, op) != TFL_OK) return TFL_ERROR;
  for (int i = 0; i + 1 < p->count; i++)
    if (p->ops[i].y == op->y) { /* its memory would have the size of the first */
      c->ReportError(c, "capexport: tensor %d has two writers", op->y);
      return TFL_ERROR;
    }
  return TFL_OK;
}

static void* partition_init(tfl_context* c, const char* parameters, size_t size) {
  (void)size;
  const tfl_delegate_params* given = (const void*)parameters;
  delegate_state* state = given->delegate->data;
  partition* p = new_partition(c, given->nodes->size);
  for (int i = 0; p && i < given->nodes->size; i++)
    if (add(c, p, state, given->nodes->data[i]) != TFL_OK) {
      partition_free(c, p);
      p = NULL;
    }
  if (!p) state->failed = 1;
  return p;
}

/* ---- prepare and invoke ---- */

/* The node of this partition that computes a tensor, or NULL. */
static op* writer_of(const partition* p, int tensor) {
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

/* Nobody fills or reads these: without this the runtime would keep room for the dense weights. */
static tfl_status empty_densified(tfl_context* c, const partition* p) {
  const int no_axes[1] = {0};
  for (int i = 0; i < p->densified_count; i++)
    if (give_shape(c, p->densified[i], no_axes, 0, 0) != TFL_OK) return TFL_ERROR;
  return TFL_OK;
}

static tfl_status partition_prepare(tfl_context* c, tfl_node* node) {
  partition* p = node->user_data;
  if (!p) return TFL_ERROR; /* init has said why */
  size_t scratch_size = 0;
  for (int i = 0; i < p->count; i++) {
    op* op = &p->ops[i];
    if (op->kind->prepare(c, op) != TFL_OK) return TFL_ERROR;
    if (op->scratch_size > scratch_size) scratch_size = op->scratch_size;
    if (is_output(node, op->y)) continue;
    /* Nobody outside reads it, so the runtime gives it no memory. */
    op->own_y = replace(c, op->own_y, c->tensors[op->y].bytes);
    if (!op->own_y) return TFL_ERROR;
  }
  p->scratch = replace(c, p->scratch, scratch_size);
  return p->scratch ? empty_densified(c, p) : TFL_ERROR;
}

static void* memory_of(tfl_context* c, const partition* p, int tensor) {
  const op* writer = writer_of(p, tensor);
  return writer && writer->own_y ? writer->own_y : c->tensors[tensor].data;
}

static tfl_status partition_invoke(tfl_context* c, tfl_node* node) {
  const partition* p = node->user_data;
  for (int i = 0; i < p->count; i++) {
    const op* op = &p->ops[i];
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
