/* The part of ONNX Runtime's C interface that the adapters and the runner use, written down by
 * hand, so that no header of ONNX Runtime is needed to build them.
 *
 * OrtApi is a table of functions to which releases only append: a place in it never changes its
 * meaning. Those for custom operators exist since API level 17, which ONNX Runtime 1.17 brought. */
#ifndef CK_ORT_ABI_H
#define CK_ORT_ABI_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { ORT_API_LEVEL = 17 };

enum { ORT_FAIL = 1, ORT_INVALID_ARGUMENT = 2 };                     /* OrtErrorCode */
enum { ORT_TENSOR_FLOAT = 1, ORT_TENSOR_UINT8 = 2, ORT_TENSOR_INT8 = 3, ORT_TENSOR_INT32 = 6 };
enum { ORT_REQUIRED = 0 };                                           /* of an input or output */
enum { ORT_MEMORY_DEFAULT = 0, ORT_ARENA_ALLOCATOR = 1 };
enum { ORT_LOG_FATAL = 4 };

typedef struct OrtStatus OrtStatus; /* NULL: all is well */
typedef struct OrtEnv OrtEnv;
typedef struct OrtSession OrtSession;
typedef struct OrtSessionOptions OrtSessionOptions;
typedef struct OrtRunOptions OrtRunOptions;
typedef struct OrtAllocator OrtAllocator;
typedef struct OrtMemoryInfo OrtMemoryInfo;
typedef struct OrtCustomOpDomain OrtCustomOpDomain;
typedef struct OrtKernelInfo OrtKernelInfo;
typedef struct OrtKernelContext OrtKernelContext;
typedef struct OrtValue OrtValue;
typedef struct OrtTensorTypeAndShapeInfo OrtTensorTypeAndShapeInfo;
typedef struct OrtCustomOp OrtCustomOp;
typedef struct OrtLogger OrtLogger;
typedef struct OrtGraph OrtGraph;
typedef struct OrtNode OrtNode;
typedef struct OrtValueInfo OrtValueInfo;
typedef struct OrtHardwareDevice OrtHardwareDevice;
typedef struct OrtEpApi OrtEpApi;
typedef void (*ort_skipped)(void);

