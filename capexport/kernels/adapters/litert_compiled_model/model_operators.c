/* LiteRT's view of a model -> operators that are checked, found again, and made ready. */
#include "model_operators.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../litert/claims.h"
#include "../litert/tensors.h"
#include "litert_library.h"

/* ---- the runtime that the delegate's code is shown ---- */

static void keep_reason(tfl_context* c, const char* format, ...) {
  model_operator* operator = (model_operator*)c;
  if (operator->why->text[0]) return;
  va_list values;
  va_start(values, format);
  vsnprintf(operator->why->text, sizeof operator->why->text, format, values);
  va_end(values);
}

static tfl_status resize(tfl_context* c, tfl_tensor* tensor, tfl_ints* dims) {
  (void)c;
  free(tensor->dims);
  tensor->dims = dims;
  tensor->bytes = (size_t)elements_of(dims) * sizeof(float);
  return TFL_OK;
}

/* ---- reading ---- */

static tfl_ints* copied_axes(const lrt_layout* layout) {
  tfl_ints* dims = malloc(sizeof *dims + LRT_MOST_AXES * sizeof(int));
  if (!dims) return NULL;
  dims->size = (int)layout->rank;
  memcpy(dims->data, layout->dims, LRT_MOST_AXES * sizeof(int));
  return dims;
}

static lrt_status read_tensor(const lrt_library* l, lrt_handle handle, failure* why,
                              tfl_tensor* out) {
  lrt_tensor_type type;
  lrt_handle weights;
  const void* data = NULL;
  if (checked(l->GetTensorName(handle, &out->name), "GetTensorName", why) ||
      checked(l->GetRankedTensorType(handle, &type), "GetRankedTensorType", why) ||
      checked(l->GetTensorWeights(handle, &weights), "GetTensorWeights", why) ||
      checked(l->GetWeightsBytes(weights, &data, &out->bytes), "GetWeightsBytes", why))
    return LRT_FAILED;
  if (type.layout.rank > LRT_MOST_AXES)
    return fail(why, "%s has %d axes", out->name, (int)type.layout.rank);
  out->type = type.element_type;
  out->dims = copied_axes(&type.layout);
  if (!out->dims) return fail(why, "out of memory");
  if (out->bytes == 0) return LRT_OK;
  out->data = (void*)(uintptr_t)data; /* read only, as the allocation type says */
  out->allocation_type = TFL_CONSTANT;
  return LRT_OK;
}

static lrt_status read_tensors(const lrt_library* l, lrt_handle op, model_operator* out) {
  lrt_handle tensor;
  const size_t inputs = (size_t)out->op.kind->inputs;
  for (size_t i = 0; i < inputs; i++)
    if (checked(l->GetOpInput(op, i, &tensor), "GetOpInput", out->why) ||
        read_tensor(l, tensor, out->why, &out->tensors[i]))
      return LRT_FAILED;
  tfl_tensor* y = &out->tensors[inputs];
  if (checked(l->GetOpOutput(op, 0, &tensor), "GetOpOutput", out->why) ||
      read_tensor(l, tensor, out->why, y))
    return LRT_FAILED;
  return y->type == TFL_FLOAT32 ? LRT_OK : fail(out->why, "%s holds no floats", y->name);
}

/* A number of the header of the weights, which have been checked. */
static int32_t number_at(const tfl_tensor* blob, size_t at) {
  const uint8_t* bytes = (const uint8_t*)blob->data + at;
  return (int32_t)(bytes[0] | bytes[1] << 8 | bytes[2] << 16 | (uint32_t)bytes[3] << 24);
}

