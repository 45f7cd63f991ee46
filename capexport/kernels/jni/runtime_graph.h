/* An open graph of either runtime. */
#ifndef RUNTIME_GRAPH_H
#define RUNTIME_GRAPH_H
#include "capexport_onnxruntime.h"

/* The functions of capexport_litert.h or capexport_onnxruntime.h. */
typedef struct {
  void* (*open)(const char* library, const char* model, int32_t threads, char* message,
                size_t message_size);
  void (*close)(void* graph);
  const char* (*message)(const void* graph);
  const char* (*input_name)(const void* graph, int32_t number);
  const char* (*output_name)(const void* graph, int32_t number);
  int32_t (*set_input)(void* graph, const char* name, const capexport_tensor* tensor);
  int32_t (*run)(void* graph);
  int32_t (*output)(void* graph, const char* name, capexport_tensor* tensor);
} runtime_functions;

/* By the order of org.capexport.core.Runtime; NULL for another number. */
const runtime_functions* runtime_by_number(int32_t number);
#endif
