/* One kernel for every node of a name. LiteRT ignores what it returns, so that a failure is kept in
 * `why`; from then on nothing runs, until the caller has seen it. */
#include "operator_kernel.h"

#include <string.h>

#include "litert_library.h"

enum { MOST_BUFFERS = MOST_INPUTS + 1 };

static lrt_status init(void* data, const void* options, size_t size) {
  return (void)data, (void)options, (void)size, LRT_OK;
}

static lrt_status destroy(void* data) { return (void)data, LRT_OK; }

static lrt_status output_layouts(void* data, size_t inputs, const lrt_layout* input, size_t outputs,
                                 lrt_layout* output) {
  const kernel_data* d = data;
  model_operator* o = operator_of_shapes(d->operators, d->kind, inputs, input);
  if (!o || outputs != 1 || prepare_operator(o, &input[0])) return LRT_FAILED;
  const tfl_ints* dims = o->tensors[o->op.y].dims;
  memset(output, 0, sizeof *output);
  output->rank = (unsigned)dims->size & 0x7f;
  memcpy(output->dims, dims->data, (size_t)dims->size * sizeof(int));
  return LRT_OK;
}

/* Where the tensors lie. Each buffer that was locked is unlocked by unlock_all. */
typedef struct {
  lrt_handle buffers[MOST_BUFFERS];
  void* data[MOST_BUFFERS];
  size_t count;
} locked;

static lrt_status lock(const lrt_library* l, lrt_handle buffer, int mode, failure* why,
                       locked* all) {
  if (checked(l->LockTensorBuffer(buffer, &all->data[all->count], mode), "LockTensorBuffer", why))
    return LRT_FAILED;
  all->buffers[all->count++] = buffer;
  return LRT_OK;
}

static void unlock_all(const lrt_library* l, const locked* all) {
  for (size_t i = 0; i < all->count; i++) l->UnlockTensorBuffer(all->buffers[i]);
}

static lrt_status check_memory(const kernel_data* d, lrt_handle buffer, const tfl_tensor* t) {
  failure* why = d->operators->why;
  size_t size;
  if (checked(d->operators->library->GetTensorBufferPackedSize(buffer, &size),
              "GetTensorBufferPackedSize", why))
    return LRT_FAILED;
  return size == t->bytes ? LRT_OK
                          : fail(why, "LiteRT gives %s memory for another shape", t->name);
}

/* The operator, ready for the x and y that lie in the buffers; NULL after a failure. */
static model_operator* ready_operator(const kernel_data* d, const locked* all) {
  const lrt_library* l = d->operators->library;
  failure* why = d->operators->why;
  const size_t y = all->count - 1;
  lrt_tensor_type x;
  model_operator* o = operator_of_constants(d->operators, d->kind, y, all->data);
  if (!o ||
      checked(l->GetTensorBufferTensorType(all->buffers[0], &x), "GetTensorBufferTensorType", why) ||
      prepare_operator(o, &x.layout) ||
      check_memory(d, all->buffers[0], &o->tensors[o->op.x]) ||
      check_memory(d, all->buffers[y], &o->tensors[o->op.y]))
    return NULL;
  return o;
}

static lrt_status run_locked(const kernel_data* d, const locked* all) {
  model_operator* o = ready_operator(d, all);
  if (!o) return LRT_FAILED;
  void* y = all->data[all->count - 1];
  return o->op.kind->run(&o->context, &o->op, all->data[0], y, o->scratch) == TFL_OK ? LRT_OK
                                                                                    : LRT_FAILED;
}

static lrt_status run(void* data, size_t inputs, const lrt_handle* input, size_t outputs,
                      lrt_handle* output) {
  const kernel_data* d = data;
  const lrt_library* l = d->operators->library;
  failure* why = d->operators->why;
  if (why->text[0]) return LRT_FAILED;
  if (inputs > MOST_INPUTS || outputs != 1) return fail(why, "an operator has too many tensors");
  locked all = {.count = 0};
  lrt_status status = LRT_OK;
  for (size_t i = 0; i < inputs && !status; i++)
    status = lock(l, input[i], LRT_LOCK_READ, why, &all);
  if (!status) status = lock(l, output[0], LRT_LOCK_WRITE, why, &all);
  if (!status) status = run_locked(d, &all);
  unlock_all(l, &all);
  return status;
}

const lrt_kernel OPERATOR_KERNEL = {init, output_layouts, run, destroy, {NULL}};
