/* A session of ONNX Runtime with named ends: what is behind capexport_onnxruntime.h. */
#ifndef ORT_GRAPH_H
#define ORT_GRAPH_H
#include "../onnxruntime/model_file.h"
#include "../onnxruntime/ort_abi.h"
#include "capexport_onnxruntime.h"

/* Inputs or outputs, in the order of the file. */
typedef struct {
  size_t count;
  char** names;
  OrtValue** values;
} ort_ends;

struct capexport_onnxruntime {
  char why[256]; /* "" as long as all is well */
  void* library;
  const OrtApiBase* base;
  const OrtApi* api;
  OrtEnv* env;
  OrtMemoryInfo* memory;
  OrtAllocator* allocator;
  OrtCustomOpDomain* operators; /* for packed weights, of the same library (../onnxruntime/ops.c) */
  OrtSession* session;
  capexport_model_file* file; /* NULL where it could not be mapped */
  OrtValue** blobs;           /* its packed weights, where they lie in the map */
  ort_ends inputs, outputs;
  int has_run;
};

/* 0 where the status is none; otherwise notes its message and gives it back. */
int32_t ort_checked(capexport_onnxruntime* graph, OrtStatus* status);

/* Notes why something failed; never 0. */
int32_t ort_fail(capexport_onnxruntime* graph, const char* format, ...)
    __attribute__((format(printf, 2, 3)));

void ort_release_values(capexport_onnxruntime* graph, ort_ends* ends);
#endif
