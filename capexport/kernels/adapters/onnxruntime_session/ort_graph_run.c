/* Names, inputs, runs and outputs of an open session. */
#include <string.h>

#include "ort_graph.h"

const char* capexport_onnxruntime_message(const capexport_onnxruntime* g) { return g->why; }

static const char* name_of(const ort_ends* ends, int32_t number) {
  return number >= 0 && (size_t)number < ends->count ? ends->names[number] : NULL;
}

const char* capexport_onnxruntime_input_name(const capexport_onnxruntime* g, int32_t number) {
  return name_of(&g->inputs, number);
}

const char* capexport_onnxruntime_output_name(const capexport_onnxruntime* g, int32_t number) {
  return name_of(&g->outputs, number);
}

/* The value of that name; NULL after a failure. */
static OrtValue** find(capexport_onnxruntime* g, const ort_ends* ends, const char* name) {
  g->why[0] = 0;
  for (size_t i = 0; i < ends->count; i++)
    if (strcmp(ends->names[i], name) == 0) return &ends->values[i];
  ort_fail(g, "the graph has no %s", name);
  return NULL;
}

/* ---- types, ours and ONNX's ---- */

static const struct {
  int32_t type;
  int ort;
  size_t size;
} TYPES[] = {
    {CAPEXPORT_FLOAT32, ORT_TENSOR_FLOAT, 4},
    {CAPEXPORT_INT32, ORT_TENSOR_INT32, 4},
    {CAPEXPORT_UINT8, ORT_TENSOR_UINT8, 1},
};
enum { TYPE_COUNT = sizeof TYPES / sizeof *TYPES };

int32_t capexport_onnxruntime_set_input(capexport_onnxruntime* g, const char* name,
                                        const capexport_tensor* t) {
  int64_t dims[CAPEXPORT_MOST_AXES];
  size_t row = 0, size;
  OrtValue** value = find(g, &g->inputs, name);
  if (!value) return 1;
  while (row < TYPE_COUNT && TYPES[row].type != t->type) row++;
  if (row == TYPE_COUNT) return ort_fail(g, "%s is of the unknown type %d", name, t->type);
  if (!t->data || t->rank < 0 || t->rank > CAPEXPORT_MOST_AXES)
    return ort_fail(g, "%s has no elements", name);
  size = TYPES[row].size;
  for (int32_t i = 0; i < t->rank; i++) {
    if (t->dims[i] < 1) return ort_fail(g, "%s has no elements", name);
    dims[i] = t->dims[i];
    size *= (size_t)t->dims[i];
  }
  if (*value) g->api->ReleaseValue(*value);
  *value = NULL;
  g->has_run = 0;
  return ort_checked(g, g->api->CreateTensorWithDataAsOrtValue(g->memory, (void*)t->data, size, dims,
                                                               (size_t)t->rank, TYPES[row].ort,
                                                               value));
}

int32_t capexport_onnxruntime_run(capexport_onnxruntime* g) {
  g->why[0] = 0;
  g->has_run = 0;
  for (size_t i = 0; i < g->inputs.count; i++)
    if (!g->inputs.values[i])
      return ort_fail(g, "the input %s has not been set", g->inputs.names[i]);
  ort_release_values(g, &g->outputs);
  if (ort_checked(g, g->api->Run(g->session, NULL, (const char* const*)g->inputs.names,
                                 (const OrtValue* const*)g->inputs.values, g->inputs.count,
                                 (const char* const*)g->outputs.names, g->outputs.count,
                                 g->outputs.values)))
    return 1;
  g->has_run = 1;
  return 0;
}

/* ---- outputs ---- */

static int32_t read_shape(capexport_onnxruntime* g, const char* name,
                          const OrtTensorTypeAndShapeInfo* info, capexport_tensor* t) {
  int64_t dims[CAPEXPORT_MOST_AXES];
  size_t rank, row = 0;
  int type;
  if (ort_checked(g, g->api->GetTensorElementType(info, &type)) ||
      ort_checked(g, g->api->GetDimensionsCount(info, &rank)))
    return 1;
  while (row < TYPE_COUNT && TYPES[row].ort != type) row++;
  if (row == TYPE_COUNT || rank > CAPEXPORT_MOST_AXES)
    return ort_fail(g, "%s is of an unknown type, or has too many axes", name);
  if (ort_checked(g, g->api->GetDimensions(info, dims, rank))) return 1;
  *t = (capexport_tensor){.type = TYPES[row].type, .rank = (int32_t)rank};
  for (size_t i = 0; i < rank; i++) t->dims[i] = (int32_t)dims[i];
  return 0;
}

int32_t capexport_onnxruntime_output(capexport_onnxruntime* g, const char* name,
                                     capexport_tensor* tensor) {
  OrtTensorTypeAndShapeInfo* info;
  void* data;
  OrtValue** value = find(g, &g->outputs, name);
  if (!value) return 1;
  if (!g->has_run) return ort_fail(g, "the graph has not run on these inputs");
  if (ort_checked(g, g->api->GetTensorTypeAndShape(*value, &info))) return 1;
  const int32_t failed = read_shape(g, name, info, tensor);
  g->api->ReleaseTensorTypeAndShapeInfo(info);
  if (failed || ort_checked(g, g->api->GetTensorMutableData(*value, &data))) return 1;
  tensor->data = data;
  return 0;
}
