/* Constants of TFLite's own operators. */
#ifndef STOCK_WEIGHTS_H
#define STOCK_WEIGHTS_H
#include "stock_layer.h"

/* The weights of t, dense or in compressed rows, checked, and their scales; NULL, or why not.
 * Sets weights, scale and stored of `layer`. */
const char* stock_weights_read(const tfl_tensor* t, stock_layer* layer);
#endif