typedef struct {
  OrtStatus* (*CreateStatus)(int code, const char* message);
  ort_skipped skipped_1;
  const char* (*GetErrorMessage)(const OrtStatus* status);
  OrtStatus* (*CreateEnv)(int level, const char* name, OrtEnv** out);
  ort_skipped skipped_4[3];
  OrtStatus* (*CreateSession)(const OrtEnv* env, const char* path, const OrtSessionOptions* options,
                              OrtSession** out);
  ort_skipped skipped_8;
  OrtStatus* (*Run)(OrtSession* session, const OrtRunOptions* options, const char* const* input_names,
                    const OrtValue* const* inputs, size_t input_count,
                    const char* const* output_names, size_t output_count, OrtValue** outputs);
  OrtStatus* (*CreateSessionOptions)(OrtSessionOptions** out);
  ort_skipped skipped_11[3];
  OrtStatus* (*EnableProfiling)(OrtSessionOptions* options, const char* file_prefix);
  ort_skipped skipped_15[7];
  OrtStatus* (*SetSessionLogSeverityLevel)(OrtSessionOptions* options, int level);
  ort_skipped skipped_23;
  OrtStatus* (*SetIntraOpNumThreads)(OrtSessionOptions* options, int threads);
  OrtStatus* (*SetInterOpNumThreads)(OrtSessionOptions* options, int threads);
  OrtStatus* (*CreateCustomOpDomain)(const char* domain, OrtCustomOpDomain** out);
  OrtStatus* (*CustomOpDomain_Add)(OrtCustomOpDomain* domain, const OrtCustomOp* op);
  OrtStatus* (*AddCustomOpDomain)(OrtSessionOptions* options, OrtCustomOpDomain* domain);
  ort_skipped skipped_29;
  OrtStatus* (*SessionGetInputCount)(const OrtSession* session, size_t* out);
  OrtStatus* (*SessionGetOutputCount)(const OrtSession* session, size_t* out);
  ort_skipped skipped_32[4];
  OrtStatus* (*SessionGetInputName)(const OrtSession* session, size_t index,
                                    OrtAllocator* allocator, char** out);
  OrtStatus* (*SessionGetOutputName)(const OrtSession* session, size_t index,
                                     OrtAllocator* allocator, char** out);
  ort_skipped skipped_38[11];
  OrtStatus* (*CreateTensorWithDataAsOrtValue)(const OrtMemoryInfo* info, void* data, size_t bytes,
                                               const int64_t* dims, size_t rank, int type,
                                               OrtValue** out);
  ort_skipped skipped_50;
  OrtStatus* (*GetTensorMutableData)(const OrtValue* value, void** out);
  ort_skipped skipped_52[8];
  OrtStatus* (*GetTensorElementType)(const OrtTensorTypeAndShapeInfo* info, int* out);
  OrtStatus* (*GetDimensionsCount)(const OrtTensorTypeAndShapeInfo* info, size_t* out);
  OrtStatus* (*GetDimensions)(const OrtTensorTypeAndShapeInfo* info, int64_t* dims, size_t count);
  ort_skipped skipped_63[2];
  OrtStatus* (*GetTensorTypeAndShape)(const OrtValue* value, OrtTensorTypeAndShapeInfo** out);
  ort_skipped skipped_66[3];
  OrtStatus* (*CreateCpuMemoryInfo)(int allocator, int memory, OrtMemoryInfo** out);
  ort_skipped skipped_70[6];
  OrtStatus* (*AllocatorFree)(OrtAllocator* allocator, void* memory);
  ort_skipped skipped_77;
  OrtStatus* (*GetAllocatorWithDefaultOptions)(OrtAllocator** out);
  ort_skipped skipped_79[7];
  OrtStatus* (*KernelInfoGetAttribute_int64)(const OrtKernelInfo* info, const char* name,
                                             int64_t* out);
  ort_skipped skipped_87[3];
  OrtStatus* (*KernelContext_GetInput)(const OrtKernelContext* context, size_t index,
                                       const OrtValue** out);
  OrtStatus* (*KernelContext_GetOutput)(OrtKernelContext* context, size_t index,
                                        const int64_t* dims, size_t rank, OrtValue** out);
  void (*ReleaseEnv)(OrtEnv* env);
  void (*ReleaseStatus)(OrtStatus* status);
  void (*ReleaseMemoryInfo)(OrtMemoryInfo* info);
  void (*ReleaseSession)(OrtSession* session);
  void (*ReleaseValue)(OrtValue* value);
  ort_skipped skipped_97[2];
  void (*ReleaseTensorTypeAndShapeInfo)(OrtTensorTypeAndShapeInfo* info);
  void (*ReleaseSessionOptions)(OrtSessionOptions* options);
  void (*ReleaseCustomOpDomain)(OrtCustomOpDomain* domain);
  ort_skipped skipped_102[8];
  OrtStatus* (*SessionEndProfiling)(OrtSession* session, OrtAllocator* allocator, char** file);
  ort_skipped skipped_111[39];
  OrtStatus* (*AddInitializer)(OrtSessionOptions* options, const char* name, const OrtValue* value);
  ort_skipped skipped_151[77];
  OrtStatus* (*RegisterCustomOpsLibrary_V2)(OrtSessionOptions* options, const char* path);
  ort_skipped skipped_229[8];
  OrtStatus* (*HasSessionConfigEntry)(const OrtSessionOptions* options, const char* key, int* out);
  OrtStatus* (*GetSessionConfigEntry)(const OrtSessionOptions* options, const char* key, char* out,
                                      size_t* size);
  ort_skipped skipped_239[5];
  OrtStatus* (*KernelInfo_GetNodeName)(const OrtKernelInfo* info, char* out, size_t* size);
  ort_skipped skipped_245[2];
  OrtStatus* (*Logger_LogMessage)(const OrtLogger* logger, int severity, const char* message,
                                  const char* file, int line, const char* function);
  ort_skipped skipped_248;
  OrtStatus* (*KernelInfoGetConstantInput_tensor)(const OrtKernelInfo* info, size_t index,
                                                  int* is_constant, const OrtValue** out);
  ort_skipped skipped_250[24];
  OrtStatus* (*KernelContext_ParallelFor)(const OrtKernelContext* context,
                                          void (*function)(void* data, size_t index), size_t total,
                                          size_t batches, void* data);
  /* From here on level 23, ONNX Runtime 1.23: for execution providers. */
  ort_skipped skipped_275[14];
  OrtStatus* (*GetValueInfoName)(const OrtValueInfo* value, const char** out);
  ort_skipped skipped_290[17];
  int (*HardwareDevice_Type)(const OrtHardwareDevice* device);
  ort_skipped skipped_308[9];
  const OrtEpApi* (*GetEpApi)(void);
  ort_skipped skipped_318[8];
  OrtStatus* (*ValueInfo_GetInitializerValue)(const OrtValueInfo* value, const OrtValue** out);
  ort_skipped skipped_327[4];
  OrtStatus* (*ValueInfo_IsConstantInitializer)(const OrtValueInfo* value, bool* out);
  ort_skipped skipped_332[12];
  OrtStatus* (*Graph_GetNumNodes)(const OrtGraph* graph, size_t* out);
  OrtStatus* (*Graph_GetNodes)(const OrtGraph* graph, const OrtNode** out, size_t count);
  ort_skipped skipped_346[3];
  OrtStatus* (*Node_GetName)(const OrtNode* node, const char** out);
  OrtStatus* (*Node_GetOperatorType)(const OrtNode* node, const char** out);
  OrtStatus* (*Node_GetDomain)(const OrtNode* node, const char** out);
  ort_skipped skipped_352;
  OrtStatus* (*Node_GetNumInputs)(const OrtNode* node, size_t* out);
  OrtStatus* (*Node_GetInputs)(const OrtNode* node, const OrtValueInfo** out, size_t count);
} OrtApi;

