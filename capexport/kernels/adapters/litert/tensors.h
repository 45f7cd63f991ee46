/* Tensors of the runtime, looked at with distrust: a file may be damaged, a layout may be new. */
#ifndef TENSORS_H
#define TENSORS_H
#include "tfl_abi.h"

/* The tensor, or NULL where there is none of that number. */
const tfl_tensor* tensor_at(const tfl_context* c, int number);

/* Name for messages, never NULL. */
const char* tensor_name(const tfl_context* c, int number);

/* Whether it has that type, and as many bytes as its shape says. Sparse constants do not. */
int is_tensor_of(const tfl_tensor* t, int type);

/* Whether a float can be the scale of a tensor: positive, finite and not subnormal. */
int is_scale(float scale);

/* What a tensor must be; NULL and a report otherwise. Its size in bytes must be that of its shape:
 * were the fields of tfl_tensor laid out differently, this is where it would show. */
const tfl_tensor* tensor_of(tfl_context* c, int number, int type);

/* The same for the input of a product: its last axis is `columns` long. */
const tfl_tensor* rows_of(tfl_context* c, int number, int type, int columns);

/* The bytes of a one-dimensional constant; NULL and a report otherwise. */
const void* constant_of(tfl_context* c, int number, int type);

/* The floats of a one-dimensional constant whose length is one of two; *is_short: not the first. */
const float* floats_of(tfl_context* c, int number, int64_t length, int64_t other, int* is_short);

/* Product of all lengths, -1 where one of them is negative or the product leaves int32. */
int64_t elements_of(const tfl_ints* dims);

/* Gives the tensor `y` axes of the `count` lengths `leading`, and one of length `last` after them. */
tfl_status give_shape(tfl_context* c, int y, const int* leading, int count, int last);

/* 64-byte aligned memory for free(); NULL and a report when there is none. */
void* aligned_memory(tfl_context* c, size_t size);

/* The same, of zeros, aligned for structures. */
void* zeroed_memory(tfl_context* c, size_t size);
#endif
