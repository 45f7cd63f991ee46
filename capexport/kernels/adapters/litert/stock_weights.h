/* Constants of TFLite's own operators. */
#ifndef STOCK_WEIGHTS_H
#define STOCK_WEIGHTS_H
#include "stock_layer.h"

/* The weights of t, dense or in compressed rows, checked, and their scales; NULL, or why not.
 * `read` is what the operator reads: t, or what a DENSIFY makes of it, whose scales then count.
 * Sets weights and scale of `layer`. */
const char* stock_weights_read(const tfl_tensor* t, const tfl_tensor* read, stock_layer* layer);
#endif
