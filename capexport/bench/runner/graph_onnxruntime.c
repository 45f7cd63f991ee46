/* An .onnx in ONNX Runtime on the CPU, through its C interface. */
#include <stdio.h>
#include <string.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

#include "../../kernels/adapters/onnxruntime/model_file.h"
#include "../../kernels/adapters/onnxruntime/ort_abi.h"
#include "failure.h"
#include "graph.h"

enum { MOST_TENSORS = 256 };

typedef struct {
  graph base;
  const char* model;
  OrtSession* session;
  size_t input_count, output_count;
  const char* input_names[MOST_TENSORS];
  capexport_tensor given[MOST_TENSORS]; /* what inputs were made from */
  OrtValue* inputs[MOST_TENSORS];
  char* output_names[MOST_TENSORS];
  OrtValue* outputs[MOST_TENSORS];
} onnxruntime_graph;

static const OrtApi* ort;
static OrtEnv* environment;
static OrtMemoryInfo* memory;

static void check(const char* where, OrtStatus* status) {
  if (status) stop(where, ort->GetErrorMessage(status));
}

static void load(const char* library) {
  const OrtApiBase* (*base)(void);
  look_up(open_shared(library), "OrtGetApiBase", &base);
  ort = base()->GetApi(ORT_API_LEVEL);
  if (!ort) stop(library, "this ONNX Runtime is older than 1.17");
  check(library, ort->CreateEnv(ORT_LOG_FATAL, "capexport_bench", &environment));
  check(library, ort->CreateCpuMemoryInfo(ORT_ARENA_ALLOCATOR, ORT_MEMORY_DEFAULT, &memory));
}

/* ---- tensors ---- */

static int type_in_ort(int32_t type) {
  if (type == CAPEXPORT_FLOAT32) return ORT_TENSOR_FLOAT;
  return type == CAPEXPORT_INT32 ? ORT_TENSOR_INT32 : ORT_TENSOR_UINT8;
}

static int32_t type_from_ort(const char* name, int type) {
  if (type == ORT_TENSOR_FLOAT) return CAPEXPORT_FLOAT32;
  if (type == ORT_TENSOR_INT32) return CAPEXPORT_INT32;
  if (type == ORT_TENSOR_UINT8) return CAPEXPORT_UINT8;
  stop(name, "is not float32, int32 or uint8");
}

static size_t place_of(onnxruntime_graph* g, const char* name) {
  for (size_t i = 0; i < g->input_count; i++)
    if (strcmp(g->input_names[i], name) == 0) return i;
  if (g->input_count == MOST_TENSORS) stop(g->model, "has too many inputs");
  g->input_names[g->input_count] = name;
  return g->input_count++;
}

static int is_same(const capexport_tensor* a, const capexport_tensor* b) {
  return a->data == b->data && a->rank == b->rank &&
         memcmp(a->dims, b->dims, (size_t)a->rank * sizeof *a->dims) == 0;
}

static void set_input(graph* self, const char* name, const capexport_tensor* tensor) {
  onnxruntime_graph* g = (onnxruntime_graph*)self;
  const size_t i = place_of(g, name);
  int64_t dims[CAPEXPORT_MOST_AXES];
  if (g->inputs[i] && is_same(&g->given[i], tensor)) return;
  if (g->inputs[i]) ort->ReleaseValue(g->inputs[i]);
  for (int32_t d = 0; d < tensor->rank; d++) dims[d] = tensor->dims[d];
  check(name, ort->CreateTensorWithDataAsOrtValue(
                  memory, (void*)tensor->data, tensor_bytes(tensor), dims, (size_t)tensor->rank,
                  type_in_ort(tensor->type), &g->inputs[i]));
  g->given[i] = *tensor;
}

static capexport_tensor read_output(const char* name, OrtValue* value) {
  OrtTensorTypeAndShapeInfo* info;
  int type;
  size_t rank;
  int64_t dims[CAPEXPORT_MOST_AXES];
  void* data;
  check(name, ort->GetTensorTypeAndShape(value, &info));
  check(name, ort->GetTensorElementType(info, &type));
  check(name, ort->GetDimensionsCount(info, &rank));
  if (rank > CAPEXPORT_MOST_AXES) stop(name, "has too many axes");
  check(name, ort->GetDimensions(info, dims, rank));
  check(name, ort->GetTensorMutableData(value, &data));
  ort->ReleaseTensorTypeAndShapeInfo(info);
  capexport_tensor tensor = {type_from_ort(name, type), (int32_t)rank, {0}, data};
  for (size_t d = 0; d < rank; d++) tensor.dims[d] = (int32_t)dims[d];
  return tensor;
}

