/* TFLite's own FULLY_CONNECTED and CONV_2D, looked at as products with int8 weights. */
#ifndef STOCK_LAYER_H
#define STOCK_LAYER_H
#include "capexport_kernels.h"
#include "tfl_abi.h"

/* y = x W^T for the last axis of x. Pointers lead into the file. */
typedef struct {
  int stored_in;           /* number of the tensor with the weights */
  const char* stored;      /* "dense", "csr" or "densify" (csr, with a DENSIFY in between) */
  int is_misread;          /* without us it would be computed wrongly, and nobody told */
  ck_weights weights;
  const tfl_floats* scale; /* of each row, or one of all */
  const void* bias;        /* float[rows], int32[rows] where it gives int8, or NULL */
  int rows_of_x;           /* in the file's shapes; a runtime may resize them */
  int keeps_axes;          /* y has the leading axes of x; else they are one */
  int relu;                /* of floats; of int8 it is in y_range */
  int gives_int8;          /* and takes it; else both are floats */
  float x_scale, y_scale;  /* of int8 */
  int32_t x_zero;
  ck_int8_range y_range;
} stock_layer;

/* Whether the node is one of the two operators and its second input is int8. */
int is_stock_layer(const tfl_context* c, const tfl_node* node, const tfl_registration* r);

/* Fills `layer`, or returns why such a node cannot be computed here. `sparse` is the input of the
 * DENSIFY that makes its weights, -1 where none does. layer->weights.rows is 0 if not even the
 * weights could be read. */
const char* stock_layer_read(const tfl_context* c, const tfl_node* node, const tfl_registration* r,
                             int sparse, stock_layer* layer);
#endif
