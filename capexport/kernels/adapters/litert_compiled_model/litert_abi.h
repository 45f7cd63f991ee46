/* The part of LiteRT's C interface that is used, by its layout: no header of LiteRT is needed.
 *
 * It is that of libLiteRt.so 2.3.0 (litert/c of the LiteRT repository). Releases 2.x may move it:
 * every symbol is looked up, and layouts and sizes are checked against each other. */
#ifndef LITERT_ABI_H
#define LITERT_ABI_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef int lrt_status; /* 0: all is well */
typedef void* lrt_handle;

enum {
  LRT_ACCELERATOR_CPU = 1,
  LRT_LOCK_READ = 0,
  LRT_LOCK_WRITE = 1,
  LRT_MOST_AXES = 8,
  LRT_CUSTOM = 32 /* code of an operator, as TFLite numbers them */
};

typedef struct {
  unsigned rank : 7, has_strides : 1;
  int32_t dims[LRT_MOST_AXES];
  uint32_t strides[LRT_MOST_AXES];
} lrt_layout;

typedef struct {
  int element_type; /* as TFLite numbers them */
  lrt_layout layout;
} lrt_tensor_type;

/* The functions behind one operator name: per name, not per node, and told neither node nor weights
 * but through the tensors. What they return is ignored (custom_op_dispatcher.cc). */
typedef struct {
  lrt_status (*init)(void* data, const void* options, size_t size);
  lrt_status (*output_layouts)(void* data, size_t inputs, const lrt_layout* input, size_t outputs,
                               lrt_layout* output);
  lrt_status (*run)(void* data, size_t inputs, const lrt_handle* input, size_t outputs,
                    lrt_handle* output);
  lrt_status (*destroy)(void* data);
  void* reserved[8]; /* NULL, for what a later release may look for */
} lrt_kernel;

/* X(result, name without "LiteRt", parameters) */
#define LRT_FUNCTIONS(X)                                                                          \
  X(lrt_status, CreateEnvironment, (int options, const void* values, lrt_handle* out))            \
  X(void, DestroyEnvironment, (lrt_handle environment))                                           \
  X(lrt_status, CreateModelFromFile,                                                              \
    (lrt_handle environment, const char* path, lrt_handle* out))                                  \
  X(void, DestroyModel, (lrt_handle model))                                                       \
  X(lrt_status, CreateOptions, (lrt_handle * out))                                                \
  X(void, DestroyOptions, (lrt_handle options))                                                   \
  X(lrt_status, SetOptionsHardwareAccelerators, (lrt_handle options, int accelerators))           \
  X(lrt_status, CreateOpaqueOptions,                                                              \
    (const char* name, void* payload, void (*release)(void*), lrt_handle* out))                   \
  X(lrt_status, AddOpaqueOptions, (lrt_handle options, lrt_handle takes_ownership))               \
  X(lrt_status, AddCustomOpKernelOption,                                                          \
    (lrt_handle options, const char* name, int version, const lrt_kernel* kernel, void* data))    \
  X(lrt_status, CreateCompiledModel,                                                              \
    (lrt_handle environment, lrt_handle model, lrt_handle options, lrt_handle* out))              \
  X(void, DestroyCompiledModel, (lrt_handle compiled))                                            \
  X(lrt_status, CompiledModelResizeInputTensor,                                                   \
    (lrt_handle compiled, size_t signature, size_t input, const int* dims, size_t rank))          \
  X(lrt_status, GetCompiledModelOutputTensorLayouts,                                              \
    (lrt_handle compiled, size_t signature, size_t outputs, lrt_layout* out, bool allocate))      \
  X(lrt_status, GetCompiledModelInputBufferRequirements,                                          \
    (lrt_handle compiled, size_t signature, size_t input, lrt_handle* out))                       \
  X(lrt_status, GetCompiledModelOutputBufferRequirements,                                         \
    (lrt_handle compiled, size_t signature, size_t output, lrt_handle* out))                      \
  X(lrt_status, RunCompiledModel,                                                                 \
    (lrt_handle compiled, size_t signature, size_t inputs, lrt_handle* input, size_t outputs,     \
     lrt_handle* output))                                                                         \
  X(lrt_status, CreateManagedTensorBufferFromRequirements,                                        \
    (lrt_handle environment, const lrt_tensor_type* type, lrt_handle requirements,                \
     lrt_handle* out))                                                                            \
  X(void, DestroyTensorBuffer, (lrt_handle buffer))                                               \
  X(lrt_status, GetTensorBufferTensorType, (lrt_handle buffer, lrt_tensor_type* out))             \
  X(lrt_status, GetTensorBufferPackedSize, (lrt_handle buffer, size_t* out))                      \
  X(lrt_status, LockTensorBuffer, (lrt_handle buffer, void** out, int mode))                      \
  X(lrt_status, UnlockTensorBuffer, (lrt_handle buffer))                                          \
  X(lrt_status, GetNumModelSignatures, (lrt_handle model, size_t* out))                           \
  X(lrt_status, GetModelSignature, (lrt_handle model, size_t number, lrt_handle* out))            \
  X(lrt_status, GetNumSignatureInputs, (lrt_handle signature, size_t* out))                       \
  X(lrt_status, GetNumSignatureOutputs, (lrt_handle signature, size_t* out))                      \
  X(lrt_status, GetSignatureInputName, (lrt_handle signature, size_t number, const char** out))   \
  X(lrt_status, GetSignatureOutputName, (lrt_handle signature, size_t number, const char** out))  \
  X(lrt_status, GetSignatureInputTensorByIndex,                                                   \
    (lrt_handle signature, size_t number, lrt_handle* out))                                       \
  X(lrt_status, GetSignatureOutputTensorByIndex,                                                  \
    (lrt_handle signature, size_t number, lrt_handle* out))                                       \
  X(lrt_status, GetSignatureSubgraph, (lrt_handle signature, lrt_handle* out))                    \
  X(lrt_status, GetNumSubgraphOps, (lrt_handle subgraph, size_t* out))                            \
  X(lrt_status, GetSubgraphOp, (lrt_handle subgraph, size_t number, lrt_handle* out))             \
  X(lrt_status, GetOpCode, (lrt_handle op, int* out))                                             \
  X(lrt_status, GetCustomCode, (lrt_handle op, const char** out))                                 \
  X(lrt_status, GetCustomOptions, (lrt_handle op, const uint8_t** out, size_t* size))             \
  X(lrt_status, GetNumOpInputs, (lrt_handle op, size_t* out))                                     \
  X(lrt_status, GetNumOpOutputs, (lrt_handle op, size_t* out))                                    \
  X(lrt_status, GetOpInput, (lrt_handle op, size_t number, lrt_handle* out))                      \
  X(lrt_status, GetOpOutput, (lrt_handle op, size_t number, lrt_handle* out))                     \
  X(lrt_status, GetTensorName, (lrt_handle tensor, const char** out))                             \
  X(lrt_status, GetRankedTensorType, (lrt_handle tensor, lrt_tensor_type* out))                   \
  X(lrt_status, GetTensorWeights, (lrt_handle tensor, lrt_handle* out))                           \
  X(lrt_status, GetWeightsBytes, (lrt_handle weights, const void** out, size_t* size))

#define LRT_FIELD(result, name, parameters) result(*name) parameters;
typedef struct {
  void* handle; /* of the loaded library */
  LRT_FUNCTIONS(LRT_FIELD)
} lrt_library;
#undef LRT_FIELD
#endif
