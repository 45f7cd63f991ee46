/* Names, inputs, runs and outputs of an open graph. */
#include <stdlib.h>
#include <string.h>

#include "compiled_graph.h"
#include "litert_library.h"

/* ---- inputs ---- */

const char* capexport_litert_message(const capexport_litert* g) { return g->why.text; }

static const char* name_of(const ends* all, int32_t number) {
  return number >= 0 && (size_t)number < all->count ? all->items[number].name : NULL;
}

const char* capexport_litert_input_name(const capexport_litert* g, int32_t number) {
  return name_of(&g->inputs, number);
}

const char* capexport_litert_output_name(const capexport_litert* g, int32_t number) {
  return name_of(&g->outputs, number);
}

static end* find(capexport_litert* g, const ends* all, const char* name) {
  for (size_t i = 0; i < all->count; i++)
    if (strcmp(all->items[i].name, name) == 0) return &all->items[i];
  fail(&g->why, "the graph has no %s", name);
  return NULL;
}

/* Elements, at most 2^31 - 1; 0 where the shape makes no sense. */
static size_t elements(const capexport_tensor* t) {
  int64_t product = 1;
  if (t->rank < 0 || t->rank > CAPEXPORT_MOST_AXES) return 0;
  for (int32_t i = 0; i < t->rank; i++) {
    if (t->dims[i] < 1) return 0;
    product *= t->dims[i];
    if (product > INT32_MAX) return 0;
  }
  return (size_t)product;
}

static size_t bytes(const capexport_tensor* t) {
  return elements(t) * (t->type == CAPEXPORT_UINT8 ? 1 : sizeof(float));
}

static int same_shape(const capexport_tensor* a, const capexport_tensor* b) {
  return a->rank == b->rank && memcmp(a->dims, b->dims, (size_t)a->rank * sizeof *a->dims) == 0;
}

int32_t capexport_litert_set_input(capexport_litert* g, const char* name,
                                   const capexport_tensor* tensor) {
  g->why.text[0] = 0;
  end* e = find(g, &g->inputs, name);
  if (!e) return LRT_FAILED;
  if (tensor->type != e->tensor.type)
    return fail(&g->why, "%s is of type %d, not %d", name, e->tensor.type, tensor->type);
  if (!tensor->data || elements(tensor) == 0) return fail(&g->why, "%s has no elements", name);
  if (!e->tensor.data || !same_shape(&e->tensor, tensor)) g->is_allocated = 0;
  g->has_run = 0;
  e->tensor = *tensor;
  return LRT_OK;
}

/* ---- memory ---- */

void release_buffers(capexport_litert* g, ends* all) {
  for (size_t i = 0; i < all->count && all->items; i++) {
    end* e = &all->items[i];
    if (e->is_locked) g->library.UnlockTensorBuffer(e->buffer);
    if (e->buffer) g->library.DestroyTensorBuffer(e->buffer);
    e->buffer = NULL;
    e->is_locked = 0;
  }
}

static lrt_status allocate(capexport_litert* g, end* e, const lrt_layout* layout,
                           lrt_handle requirements) {
  const lrt_tensor_type type = {e->tensor.type, *layout};
  TRY(g, CreateManagedTensorBufferFromRequirements, g->environment, &type, requirements,
      &e->buffer);
  return LRT_OK;
}

static lrt_status resize_inputs(capexport_litert* g) {
  for (size_t i = 0; i < g->inputs.count; i++) {
    const end* e = &g->inputs.items[i];
    if (!e->tensor.data) return fail(&g->why, "the input %s has not been set", e->name);
    TRY(g, CompiledModelResizeInputTensor, g->compiled, 0, i, e->tensor.dims,
        (size_t)e->tensor.rank);
  }
  return LRT_OK;
}

static lrt_status allocate_inputs(capexport_litert* g) {
  for (size_t i = 0; i < g->inputs.count; i++) {
    end* e = &g->inputs.items[i];
    lrt_layout layout = {.rank = (unsigned)e->tensor.rank & 0x7f};
    lrt_handle requirements;
    memcpy(layout.dims, e->tensor.dims, sizeof e->tensor.dims);
    TRY(g, GetCompiledModelInputBufferRequirements, g->compiled, 0, i, &requirements);
    if (allocate(g, e, &layout, requirements)) return LRT_FAILED;
  }
  return LRT_OK;
}

