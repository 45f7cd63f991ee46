/* Opens and closes a session: ONNX Runtime's objects, in the order in which they depend on each other.
 *
 * The library is never unloaded: threads and destructors of a large C++ library do not survive it. */
#include <dlfcn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../onnxruntime/ops.h"
#include "ort_graph.h"

int32_t ort_fail(capexport_onnxruntime* g, const char* format, ...) {
  va_list values;
  va_start(values, format);
  vsnprintf(g->why, sizeof g->why, format, values);
  va_end(values);
  return 1;
}

int32_t ort_checked(capexport_onnxruntime* g, OrtStatus* status) {
  if (!status) return 0;
  ort_fail(g, "%s", g->api->GetErrorMessage(status));
  g->api->ReleaseStatus(status);
  return 1;
}

static int32_t load(capexport_onnxruntime* g, const char* path) {
  const OrtApiBase* (*get_base)(void);
  g->library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (!g->library) return ort_fail(g, "ONNX Runtime cannot be loaded: %s", dlerror());
  void* symbol = dlsym(g->library, "OrtGetApiBase");
  if (!symbol) return ort_fail(g, "%s is no ONNX Runtime", path);
  memcpy(&get_base, &symbol, sizeof symbol); /* dlsym leaves this cast to its callers */
  g->base = get_base();
  g->api = g->base->GetApi(ORT_API_LEVEL);
  return g->api ? 0 : ort_fail(g, "ONNX Runtime is %s, it must be 1.17 or later",
                               g->base->GetVersionString());
}

static int32_t lend_blob(capexport_onnxruntime* g, OrtSessionOptions* options, int32_t number) {
  const capexport_model_blob* blob = capexport_model_file_blob(g->file, number);
  const int64_t size = (int64_t)blob->size;
  return ort_checked(g, g->api->CreateTensorWithDataAsOrtValue(
                            g->memory, (void*)blob->data, blob->size, &size, 1, ORT_TENSOR_UINT8,
                            &g->blobs[number])) ||
         ort_checked(g, g->api->AddInitializer(options, blob->name, g->blobs[number]));
}

/* A file that cannot be mapped is ONNX Runtime's to refuse. */
static int32_t lend_blobs(capexport_onnxruntime* g, const char* model, OrtSessionOptions* options) {
  g->file = capexport_model_file_map(model);
  const int32_t count = g->file ? capexport_model_file_blobs(g->file) : 0;
  g->blobs = calloc((size_t)count + 1, sizeof *g->blobs);
  if (!g->blobs) return ort_fail(g, "out of memory");
  for (int32_t i = 0; i < count; i++)
    if (lend_blob(g, options, i)) return 1;
  return 0;
}

static int32_t create_session(capexport_onnxruntime* g, const char* model,
                              OrtSessionOptions* options, int32_t threads) {
  const OrtApi* api = g->api;
  return ort_checked(g, api->SetIntraOpNumThreads(options, threads)) ||
         ort_checked(g, api->SetInterOpNumThreads(options, 1)) ||
         ort_checked(g, api->SetSessionLogSeverityLevel(options, ORT_LOG_FATAL)) ||
         ort_checked(g, create_sparse_domain(api, &g->operators)) ||
         ort_checked(g, api->AddCustomOpDomain(options, g->operators)) ||
         lend_blobs(g, model, options) ||
         ort_checked(g, api->CreateSession(g->env, model, options, &g->session));
}

static int32_t open_session(capexport_onnxruntime* g, const char* model, int32_t threads) {
  OrtSessionOptions* options;
  const OrtApi* api = g->api;
  if (ort_checked(g, api->CreateEnv(ORT_LOG_FATAL, "capexport", &g->env)) ||
      ort_checked(g, api->CreateCpuMemoryInfo(ORT_ARENA_ALLOCATOR, ORT_MEMORY_DEFAULT, &g->memory)) ||
      ort_checked(g, api->GetAllocatorWithDefaultOptions(&g->allocator)) ||
      ort_checked(g, api->CreateSessionOptions(&options)))
    return 1;
  const int32_t failed = create_session(g, model, options, threads);
  api->ReleaseSessionOptions(options);
  return failed;
}

typedef OrtStatus* (*name_getter)(const OrtSession*, size_t, OrtAllocator*, char**);

static int32_t read_names(capexport_onnxruntime* g, ort_ends* ends, size_t count,
                          name_getter get_name) {
  ends->names = calloc(count + 1, sizeof *ends->names);
  ends->values = calloc(count + 1, sizeof *ends->values);
  if (!ends->names || !ends->values) return ort_fail(g, "out of memory");
  for (; ends->count < count; ends->count++)
    if (ort_checked(g, get_name(g->session, ends->count, g->allocator, &ends->names[ends->count])))
      return 1;
  return 0;
}

static int32_t read_ends(capexport_onnxruntime* g) {
  size_t inputs, outputs;
  return ort_checked(g, g->api->SessionGetInputCount(g->session, &inputs)) ||
         ort_checked(g, g->api->SessionGetOutputCount(g->session, &outputs)) ||
         read_names(g, &g->inputs, inputs, g->api->SessionGetInputName) ||
         read_names(g, &g->outputs, outputs, g->api->SessionGetOutputName);
}

capexport_onnxruntime* capexport_onnxruntime_open(const char* library, const char* model,
                                                  int32_t threads, char* message,
                                                  size_t message_size) {
  capexport_onnxruntime* g = calloc(1, sizeof *g);
  if (g && !load(g, library) && !open_session(g, model, threads) && !read_ends(g)) return g;
  snprintf(message, message_size, "%s", g ? g->why : "out of memory");
  capexport_onnxruntime_close(g);
  return NULL;
}

/* ---- closing ---- */

void ort_release_values(capexport_onnxruntime* g, ort_ends* ends) {
  for (size_t i = 0; i < ends->count; i++) {
    if (ends->values[i]) g->api->ReleaseValue(ends->values[i]);
    ends->values[i] = NULL;
  }
}

static void release_blobs(capexport_onnxruntime* g) {
  for (OrtValue** blob = g->blobs; blob && *blob; blob++) g->api->ReleaseValue(*blob);
  free(g->blobs);
  capexport_model_file_unmap(g->file);
}

static void release_ends(capexport_onnxruntime* g, ort_ends* ends) {
  ort_release_values(g, ends);
  for (size_t i = 0; i < ends->count; i++)
    ort_checked(g, g->api->AllocatorFree(g->allocator, ends->names[i]));
  free(ends->names);
  free(ends->values);
}

void capexport_onnxruntime_close(capexport_onnxruntime* g) {
  if (!g) return;
  release_ends(g, &g->inputs);
  release_ends(g, &g->outputs);
  if (g->session) g->api->ReleaseSession(g->session);
  if (g->operators) g->api->ReleaseCustomOpDomain(g->operators);
  release_blobs(g);
  if (g->memory) g->api->ReleaseMemoryInfo(g->memory);
  if (g->env) g->api->ReleaseEnv(g->env);
  free(g);
}
