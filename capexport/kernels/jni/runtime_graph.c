/* Both runtimes behind one table of functions. */
#include "runtime_graph.h"

/* FUNCTIONS(litert) wraps every function, so that none is called by a pointer of another type. */
#define FUNCTIONS(runtime)                                                                          \
  static void* runtime##_open(const char* library, const char* model, int32_t threads, char* message, \
                              size_t message_size) {                                                \
    return capexport_##runtime##_open(library, model, threads, message, message_size);              \
  }                                                                                                 \
  static void runtime##_close(void* g) { capexport_##runtime##_close(g); }                          \
  static const char* runtime##_message(const void* g) { return capexport_##runtime##_message(g); }  \
  static const char* runtime##_input_name(const void* g, int32_t number) {                          \
    return capexport_##runtime##_input_name(g, number);                                             \
  }                                                                                                 \
  static const char* runtime##_output_name(const void* g, int32_t number) {                         \
    return capexport_##runtime##_output_name(g, number);                                            \
  }                                                                                                 \
  static int32_t runtime##_set_input(void* g, const char* name, const capexport_tensor* tensor) {   \
    return capexport_##runtime##_set_input(g, name, tensor);                                        \
  }                                                                                                 \
  static int32_t runtime##_run(void* g) { return capexport_##runtime##_run(g); }                    \
  static int32_t runtime##_output(void* g, const char* name, capexport_tensor* tensor) {            \
    return capexport_##runtime##_output(g, name, tensor);                                           \
  }

#define TABLE(runtime)                                                                           \
  {                                                                                              \
    runtime##_open, runtime##_close, runtime##_message, runtime##_input_name,                    \
        runtime##_output_name, runtime##_set_input, runtime##_run, runtime##_output              \
  }

FUNCTIONS(litert)
FUNCTIONS(onnxruntime)

const runtime_functions* runtime_by_number(int32_t number) {
  static const runtime_functions RUNTIMES[] = {TABLE(litert), TABLE(onnxruntime)};
  return number == 0 || number == 1 ? &RUNTIMES[number] : NULL;
}