static capexport_tensor output(graph* self, const char* name) {
  onnxruntime_graph* g = (onnxruntime_graph*)self;
  for (size_t i = 0; i < g->output_count; i++)
    if (strcmp(g->output_names[i], name) == 0) return read_output(name, g->outputs[i]);
  stop(name, "the graph has no such output");
}

/* ---- the graph ---- */

static void run(graph* self) {
  onnxruntime_graph* g = (onnxruntime_graph*)self;
  for (size_t i = 0; i < g->output_count; i++) {
    if (g->outputs[i]) ort->ReleaseValue(g->outputs[i]);
    g->outputs[i] = NULL;
  }
  check(g->model, ort->Run(g->session, NULL, g->input_names, (const OrtValue* const*)g->inputs,
                           g->input_count, (const char* const*)g->output_names, g->output_count,
                           g->outputs));
}

static void read_output_names(onnxruntime_graph* g) {
  OrtAllocator* allocator;
  check(g->model, ort->GetAllocatorWithDefaultOptions(&allocator));
  check(g->model, ort->SessionGetOutputCount(g->session, &g->output_count));
  if (g->output_count > MOST_TENSORS) stop(g->model, "has too many outputs");
  for (size_t i = 0; i < g->output_count; i++)
    check(g->model, ort->SessionGetOutputName(g->session, i, allocator, &g->output_names[i]));
}

/* ---- its profiler, which writes a file ---- */

static void print_operators(graph* self) {
  (void)self;
  printf("[]");
}

static const char* end_profile(graph* self) {
  onnxruntime_graph* g = (onnxruntime_graph*)self;
  OrtAllocator* allocator;
  char* file;
  check(g->model, ort->GetAllocatorWithDefaultOptions(&allocator));
  check(g->model, ort->SessionEndProfiling(g->session, allocator, &file));
  return file;
}

/* ---- opening ---- */

/* Packed weights are read from the mapped file, as our openers for apps and Python do it: the session
 * keeps no copy. The map stays until the program ends. */
static void lend_weights(const char* operators, const char* model, OrtSessionOptions* options) {
  capexport_model_file* (*map)(const char*);
  int32_t (*count)(const capexport_model_file*);
  const capexport_model_blob* (*number)(const capexport_model_file*, int32_t);
  void* library = open_shared(operators);
  look_up(library, "capexport_model_file_map", &map);
  look_up(library, "capexport_model_file_blobs", &count);
  look_up(library, "capexport_model_file_blob", &number);
  capexport_model_file* file = map(model);
  for (int32_t i = 0; file && i < count(file); i++) {
    const capexport_model_blob* blob = number(file, i);
    const int64_t size = (int64_t)blob->size;
    OrtValue* value;
    check(blob->name, ort->CreateTensorWithDataAsOrtValue(memory, (void*)blob->data, blob->size,
                                                          &size, 1, ORT_TENSOR_UINT8, &value));
    check(blob->name, ort->AddInitializer(options, blob->name, value));
  }
}

graph* open_onnxruntime(const description* settings, const char* model) {
  OrtSessionOptions* options;
  if (!ort) load(settings->library);
  onnxruntime_graph* g = take(1, sizeof *g);
  g->base = (graph){set_input, run, output, print_operators, end_profile};
  g->model = model;
  check(model, ort->CreateSessionOptions(&options));
  check(model, ort->SetIntraOpNumThreads(options, settings->threads));
  check(model, ort->SetInterOpNumThreads(options, 1));
  check(model, ort->SetSessionLogSeverityLevel(options, ORT_LOG_FATAL));
  if (settings->profiled) check(model, ort->EnableProfiling(options, "profile"));
  if (settings->operators[0]) {
    check(model, ort->RegisterCustomOpsLibrary_V2(options, settings->operators));
    lend_weights(settings->operators, model, options);
  }
  check(model, ort->CreateSession(environment, model, options, &g->session));
#ifdef __GLIBC__
  if (settings->operators[0]) malloc_trim(0); /* glibc would keep what the session's copies were */
#endif
  read_output_names(g);
  return &g->base;
}
