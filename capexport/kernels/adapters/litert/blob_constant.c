/* A constant of bytes -> checked weights. */
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
