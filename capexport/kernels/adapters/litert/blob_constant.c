/* A constant of bytes -> checked weights; what a file stores beside them, or a number in its place. */
#include "blob_constant.h"

#include "tensors.h"

tfl_status blob_constant(tfl_context* c, int number, ck_weights* weights) {
  const void* blob = constant_of(c, number, TFL_UINT8);
  if (!blob) return TFL_ERROR;
  const ck_status status = ck_weights_blob(weights, blob, c->tensors[number].bytes);
  if (status == CK_OK) return TFL_OK;
  c->ReportError(c, "capexport: %s: %s", tensor_name(c, number), ck_status_text(status));
  return TFL_ERROR;
}

tfl_status placeholder(tfl_context* c, int number, float value) {
  int is_short;
  const float* given = floats_of(c, number, 1, 1, &is_short);
  if (!given) return TFL_ERROR;
  if (*given == value) return TFL_OK;
  c->ReportError(c, "capexport: %s is one number for all rows, but not %d", tensor_name(c, number),
                 (int)value);
  return TFL_ERROR;
}

tfl_status scale_constant(tfl_context* c, int number, const ck_weights* weights,
                          const float** scale, int* is_live) {
  *scale = NULL;
  *is_live = 0;
  if (weights->has_scale) return placeholder(c, number, 1);
  *scale = floats_of(c, number, weights->rows, weights->live_rows, is_live);
  return *scale ? TFL_OK : TFL_ERROR;
}
