/* One signature of one model, compiled for the CPU: what is behind capexport_litert.h. */
#ifndef COMPILED_GRAPH_H
#define COMPILED_GRAPH_H
#include "capexport_litert.h"
#include "operator_kernel.h"
#include "profile.h"

/* An input or output of the signature, in the order of the file. */
typedef struct {
  const char* name;
  capexport_tensor tensor; /* inputs: what the caller set; outputs: where the result lies */
  lrt_handle buffer;
  int is_locked; /* outputs only, between runs */
} end;

typedef struct {
  size_t count;
  end* items;
} ends;

struct capexport_litert {
  failure why;
  lrt_library library;
  lrt_handle environment, model, options, compiled, subgraph;
  profile profile;
  settings settings;
  model_operators operators;
  kernel_data kernels[2]; /* of SPARSE_LINEAR and SPARSE_EMBEDDING */
  ends inputs, outputs;
  int is_allocated; /* buffers of all ends fit the inputs' shapes */
  int has_run;      /* and their data follow from the inputs */
};

/* TRY(g, Function, arguments): a call of LiteRT whose failure ends the caller. */
#define TRY(g, function, ...)                                                         \
  if (checked((g)->library.function(__VA_ARGS__), #function, &(g)->why)) return LRT_FAILED

/* Gives back the buffers of inputs or outputs. */
void release_buffers(capexport_litert* graph, ends* all);
#endif