#define ORT_PLACE(function, place)                                     \
  _Static_assert(offsetof(OrtApi, function) == (place) * sizeof(void*), \
                 #function " is not at its place")
ORT_PLACE(GetErrorMessage, 2);
ORT_PLACE(CreateSession, 7);
ORT_PLACE(Run, 9);
ORT_PLACE(EnableProfiling, 14);
ORT_PLACE(SetSessionLogSeverityLevel, 22);
ORT_PLACE(SetIntraOpNumThreads, 24);
ORT_PLACE(CreateCustomOpDomain, 26);
ORT_PLACE(SessionGetInputCount, 30);
ORT_PLACE(SessionGetOutputCount, 31);
ORT_PLACE(SessionGetInputName, 36);
ORT_PLACE(SessionGetOutputName, 37);
ORT_PLACE(CreateTensorWithDataAsOrtValue, 49);
ORT_PLACE(GetTensorMutableData, 51);
ORT_PLACE(GetTensorElementType, 60);
ORT_PLACE(GetDimensionsCount, 61);
ORT_PLACE(GetTensorTypeAndShape, 65);
ORT_PLACE(CreateCpuMemoryInfo, 69);
ORT_PLACE(AllocatorFree, 76);
ORT_PLACE(GetAllocatorWithDefaultOptions, 78);
ORT_PLACE(KernelInfoGetAttribute_int64, 86);
ORT_PLACE(KernelContext_GetInput, 90);
ORT_PLACE(ReleaseStatus, 93);
ORT_PLACE(ReleaseValue, 96);
ORT_PLACE(ReleaseTensorTypeAndShapeInfo, 99);
ORT_PLACE(ReleaseCustomOpDomain, 101);
ORT_PLACE(SessionEndProfiling, 110);
ORT_PLACE(AddInitializer, 150);
ORT_PLACE(RegisterCustomOpsLibrary_V2, 228);
ORT_PLACE(HasSessionConfigEntry, 237);
ORT_PLACE(KernelInfo_GetNodeName, 244);
ORT_PLACE(Logger_LogMessage, 247);
ORT_PLACE(KernelInfoGetConstantInput_tensor, 249);
ORT_PLACE(KernelContext_ParallelFor, 274);
ORT_PLACE(GetValueInfoName, 289);
ORT_PLACE(HardwareDevice_Type, 307);
ORT_PLACE(GetEpApi, 317);
ORT_PLACE(ValueInfo_GetInitializerValue, 326);
ORT_PLACE(ValueInfo_IsConstantInitializer, 331);
ORT_PLACE(Graph_GetNumNodes, 344);
ORT_PLACE(Node_GetName, 349);
ORT_PLACE(Node_GetNumInputs, 353);

typedef struct {
  const OrtApi* (*GetApi)(uint32_t level); /* NULL: the runtime is older */
  const char* (*GetVersionString)(void);
} OrtApiBase;

/* As of level 16; a runtime reads no later field of an operator that says so. */
enum { ORT_CUSTOM_OP_LEVEL = 16 };

struct OrtCustomOp {
  uint32_t version;
  ort_skipped CreateKernel;
  const char* (*GetName)(const OrtCustomOp* op);
  const char* (*GetExecutionProviderType)(const OrtCustomOp* op);
  int (*GetInputType)(const OrtCustomOp* op, size_t index);
  size_t (*GetInputTypeCount)(const OrtCustomOp* op);
  int (*GetOutputType)(const OrtCustomOp* op, size_t index);
  size_t (*GetOutputTypeCount)(const OrtCustomOp* op);
  ort_skipped KernelCompute;
  void (*KernelDestroy)(void* kernel);
  int (*GetInputCharacteristic)(const OrtCustomOp* op, size_t index);
  int (*GetOutputCharacteristic)(const OrtCustomOp* op, size_t index);
  int (*GetInputMemoryType)(const OrtCustomOp* op, size_t index);
  int (*GetVariadicInputMinArity)(const OrtCustomOp* op);
  int (*GetVariadicInputHomogeneity)(const OrtCustomOp* op);
  int (*GetVariadicOutputMinArity)(const OrtCustomOp* op);
  int (*GetVariadicOutputHomogeneity)(const OrtCustomOp* op);
  OrtStatus* (*CreateKernelV2)(const OrtCustomOp* op, const OrtApi* api, const OrtKernelInfo* info,
                               void** kernel);
  OrtStatus* (*KernelComputeV2)(void* kernel, OrtKernelContext* context);
};
#endif