static lrt_status allocate_outputs(capexport_litert* g, lrt_layout* layouts) {
  TRY(g, GetCompiledModelOutputTensorLayouts, g->compiled, 0, g->outputs.count, layouts, true);
  if (g->why.text[0]) return LRT_FAILED; /* an operator of ours could not be prepared */
  for (size_t i = 0; i < g->outputs.count; i++) {
    end* e = &g->outputs.items[i];
    lrt_handle requirements;
    if (layouts[i].rank > LRT_MOST_AXES) return fail(&g->why, "%s has too many axes", e->name);
    e->tensor.rank = (int32_t)layouts[i].rank;
    memcpy(e->tensor.dims, layouts[i].dims, sizeof e->tensor.dims);
    TRY(g, GetCompiledModelOutputBufferRequirements, g->compiled, 0, i, &requirements);
    if (allocate(g, e, &layouts[i], requirements)) return LRT_FAILED;
  }
  return LRT_OK;
}

/* Buffers for the shapes of the inputs as they are set now. */
static lrt_status allocate_all(capexport_litert* g) {
  release_buffers(g, &g->inputs);
  release_buffers(g, &g->outputs);
  lrt_layout* layouts = calloc(g->outputs.count + 1, sizeof *layouts);
  if (!layouts) return fail(&g->why, "out of memory");
  lrt_status status = resize_inputs(g);
  if (!status) status = allocate_outputs(g, layouts);
  if (!status) status = allocate_inputs(g);
  free(layouts);
  g->is_allocated = !status;
  return status;
}

/* ---- running ---- */

/* The bytes behind a buffer must be those of the shape that the caller sees. */
static lrt_status check_size(capexport_litert* g, const end* e) {
  size_t size;
  TRY(g, GetTensorBufferPackedSize, e->buffer, &size);
  if (size == bytes(&e->tensor)) return LRT_OK;
  return fail(&g->why, "LiteRT has memory of another shape for %s", e->name);
}

static lrt_status write_inputs(capexport_litert* g) {
  for (size_t i = 0; i < g->inputs.count; i++) {
    const end* e = &g->inputs.items[i];
    void* data;
    if (check_size(g, e)) return LRT_FAILED;
    TRY(g, LockTensorBuffer, e->buffer, &data, LRT_LOCK_WRITE);
    memcpy(data, e->tensor.data, bytes(&e->tensor));
    TRY(g, UnlockTensorBuffer, e->buffer);
  }
  return LRT_OK;
}

static lrt_status run_compiled(capexport_litert* g) {
  lrt_handle* buffers = malloc((g->inputs.count + g->outputs.count + 1) * sizeof *buffers);
  if (!buffers) return fail(&g->why, "out of memory");
  lrt_handle* outputs = buffers + g->inputs.count;
  for (size_t i = 0; i < g->inputs.count; i++) buffers[i] = g->inputs.items[i].buffer;
  for (size_t i = 0; i < g->outputs.count; i++) outputs[i] = g->outputs.items[i].buffer;
  const lrt_status status = g->library.RunCompiledModel(g->compiled, 0, g->inputs.count, buffers,
                                                        g->outputs.count, outputs);
  free(buffers);
  if (g->why.text[0]) return LRT_FAILED; /* LiteRT does not know that an operator failed */
  return checked(status, "RunCompiledModel", &g->why);
}

static lrt_status unlock_outputs(capexport_litert* g) {
  for (size_t i = 0; i < g->outputs.count; i++) {
    end* e = &g->outputs.items[i];
    if (!e->is_locked) continue;
    e->is_locked = 0;
    TRY(g, UnlockTensorBuffer, e->buffer);
  }
  return LRT_OK;
}

static lrt_status lock_outputs(capexport_litert* g) {
  for (size_t i = 0; i < g->outputs.count; i++) {
    end* e = &g->outputs.items[i];
    void* data;
    if (check_size(g, e)) return LRT_FAILED;
    TRY(g, LockTensorBuffer, e->buffer, &data, LRT_LOCK_READ);
    e->is_locked = 1;
    e->tensor.data = data;
  }
  return LRT_OK;
}

int32_t capexport_litert_run(capexport_litert* g) {
  g->why.text[0] = 0;
  g->has_run = 0;
  if (unlock_outputs(g) || (!g->is_allocated && allocate_all(g))) return LRT_FAILED;
  if (write_inputs(g) || begin_profile(&g->profile, &g->why)) return LRT_FAILED;
  if (run_compiled(g) || lock_outputs(g)) return LRT_FAILED;
  g->has_run = 1;
  return LRT_OK;
}

int32_t capexport_litert_output(capexport_litert* g, const char* name, capexport_tensor* tensor) {
  g->why.text[0] = 0;
  if (!g->has_run) return fail(&g->why, "the graph has not run on these inputs");
  const end* e = find(g, &g->outputs, name);
  if (!e) return LRT_FAILED;
  *tensor = e->tensor;
  return LRT_OK;
}
