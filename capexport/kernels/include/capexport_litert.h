/* A .tflite with packed weights, run by the compiled models of LiteRT 2.x: the C interface.
 *
 * LiteRT's library is opened at run time by its path, so that the same source serves the library of
 * a desktop wheel and the one inside an Android package. No header of LiteRT is needed.
 *
 *     char why[256];
 *     capexport_litert* graph = capexport_litert_open("libLiteRt.so", "decoder.tflite", 1, why,
 *                                                     sizeof why);
 *     capexport_tensor x = {CAPEXPORT_INT32, 1, {3}, ids};
 *     capexport_litert_set_input(graph, "token", &x);             for every input
 *     capexport_litert_run(graph);
 *     capexport_litert_output(graph, "log_probs", &y);            y.data until the next run
 *     capexport_litert_close(graph);
 *
 * Functions that return int32_t give 0 for success; otherwise capexport_litert_message says why. A
 * graph belongs to one thread at a time. Two graphs share nothing.
 */
#ifndef CAPEXPORT_LITERT_H
#define CAPEXPORT_LITERT_H
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define CAPEXPORT_LITERT_API __attribute__((visibility("default")))

enum { CAPEXPORT_MOST_AXES = 8 };

/* Types of elements: four bytes, or one (a picture). */
enum { CAPEXPORT_FLOAT32 = 1, CAPEXPORT_INT32 = 2, CAPEXPORT_UINT8 = 3 };

typedef struct {
  int32_t type;
  int32_t rank;
  int32_t dims[CAPEXPORT_MOST_AXES];
  const void* data; /* row by row, without gaps */
} capexport_tensor;

typedef struct capexport_litert capexport_litert;

/// Opens `model` in the LiteRT library at the path `library`; `threads`, 1 to 64, share
/// the work of an operator, LiteRT's and ours alike. NULL after the reason was written to `message` (message_size bytes, at least one).
CAPEXPORT_LITERT_API capexport_litert* capexport_litert_open(const char* library, const char* model,
                                                             int32_t threads, char* message,
                                                             size_t message_size);

/// The same, with LiteRT's profiler on from the first run: each run takes a little longer.
CAPEXPORT_LITERT_API capexport_litert* capexport_litert_open_profiled(
    const char* library, const char* model, int32_t threads, char* message, size_t message_size);

CAPEXPORT_LITERT_API void capexport_litert_close(capexport_litert* graph);

/// Why the last call failed, "" if it did not.
CAPEXPORT_LITERT_API const char* capexport_litert_message(const capexport_litert* graph);

/// Names of inputs and outputs; NULL from the first number on that is none.
CAPEXPORT_LITERT_API const char* capexport_litert_input_name(const capexport_litert* graph,
                                                             int32_t number);
CAPEXPORT_LITERT_API const char* capexport_litert_output_name(const capexport_litert* graph,
                                                              int32_t number);

/// Shape and data of an input. The data are read by the next runs, until they are set anew; a shape
/// that differs from the last run's makes that run allocate, and perhaps pack weights.
CAPEXPORT_LITERT_API int32_t capexport_litert_set_input(capexport_litert* graph, const char* name,
                                                        const capexport_tensor* tensor);

/// Computes all outputs; all inputs must have been set.
CAPEXPORT_LITERT_API int32_t capexport_litert_run(capexport_litert* graph);

/// An output of the last run, which must have succeeded.
CAPEXPORT_LITERT_API int32_t capexport_litert_output(capexport_litert* graph, const char* name,
                                                     capexport_tensor* tensor);

enum { CAPEXPORT_MOST_PROFILED_INPUTS = 4 };

/// An operator that a run executed.
typedef struct {
  const char* name;     /* LiteRT's or XNNPACK's of its kind */
  int32_t is_delegated; /* by XNNPACK, which does not tell the tensors: none are named below */
  const char* output;   /* the first tensor that it computes */
  int32_t input_count;  /* of the names below: the first of those that it reads */
  const char* inputs[CAPEXPORT_MOST_PROFILED_INPUTS];
  int64_t microseconds;
} capexport_litert_event;

/// What the last run executed, in order: up to `most` events are written, and `*count` says how many
/// there are. Names last until the next run. Only of a graph that was opened as profiled.
CAPEXPORT_LITERT_API int32_t capexport_litert_profile(capexport_litert* graph,
                                                      capexport_litert_event* events, int32_t most,
                                                      int32_t* count);

#ifdef __cplusplus
}
#endif
#endif