/* The node's constants checked, by the delegate's code. */
static lrt_status open_operator(const lrt_library* l, lrt_handle op, model_operator* out) {
  static const struct {
    int size, data[MOST_INPUTS];
  } NUMBERS = {MOST_INPUTS, {0, 1, 2, 3}};
  const uint8_t* options;
  size_t options_size;
  if (checked(l->GetCustomOptions(op, &options, &options_size), "GetCustomOptions", out->why))
    return LRT_FAILED;
  out->op.x = 0;
  out->op.y = out->op.kind->inputs;
  const tfl_node node = {.inputs = (tfl_ints*)(uintptr_t)&NUMBERS,
                         .custom_data = options,
                         .custom_size = (int)options_size};
  if (out->op.kind->open(&out->context, &node, &out->op) != TFL_OK) return LRT_FAILED;
  out->rows = number_at(&out->tensors[1], 8);
  out->cols = number_at(&out->tensors[1], 12);
  out->has_relu = options_size > 0 && options[0];
  return LRT_OK;
}

static model_operator* new_operator(const op_kind* kind, const settings* settings, failure* why) {
  model_operator* new = calloc(1, sizeof *new);
  if (!new) {
    fail(why, "out of memory");
    return NULL;
  }
  new->context = (tfl_context){.tensors_size = (size_t)kind->inputs + 1,
                               .tensors = new->tensors,
                               .ResizeTensor = resize,
                               .ReportError = keep_reason};
  new->why = why;
  new->op.kind = kind;
  new->op.settings = settings;
  return new;
}

static lrt_status read_kind(const lrt_library* l, lrt_handle op, failure* why,
                            const op_kind** kind) {
  tfl_registration registration = {.builtin_code = TFL_CUSTOM};
  size_t inputs, outputs;
  if (checked(l->GetCustomCode(op, &registration.custom_name), "GetCustomCode", why) ||
      checked(l->GetNumOpInputs(op, &inputs), "GetNumOpInputs", why) ||
      checked(l->GetNumOpOutputs(op, &outputs), "GetNumOpOutputs", why))
    return LRT_FAILED;
  *kind = custom_kind(&registration);
  if (!*kind) return fail(why, "nothing here runs the operator %s", registration.custom_name);
  if (inputs == (size_t)(*kind)->inputs && outputs == 1 && inputs <= MOST_INPUTS) return LRT_OK;
  return fail(why, "%s has a wrong number of inputs or outputs", (*kind)->name);
}

static lrt_status read_operator(lrt_handle op, model_operators* all) {
  const op_kind* kind;
  if (read_kind(all->library, op, all->why, &kind)) return LRT_FAILED;
  model_operator* new = new_operator(kind, all->settings, all->why);
  if (!new) return LRT_FAILED;
  all->items[all->count++] = new;
  return read_tensors(all->library, op, new) ? LRT_FAILED
                                             : open_operator(all->library, op, new);
}

/* ---- telling operators apart ---- */

static int is_linear(const model_operator* a) { return a->op.kind == &SPARSE_LINEAR; }

static int32_t width(const model_operator* a) { return is_linear(a) ? a->rows : a->cols; }

static int length(const model_operator* a, int input) { return a->tensors[input].dims->data[0]; }

static int constants_look_alike(const model_operator* a, const model_operator* b) {
  if (a->op.kind != b->op.kind) return 0;
  if (is_linear(a) && a->cols != b->cols) return 0;
  for (int i = 1; i < a->op.kind->inputs; i++)
    if (length(a, i) != length(b, i)) return 0;
  return 1;
}

static int constants_are_the_same(const model_operator* a, const model_operator* b) {
  if (a->op.kind != b->op.kind) return 0;
  for (int i = 1; i < a->op.kind->inputs; i++)
    if (a->tensors[i].data != b->tensors[i].data) return 0;
  return 1;
}

/* A kernel is told shapes, then addresses: nothing else says which node it runs. */
static lrt_status check_apart(const model_operators* all, const model_operator* last) {
  for (size_t i = 0; i < all->count; i++) {
    const model_operator* other = all->items[i];
    if (constants_look_alike(other, last) && width(other) != width(last))
      return fail(all->why, "LiteRT cannot tell %s from %s: all sizes but one are equal",
                  last->tensors[1].name, other->tensors[1].name);
    if (constants_are_the_same(other, last) && other->has_relu != last->has_relu)
      return fail(all->why, "LiteRT cannot tell %s with a relu from the same without",
                  last->tensors[1].name);
  }
  return LRT_OK;
}

