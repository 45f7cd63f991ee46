/* A blob stays as it is; packed forms are added when a batch first needs one.
 *
 * A decoder only ever has a few rows and an encoder many, so each layer usually has one form. */
#define _POSIX_C_SOURCE 200809L /* posix_memalign: Android knows aligned_alloc only since API 28 */
#include "sparse_layer.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "model_file.h"

struct sparse_layer {
  ck_weights weights;
  sparse_vectors vectors;
  uint32_t isa; /* asked once: under a hypervisor CPUID takes microseconds */
  pthread_mutex_t packing;
  _Atomic(ck_packed*) packed[]; /* by kernel; NULL until it is needed */
};

void* aligned_bytes(size_t size) {
  void* memory;
  return posix_memalign(&memory, CK_ALIGNMENT, size) == 0 ? memory : NULL;
}

failure sparse_layer_create(const ck_weights* weights, const sparse_vectors* vectors,
                            sparse_layer** out) {
  const size_t forms = (size_t)ck_kernel_count() * sizeof(_Atomic(ck_packed*));
  sparse_layer* layer = calloc(1, sizeof *layer + forms);
  if (!layer) return "out of memory";
  layer->weights = *weights;
  layer->isa = ck_isa();
  layer->vectors = *vectors;
  if (pthread_mutex_init(&layer->packing, NULL) != 0) {
    free(layer);
    return "no mutex is left";
  }
  *out = layer;
  return NULL;
}

void sparse_layer_destroy(sparse_layer* layer) {
  for (int32_t kernel = 0; kernel < ck_kernel_count(); kernel++) free(layer->packed[kernel]);
  pthread_mutex_destroy(&layer->packing);
  free(layer);
}

const ck_weights* sparse_layer_weights(const sparse_layer* layer) { return &layer->weights; }

static failure pack(const sparse_layer* layer, int32_t kernel, void* work, ck_packed** out) {
  ck_plan plan;
  ck_status status = ck_make_plan(&layer->weights, kernel, work, &plan);
  if (status != CK_OK) return ck_status_text(status);
  ck_packed* packed = aligned_bytes((size_t)plan.packed_size);
  if (!packed) return "out of memory";
  const sparse_vectors* v = &layer->vectors;
  status = (v->scale_is_live ? ck_pack_live : ck_pack)(&layer->weights, &plan, v->scale, v->bias,
                                                       work, packed);
  if (status == CK_OK)
    *out = packed;
  else
    free(packed);
  return status == CK_OK ? NULL : ck_status_text(status);
}

static failure pack_once(sparse_layer* layer, int32_t kernel) {
  failure failed = NULL;
  pthread_mutex_lock(&layer->packing);
  if (!atomic_load(&layer->packed[kernel])) { /* another thread may have been faster */
    ck_packed* packed = NULL;
    void* work = aligned_bytes(ck_work_size(&layer->weights));
    failed = work ? pack(layer, kernel, work, &packed) : "out of memory";
    free(work);
    model_file_drop_pages(layer->weights.blob);
    atomic_store(&layer->packed[kernel], packed);
  }
  pthread_mutex_unlock(&layer->packing);
  return failed;
}

failure sparse_layer_packed(sparse_layer* layer, int32_t batch, const ck_packed** out) {
  const ck_weights* w = &layer->weights;
  const ck_request request = {layer->isa, w->rows, w->cols, w->nnz, batch, 1};
  const int32_t kernel = ck_choose(&request, NULL);
  if (kernel == CK_DECLINE) return "no kernel takes this shape";
  failure failed = NULL;
  if (!atomic_load(&layer->packed[kernel])) failed = pack_once(layer, kernel);
  *out = atomic_load(&layer->packed[kernel]);
  return failed;
}
