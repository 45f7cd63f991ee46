/* Calls of ONNX Runtime that take more than one step. */
#include "node.h"

#include <stdio.h>
#include <string.h>

void node_init(node* n, const OrtApi* api, const char* op, const OrtKernelInfo* info) {
  size_t size = sizeof n->name;
  *n = (node){.api = api, .op = op};
  OrtStatus* status = api->KernelInfo_GetNodeName(info, n->name, &size);
  if (!status) return;
  api->ReleaseStatus(status);
  strcpy(n->name, "with a long name");
}

OrtStatus* node_error(const node* n, int code, const char* what) {
  char message[NODE_NAME_BYTES + 200];
  snprintf(message, sizeof message, "%s node %s: %s", n->op, n->name, what);
  return n->api->CreateStatus(code, message);
}

static OrtStatus* read_shape(const node* n, const OrtTensorTypeAndShapeInfo* info, tensor* out) {
  OrtStatus* status = n->api->GetTensorElementType(info, &out->type);
  if (!status) status = n->api->GetDimensionsCount(info, &out->rank);
  if (status) return status;
  if (out->rank > NODE_MOST_AXES)
    return node_error(n, ORT_INVALID_ARGUMENT, "an input has more than 8 axes");
  status = n->api->GetDimensions(info, out->dims, out->rank);
  out->size = 1;
  for (size_t i = 0; i < out->rank && !status; i++) out->size *= out->dims[i];
  return status;
}

OrtStatus* node_value(const node* n, const OrtValue* value, tensor* out) {
  OrtTensorTypeAndShapeInfo* info;
  OrtStatus* status = n->api->GetTensorTypeAndShape(value, &info);
  if (status) return status;
  status = read_shape(n, info, out);
  n->api->ReleaseTensorTypeAndShapeInfo(info);
  return status ? status : n->api->GetTensorMutableData(value, &out->data);
}

OrtStatus* node_constant(const node* n, const OrtKernelInfo* info, size_t index, tensor* out) {
  int is_constant = 0;
  const OrtValue* value = NULL;
  OrtStatus* status =
      n->api->KernelInfoGetConstantInput_tensor(info, index, &is_constant, &value);
  if (status) return status;
  if (!is_constant)
    return node_error(n, ORT_INVALID_ARGUMENT, "weight, scale and bias must be constants");
  return node_value(n, value, out);
}

OrtStatus* node_input(const node* n, const OrtKernelContext* context, size_t index, tensor* out) {
  const OrtValue* value;
  OrtStatus* status = n->api->KernelContext_GetInput(context, index, &value);
  return status ? status : node_value(n, value, out);
}

OrtStatus* node_output(const node* n, OrtKernelContext* context, tensor* out) {
  OrtValue* value;
  OrtStatus* status = n->api->KernelContext_GetOutput(context, 0, out->dims, out->rank, &value);
  return status ? status : n->api->GetTensorMutableData(value, &out->data);
}
