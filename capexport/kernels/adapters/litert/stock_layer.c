/* What a node of TFLite's says about itself -> a product, or the reason why it stays as it is.
 *
 * Whatever is not known to be computed alike is refused: new versions, options and shapes. */
#include "stock_layer.h"

#include <math.h>

#include "stock_weights.h"
#include "tensors.h"

enum {
  LAST_FULLY_CONNECTED = 12, /* versions whose meaning is known */
  LAST_CONV_2D = 8,
  VERSION_OF_SPARSE = 8 /* of a FULLY_CONNECTED with a sparse weight */
};

int is_stock_layer(const tfl_context* c, const tfl_node* node, const tfl_registration* r) {
  if (r->builtin_code != TFL_FULLY_CONNECTED && r->builtin_code != TFL_CONV_2D) return 0;
  if (node->inputs->size < 2 || node->outputs->size != 1) return 0;
  const tfl_tensor* w = tensor_at(c, node->inputs->data[1]);
  return w && w->type == TFL_INT8;
}

static const char* read_fully_connected(const tfl_node* node, const tfl_registration* r,
                                        stock_layer* layer, int* activation) {
  const tfl_fully_connected* options = node->builtin_data;
  if (!options || r->version < 1 || r->version > LAST_FULLY_CONNECTED)
    return "an unknown version of the operator";
  if (options->weights_format != 0) return "the weights are shuffled";
  layer->keeps_axes = options->keep_num_dims;
  *activation = options->activation;
  return NULL;
}

static const char* read_conv_2d(const tfl_node* node, const tfl_registration* r,
                                stock_layer* layer, int* activation) {
  const tfl_conv_2d* options = node->builtin_data;
  if (!options || r->version < 1 || r->version > LAST_CONV_2D)
    return "an unknown version of the operator";
  if (options->stride_width != 1 || options->stride_height != 1) return "the kernel has strides";
  if (options->dilation_width != 1 || options->dilation_height != 1) return "the kernel is dilated";
  layer->keeps_axes = 1;
  *activation = options->activation;
  return NULL;
}

/* Floats: only what ck_run_groups does at its end. */
static const char* read_float_activation(int activation, stock_layer* layer) {
  layer->relu = activation == TFL_RELU;
  return activation == TFL_NO_ACTIVATION || layer->relu ? NULL : "its activation is not computed";
}

/* The zero point is added before the sum is rounded, as XNNPACK does it: it decides a tie. */
static int32_t quantized_six(const stock_layer* layer) {
  return (int32_t)lrintf(fminf(6.f / layer->y_scale + (float)layer->y_range.zero, 127.f));
}

static const char* read_int8_activation(int activation, stock_layer* layer) {
  ck_int8_range* range = &layer->y_range;
  range->low = activation == TFL_NO_ACTIVATION ? -128 : range->zero;
  range->high = 127;
  if (activation == TFL_RELU6)
    range->high = quantized_six(layer);
  else if (activation != TFL_NO_ACTIVATION && activation != TFL_RELU)
    return "its activation is not computed";
  return NULL;
}

/* Scale and zero point of all of an int8 tensor. */
static const char* read_quantization(const tfl_tensor* t, float* scale, int32_t* zero) {
  const tfl_affine* q = t->quantization.params;
  if (t->quantization.type != TFL_AFFINE || !q || !q->scale || q->scale->size != 1)
    return "an input or output has no scale of its own";
  *scale = t->params.scale;
  *zero = t->params.zero_point;
  return is_scale(*scale) && *zero >= -128 && *zero <= 127 ? NULL
                                                           : "a scale or zero point is out of range";
}

/* The scale of each row of results must be a float as well. */
static int has_sound_scales(const stock_layer* layer) {
  for (int i = 0; i < layer->scale->size; i++)
    if (!is_scale(layer->x_scale * layer->scale->data[i] / layer->y_scale)) return 0;
  return 1;
}

