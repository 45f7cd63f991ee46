/* Checks of the runtime's tensors, and shapes for new ones. */
#define _POSIX_C_SOURCE 200112L /* posix_memalign: aligned_alloc needs Android 9 */
#include "tensors.h"

#include <float.h>
#include <stdlib.h>
#include <string.h>

enum { ALIGNMENT = 64, MOST_AXES = 8, ELEMENT_UNKNOWN = 0 };

static size_t element_size(int type) {
  switch (type) {
    case TFL_FLOAT32:
    case TFL_INT32:
      return 4;
    case TFL_UINT8:
    case TFL_INT8:
      return 1;
    default:
      return ELEMENT_UNKNOWN;
  }
}

const tfl_tensor* tensor_at(const tfl_context* c, int number) {
  return number >= 0 && (size_t)number < c->tensors_size ? &c->tensors[number] : NULL;
}

const char* tensor_name(const tfl_context* c, int number) {
  const tfl_tensor* t = tensor_at(c, number);
  return t && t->name ? t->name : "(without a name)";
}

int64_t elements_of(const tfl_ints* dims) {
  int64_t product = 1;
  for (int i = 0; i < dims->size; i++) {
    if (dims->data[i] < 0) return -1;
    product *= dims->data[i];
    if (product > INT32_MAX) return -1;
  }
  return product;
}

int is_scale(float scale) { return scale >= FLT_MIN && scale <= FLT_MAX; }

int is_tensor_of(const tfl_tensor* t, int type) {
  if (!t || t->type != type || !t->dims || t->dims->size < 0 || t->dims->size > MOST_AXES) return 0;
  const int64_t elements = elements_of(t->dims);
  return elements >= 0 && t->bytes == (size_t)elements * element_size(type);
}

const tfl_tensor* tensor_of(tfl_context* c, int number, int type) {
  const tfl_tensor* t = tensor_at(c, number);
  if (!t) {
    c->ReportError(c, "capexport: an input or output is missing (tensor %d)", number);
    return NULL;
  }
  /* The type first: a foreign layout fails here, before a pointer of it is followed. */
  if (t->type != type) {
    c->ReportError(c, "capexport: a tensor is of type %d, not %d (tensor %d)", t->type, type,
                   number);
    return NULL;
  }
  if (!is_tensor_of(t, type)) {
    c->ReportError(c,
                   "capexport: tensor %d has %d bytes, its shape another number; "
                   "is this runtime newer than the library?",
                   number, (int)t->bytes);
    return NULL;
  }
  return t;
}

const tfl_tensor* rows_of(tfl_context* c, int number, int type, int columns) {
  const tfl_tensor* x = tensor_of(c, number, type);
  if (!x) return NULL;
  const int last = x->dims->size - 1;
  if (last >= 0 && x->dims->data[last] == columns) return x;
  c->ReportError(c, "capexport: %s does not have rows of %d numbers", tensor_name(c, number),
                 columns);
  return NULL;
}

static const void* misfit(tfl_context* c, int number) {
  c->ReportError(c, "capexport: %s is no constant of one axis that fits the weights",
                 tensor_name(c, number));
  return NULL;
}

const void* constant_of(tfl_context* c, int number, int type) {
  const tfl_tensor* t = tensor_of(c, number, type);
  if (!t) return NULL;
  if (t->dims->size != 1 || t->allocation_type != TFL_CONSTANT || !t->data)
    return misfit(c, number);
  if ((uintptr_t)t->data % element_size(type)) {
    c->ReportError(c, "capexport: %s is not aligned in the file", tensor_name(c, number));
    return NULL;
  }
  return t->data;
}

const float* floats_of(tfl_context* c, int number, int64_t length, int64_t other, int* is_short) {
  const float* floats = constant_of(c, number, TFL_FLOAT32);
  if (!floats) return NULL;
  const int64_t given = c->tensors[number].dims->data[0];
  *is_short = given != length;
  return given == length || given == other ? floats : misfit(c, number);
}

tfl_status give_shape(tfl_context* c, int y, const int* leading, int count, int last) {
  tfl_ints* dims = malloc(sizeof *dims + ((size_t)count + 1) * sizeof(int));
  if (!dims) {
    c->ReportError(c, "capexport: out of memory");
    return TFL_ERROR;
  }
  dims->size = count + 1;
  memcpy(dims->data, leading, (size_t)count * sizeof(int));
  dims->data[count] = last;
  if (elements_of(dims) < 0) {
    c->ReportError(c, "capexport: %s would be too large", tensor_name(c, y));
    free(dims);
    return TFL_ERROR;
  }
  return c->ResizeTensor(c, &c->tensors[y], dims); /* which frees `dims` in time */
}

void* aligned_memory(tfl_context* c, size_t size) {
  void* memory = NULL;
  if (posix_memalign(&memory, ALIGNMENT, size ? size : 1) == 0) return memory;
  c->ReportError(c, "capexport: out of memory");
  return NULL;
}

void* zeroed_memory(tfl_context* c, size_t size) {
  void* memory = calloc(1, size);
  if (!memory) c->ReportError(c, "capexport: out of memory");
  return memory;
}