lrt_status read_operators(const lrt_library* l, lrt_handle subgraph, const settings* settings,
                          failure* why, model_operators* all) {
  size_t count;
  if (checked(l->GetNumSubgraphOps(subgraph, &count), "GetNumSubgraphOps", why)) return LRT_FAILED;
  *all = (model_operators){l, settings, why, 0, calloc(count + 1, sizeof *all->items)};
  if (!all->items) return fail(why, "out of memory");
  for (size_t i = 0; i < count; i++) {
    lrt_handle op;
    int code;
    if (checked(l->GetSubgraphOp(subgraph, i, &op), "GetSubgraphOp", why) ||
        checked(l->GetOpCode(op, &code), "GetOpCode", why))
      return LRT_FAILED;
    if (code != LRT_CUSTOM) continue;
    if (read_operator(op, all) || check_apart(all, all->items[all->count - 1])) return LRT_FAILED;
  }
  return LRT_OK;
}

void free_operators(model_operators* all) {
  for (size_t i = 0; i < all->count; i++) {
    model_operator* o = all->items[i];
    for (size_t j = 0; j <= MOST_INPUTS; j++) free(o->tensors[j].dims);
    o->op.kind->close(&o->op);
    free(o->scratch);
    free(o);
  }
  free(all->items);
  all->items = NULL;
  all->count = 0;
}

/* ---- finding and preparing ---- */

static int fits(const model_operator* o, const lrt_layout* input) {
  const lrt_layout* x = &input[0];
  if (is_linear(o) && (x->rank == 0 || x->dims[x->rank - 1] != o->cols)) return 0;
  for (int i = 1; i < o->op.kind->inputs; i++)
    if (input[i].rank != 1 || input[i].dims[0] != length(o, i)) return 0;
  return 1;
}

model_operator* operator_of_shapes(const model_operators* all, const op_kind* kind,
                                   size_t inputs, const lrt_layout* input) {
  for (size_t i = 0; i < all->count; i++)
    if (all->items[i]->op.kind == kind && inputs == (size_t)kind->inputs &&
        fits(all->items[i], input))
      return all->items[i];
  fail(all->why, "no %s of the file fits an input of this shape", kind->name);
  return NULL;
}

model_operator* operator_of_constants(const model_operators* all, const op_kind* kind,
                                      size_t inputs, void* const* data) {
  for (size_t i = 0; i < all->count; i++) {
    model_operator* o = all->items[i];
    size_t same = 1;
    while (same < inputs && o->tensors[same].data == data[same]) same++;
    if (o->op.kind == kind && inputs == (size_t)kind->inputs && same == inputs) return o;
  }
  fail(all->why, "LiteRT has moved the constants of a %s", kind->name);
  return NULL;
}

static int is_prepared_for(const model_operator* o, const lrt_layout* x) {
  const tfl_ints* dims = o->tensors[o->op.x].dims;
  return o->scratch && dims->size == (int)x->rank &&
         memcmp(dims->data, x->dims, x->rank * sizeof(int)) == 0;
}

lrt_status prepare_operator(model_operator* o, const lrt_layout* x) {
  if (is_prepared_for(o, x)) return LRT_OK;
  if (x->rank > LRT_MOST_AXES) return LRT_FAILED;
  tfl_tensor* input = &o->tensors[o->op.x];
  free(o->scratch);
  o->scratch = NULL; /* not ready until the end */
  input->dims->size = (int)x->rank;
  memcpy(input->dims->data, x->dims, x->rank * sizeof(int));
  input->bytes = (size_t)elements_of(input->dims) * sizeof(float);
  if (o->op.kind->prepare(&o->context, &o->op) != TFL_OK) return LRT_FAILED;
  o->scratch = aligned_memory(&o->context, o->op.scratch_size);
  return o->scratch ? LRT_OK : LRT_FAILED;
}