static const char* read_x(const tfl_context* c, const tfl_node* node, stock_layer* layer) {
  const tfl_tensor* x = tensor_at(c, node->inputs->data[0]);
  if (!x) return "the input is missing";
  layer->gives_int8 = x->type == TFL_INT8;
  if (!is_tensor_of(x, layer->gives_int8 ? TFL_INT8 : TFL_FLOAT32))
    return "the input is neither float nor int8";
  const int last = x->dims->size - 1;
  if (last < 0 || x->dims->data[last] != layer->weights.cols)
    return "the last axis of the input is not that of the weights";
  layer->rows_of_x = (int)(elements_of(x->dims) / layer->weights.cols);
  return layer->gives_int8 ? read_quantization(x, &layer->x_scale, &layer->x_zero) : NULL;
}

static const char* read_y(const tfl_context* c, const tfl_node* node, stock_layer* layer) {
  const tfl_tensor* y = tensor_at(c, node->outputs->data[0]);
  if (!is_tensor_of(y, layer->gives_int8 ? TFL_INT8 : TFL_FLOAT32))
    return "the output is of another type than the input";
  if (!layer->gives_int8) return NULL;
  const char* reason = read_quantization(y, &layer->y_scale, &layer->y_range.zero);
  if (reason) return reason;
  return has_sound_scales(layer) ? NULL : "a scale or zero point is out of range";
}

static const char* read_bias(const tfl_context* c, const tfl_node* node, stock_layer* layer) {
  if (node->inputs->size > 3) return "it has more than three inputs";
  if (node->inputs->size < 3 || node->inputs->data[2] < 0) return NULL;
  const tfl_tensor* bias = tensor_at(c, node->inputs->data[2]);
  if (!is_tensor_of(bias, layer->gives_int8 ? TFL_INT32 : TFL_FLOAT32) ||
      bias->allocation_type != TFL_CONSTANT || elements_of(bias->dims) != layer->weights.rows)
    return "the bias is no constant with a number for each row";
  if (!bias->data || (uintptr_t)bias->data % sizeof(float)) return "the bias is not aligned";
  layer->bias = bias->data;
  return NULL;
}

/* Whether the runtime takes compressed rows for dense ones. It has a kernel for blocks alone, and
 * uses it where the operator's version is 8 (docs/decisions/claimed-layers.md). */
static int is_misread(const tfl_tensor* t, const tfl_registration* r) {
  const tfl_sparsity* s = t->sparsity;
  const int has_blocks = s->block_map && s->block_map->size > 0;
  return !(has_blocks && r->builtin_code == TFL_FULLY_CONNECTED && r->version == VERSION_OF_SPARSE);
}

static const char* read_stored(const tfl_context* c, const tfl_node* node,
                               const tfl_registration* r, int sparse, stock_layer* layer) {
  layer->stored_in = sparse < 0 ? node->inputs->data[1] : sparse;
  const tfl_tensor* t = tensor_at(c, layer->stored_in);
  const tfl_tensor* read = tensor_at(c, node->inputs->data[1]);
  if (!t || !read) return "the weights are missing";
  layer->stored = sparse >= 0 ? "densify" : t->sparsity ? "csr" : "dense";
  layer->is_misread = sparse < 0 && t->sparsity && is_misread(t, r);
  return stock_weights_read(t, read, layer);
}

const char* stock_layer_read(const tfl_context* c, const tfl_node* node, const tfl_registration* r,
                             int sparse, stock_layer* layer) {
  int activation = TFL_NO_ACTIVATION;
  *layer = (stock_layer){.stored = "?"};
  const char* reason = read_stored(c, node, r, sparse, layer);
  if (!reason)
    reason = (r->builtin_code == TFL_CONV_2D ? read_conv_2d : read_fully_connected)(
        node, r, layer, &activation);
  if (!reason) reason = read_x(c, node, layer);
  if (!reason) reason = read_y(c, node, layer);
  if (!reason) reason = read_bias(c, node, layer);
  if (reason) return reason;
  return (layer->gives_int8 ? read_int8_activation : read_float_activation)(activation, layer);
}
