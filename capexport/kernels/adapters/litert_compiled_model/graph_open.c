/* Opens and closes a graph: LiteRT's objects, in the order in which they depend on each other. */
#include <stdio.h>
#include <stdlib.h>

#include "compiled_graph.h"
#include "litert_library.h"

/* Options of a part of LiteRT by its name, as a line of TOML. */
static lrt_status add_options(capexport_litert* g, const char* part, const char* key,
                              const char* value) {
  enum { SIZE = 64 }; /* more than any pair below */
  char* payload = malloc(SIZE);
  lrt_handle opaque;
  if (!payload) return fail(&g->why, "out of memory");
  snprintf(payload, SIZE, "%s = %s\n", key, value);
  if (checked(g->library.CreateOpaqueOptions(part, payload, free, &opaque), "CreateOpaqueOptions",
              &g->why)) {
    free(payload);
    return LRT_FAILED;
  }
  TRY(g, AddOpaqueOptions, g->options, opaque);
  return LRT_OK;
}

static lrt_status set_threads(capexport_litert* g, int32_t threads) {
  char value[16];
  snprintf(value, sizeof value, "%d", (int)threads);
  return add_options(g, "xnnpack", "num_threads", value);
}

static lrt_status set_profiling(capexport_litert* g) {
  if (!g->profile.is_wanted) return LRT_OK;
  return add_options(g, "runtime_options_string", "enable_profiling", "true");
}

static lrt_status add_kernels(capexport_litert* g) {
  static const op_kind* const KINDS[] = {&SPARSE_LINEAR, &SPARSE_EMBEDDING};
  for (size_t i = 0; i < sizeof KINDS / sizeof *KINDS; i++) {
    g->kernels[i] = (kernel_data){&g->operators, KINDS[i]};
    TRY(g, AddCustomOpKernelOption, g->options, KINDS[i]->name, 1, &OPERATOR_KERNEL,
        &g->kernels[i]);
  }
  return LRT_OK;
}

static lrt_status read_end(capexport_litert* g, lrt_handle tensor, end* out) {
  lrt_tensor_type type;
  TRY(g, GetRankedTensorType, tensor, &type);
  out->tensor.type = type.element_type;
  if (type.element_type >= CAPEXPORT_FLOAT32 && type.element_type <= CAPEXPORT_UINT8) return LRT_OK;
  return fail(&g->why, "%s is of type %d, not float32, int32 or uint8", out->name,
              type.element_type);
}

static lrt_status read_inputs(capexport_litert* g, lrt_handle signature) {
  lrt_handle tensor;
  TRY(g, GetNumSignatureInputs, signature, &g->inputs.count);
  g->inputs.items = calloc(g->inputs.count + 1, sizeof(end));
  if (!g->inputs.items) return fail(&g->why, "out of memory");
  for (size_t i = 0; i < g->inputs.count; i++) {
    TRY(g, GetSignatureInputName, signature, i, &g->inputs.items[i].name);
    TRY(g, GetSignatureInputTensorByIndex, signature, i, &tensor);
    if (i == 0 && check_layout(&g->library, tensor, &g->why)) return LRT_FAILED;
    if (read_end(g, tensor, &g->inputs.items[i])) return LRT_FAILED;
  }
  return LRT_OK;
}

static lrt_status read_outputs(capexport_litert* g, lrt_handle signature) {
  lrt_handle tensor;
  TRY(g, GetNumSignatureOutputs, signature, &g->outputs.count);
  g->outputs.items = calloc(g->outputs.count + 1, sizeof(end));
  if (!g->outputs.items) return fail(&g->why, "out of memory");
  for (size_t i = 0; i < g->outputs.count; i++) {
    TRY(g, GetSignatureOutputName, signature, i, &g->outputs.items[i].name);
    TRY(g, GetSignatureOutputTensorByIndex, signature, i, &tensor);
    if (read_end(g, tensor, &g->outputs.items[i])) return LRT_FAILED;
  }
  return LRT_OK;
}

static lrt_status read_model(capexport_litert* g, const char* path) {
  size_t signatures;
  lrt_handle signature;
  TRY(g, CreateEnvironment, 0, NULL, &g->environment);
  TRY(g, CreateModelFromFile, g->environment, path, &g->model);
  TRY(g, GetNumModelSignatures, g->model, &signatures);
  if (signatures != 1) return fail(&g->why, "the model has %zu signatures, not one", signatures);
  TRY(g, GetModelSignature, g->model, 0, &signature);
  TRY(g, GetSignatureSubgraph, signature, &g->subgraph);
  if (read_inputs(g, signature) || read_outputs(g, signature)) return LRT_FAILED;
  return read_operators(&g->library, g->subgraph, &g->settings, &g->why, &g->operators);
}

static lrt_status compile(capexport_litert* g, int32_t threads) {
  TRY(g, CreateOptions, &g->options);
  TRY(g, SetOptionsHardwareAccelerators, g->options, LRT_ACCELERATOR_CPU);
  if (set_threads(g, threads) || set_profiling(g) || add_kernels(g)) return LRT_FAILED;
  TRY(g, CreateCompiledModel, g->environment, g->model, g->options, &g->compiled);
  if (open_profile(&g->profile, &g->library, g->compiled, &g->why)) return LRT_FAILED;
  return g->why.text[0] ? LRT_FAILED : LRT_OK;
}

/* Our operators have as many threads as LiteRT's own. */
static lrt_status open_settings(capexport_litert* g, int32_t threads) {
  char text[16];
  const char *key = "threads", *value = text;
  snprintf(text, sizeof text, "%d", (int)threads);
  const char* wrong = settings_open(&g->settings, &key, &value, 1);
  return wrong ? fail(&g->why, "%s", wrong) : LRT_OK;
}

static lrt_status open_graph(capexport_litert* g, const char* library, const char* model,
                             int32_t threads) {
  if (open_settings(g, threads)) return LRT_FAILED;
  if (open_library(library, &g->library, &g->why) || read_model(g, model)) return LRT_FAILED;
  return compile(g, threads);
}

static capexport_litert* opened(const char* library, const char* model, int32_t threads,
                                bool is_profiled, char* message, size_t message_size) {
  capexport_litert* g = calloc(1, sizeof *g);
  if (g) g->profile.is_wanted = is_profiled;
  if (g && open_graph(g, library, model, threads) == LRT_OK) return g;
  snprintf(message, message_size, "%s", g ? g->why.text : "out of memory");
  capexport_litert_close(g);
  return NULL;
}

capexport_litert* capexport_litert_open(const char* library, const char* model, int32_t threads,
                                        char* message, size_t message_size) {
  return opened(library, model, threads, false, message, message_size);
}

capexport_litert* capexport_litert_open_profiled(const char* library, const char* model,
                                                 int32_t threads, char* message,
                                                 size_t message_size) {
  return opened(library, model, threads, true, message, message_size);
}

/* ---- closing ---- */

void capexport_litert_close(capexport_litert* g) {
  if (!g) return;
  release_buffers(g, &g->inputs);
  release_buffers(g, &g->outputs);
  if (g->compiled) g->library.DestroyCompiledModel(g->compiled);
  if (g->options) g->library.DestroyOptions(g->options);
  free_operators(&g->operators);
  if (g->model) g->library.DestroyModel(g->model);
  if (g->environment) g->library.DestroyEnvironment(g->environment);
  settings_close(&g->settings);
  close_library(&g->library);
  free(g->inputs.items);
  free(g->outputs.items);
  free(g);
}
