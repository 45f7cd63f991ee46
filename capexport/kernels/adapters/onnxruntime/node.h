/* A node of the graph as its kernel sees it: name, attributes, tensors, and errors that name it. */
#ifndef CK_ORT_NODE_H
#define CK_ORT_NODE_H
#include "ort_abi.h"

enum { NODE_MOST_AXES = 8, NODE_NAME_BYTES = 200 };

typedef struct {
  const OrtApi* api;
  const char* op;
  char name[NODE_NAME_BYTES];
} node;

/* dims[0..rank-1]; `size` is their product; `type` of the elements, ORT_TENSOR_... */
typedef struct {
  void* data;
  int type;
  int64_t dims[NODE_MOST_AXES];
  size_t rank;
  int64_t size;
} tensor;

void node_init(node* n, const OrtApi* api, const char* op, const OrtKernelInfo* info);

/* "SparseInt8MatMul node logits: <what>" */
OrtStatus* node_error(const node* n, int code, const char* what);

/* The tensor that a value is. */
OrtStatus* node_value(const node* n, const OrtValue* value, tensor* out);

/* An input that must be known when the session is created. It stays where it is for as long as the
 * session lives. */
OrtStatus* node_constant(const node* n, const OrtKernelInfo* info, size_t index, tensor* out);

OrtStatus* node_input(const node* n, const OrtKernelContext* context, size_t index, tensor* out);

/* The memory of output 0, for which `out` gives rank and dims. */
OrtStatus* node_output(const node* n, OrtKernelContext* context, tensor* out);
#endif
