/* One sparse weight of a session, in the packed form that each batch size asks for. */
#ifndef CK_ORT_SPARSE_LAYER_H
#define CK_ORT_SPARSE_LAYER_H
#include "capexport_kernels.h"

typedef struct sparse_layer sparse_layer;

/* Text of what went wrong, NULL when nothing did. */
typedef const char* failure;

/* One float per row of the weight. */
typedef struct {
  const float* scale; /* NULL for the weight's own */
  int scale_is_live; /* it leaves out the rows without weights */
  const float* bias; /* the same, or none */
} sparse_vectors;

/* What `weights` and `vectors` point to must outlive the layer. */
failure sparse_layer_create(const ck_weights* weights, const sparse_vectors* vectors,
                            sparse_layer** out);
void sparse_layer_destroy(sparse_layer* layer);

/* The weights packed for `batch` rows of x. The first batch of a kind pays for the packing; any
 * number of threads may ask at once. */
failure sparse_layer_packed(sparse_layer* layer, int32_t batch, const ck_packed** out);

const ck_weights* sparse_layer_weights(const sparse_layer* layer);

/* `size` bytes at a multiple of CK_ALIGNMENT, for free(); NULL when there are none. */
void* aligned_bytes(size_t size);
#endif
