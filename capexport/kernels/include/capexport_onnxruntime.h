/* An .onnx file in ONNX Runtime, packed weights or not: the C interface.
 *
 * As capexport_litert.h, function for function: the library is opened at run time by its path, so
 * that the same source serves the library of a desktop wheel and the one inside an Android package.
 * No header of ONNX Runtime is needed; it must be 1.17 or later.
 *
 * Functions that return int32_t give 0 for success; otherwise capexport_onnxruntime_message says
 * why. A graph belongs to one thread at a time.
 */
#ifndef CAPEXPORT_ONNXRUNTIME_H
#define CAPEXPORT_ONNXRUNTIME_H
#include "capexport_litert.h" /* capexport_tensor */

#ifdef __cplusplus
extern "C" {
#endif

typedef struct capexport_onnxruntime capexport_onnxruntime;

/// Opens `model` in the ONNX Runtime at the path `library`; `threads`, at least 1, share the work of
/// an operator. NULL after the reason was written to `message` (message_size bytes, at least one).
CAPEXPORT_LITERT_API capexport_onnxruntime* capexport_onnxruntime_open(
    const char* library, const char* model, int32_t threads, char* message, size_t message_size);

CAPEXPORT_LITERT_API void capexport_onnxruntime_close(capexport_onnxruntime* graph);

/// Why the last call failed, "" if it did not.
CAPEXPORT_LITERT_API const char* capexport_onnxruntime_message(const capexport_onnxruntime* graph);

/// Names of inputs and outputs; NULL from the first number on that is none.
CAPEXPORT_LITERT_API const char* capexport_onnxruntime_input_name(
    const capexport_onnxruntime* graph, int32_t number);
CAPEXPORT_LITERT_API const char* capexport_onnxruntime_output_name(
    const capexport_onnxruntime* graph, int32_t number);

/// Shape and data of an input. The data are read by the next runs, until they are set anew.
CAPEXPORT_LITERT_API int32_t capexport_onnxruntime_set_input(capexport_onnxruntime* graph,
                                                             const char* name,
                                                             const capexport_tensor* tensor);

/// Computes all outputs; all inputs must have been set.
CAPEXPORT_LITERT_API int32_t capexport_onnxruntime_run(capexport_onnxruntime* graph);

/// An output of the last run, which must have succeeded.
CAPEXPORT_LITERT_API int32_t capexport_onnxruntime_output(capexport_onnxruntime* graph,
                                                          const char* name,
                                                          capexport_tensor* tensor);

#ifdef __cplusplus
}
#endif
#endif
