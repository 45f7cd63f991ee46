/* The part of ONNX Runtime's C interface that opens and runs a session, written down by hand, so that
 * no header of ONNX Runtime is needed.
 *
 * OrtApi is a table of functions to which releases only append: a place in it never changes its
 * meaning. Places are those of onnxruntime_c_api.h 1.21; all exist since API level 17. */
#ifndef ORT_SESSION_ABI_H
#define ORT_SESSION_ABI_H
#include <stddef.h>
#include <stdint.h>

enum { ORT_API_LEVEL = 17 };
enum { ORT_FATAL = 4 /* the logging level */, ORT_ARENA_ALLOCATOR = 1, ORT_MEMORY_DEFAULT = 0 };
enum { ORT_TENSOR_FLOAT = 1, ORT_TENSOR_UINT8 = 2, ORT_TENSOR_INT32 = 6 };

typedef struct OrtStatus OrtStatus; /* NULL: all is well */
typedef struct OrtEnv OrtEnv;
typedef struct OrtSession OrtSession;
typedef struct OrtSessionOptions OrtSessionOptions;
typedef struct OrtRunOptions OrtRunOptions;
typedef struct OrtAllocator OrtAllocator;
typedef struct OrtMemoryInfo OrtMemoryInfo;
typedef struct OrtValue OrtValue;
typedef struct OrtTensorTypeAndShapeInfo OrtTensorTypeAndShapeInfo;
typedef void (*ort_skipped)(void);

typedef struct {
  ort_skipped skipped_0[2];
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
  ort_skipped skipped_11[11];
  OrtStatus* (*SetSessionLogSeverityLevel)(OrtSessionOptions* options, int level);
  ort_skipped skipped_23;
  OrtStatus* (*SetIntraOpNumThreads)(OrtSessionOptions* options, int threads);
  OrtStatus* (*SetInterOpNumThreads)(OrtSessionOptions* options, int threads);
  ort_skipped skipped_26[5];
  OrtStatus* (*SessionGetOutputCount)(const OrtSession* session, size_t* out);
  ort_skipped skipped_32[5];
  OrtStatus* (*SessionGetOutputName)(const OrtSession* session, size_t index,
                                     OrtAllocator* allocator, char** out);
  ort_skipped skipped_38[11];
  OrtStatus* (*CreateTensorWithDataAsOrtValue)(const OrtMemoryInfo* info, void* data, size_t bytes,
                                               const int64_t* dims, size_t rank, int type,
                                               OrtValue** out);
  ort_skipped skipped_50;
  OrtStatus* (*GetTensorMutableData)(OrtValue* value, void** out);
  ort_skipped skipped_52[8];
  OrtStatus* (*GetTensorElementType)(const OrtTensorTypeAndShapeInfo* info, int* out);
  OrtStatus* (*GetDimensionsCount)(const OrtTensorTypeAndShapeInfo* info, size_t* out);
  OrtStatus* (*GetDimensions)(const OrtTensorTypeAndShapeInfo* info, int64_t* dims, size_t count);
  ort_skipped skipped_63[2];
  OrtStatus* (*GetTensorTypeAndShape)(const OrtValue* value, OrtTensorTypeAndShapeInfo** out);
  ort_skipped skipped_66[3];
  OrtStatus* (*CreateCpuMemoryInfo)(int allocator, int memory, OrtMemoryInfo** out);
  ort_skipped skipped_70[8];
  OrtStatus* (*GetAllocatorWithDefaultOptions)(OrtAllocator** out);
  ort_skipped skipped_79[17];
  void (*ReleaseValue)(OrtValue* value);
  ort_skipped skipped_97[2];
  void (*ReleaseTensorTypeAndShapeInfo)(OrtTensorTypeAndShapeInfo* info);
  ort_skipped skipped_100[128];
  OrtStatus* (*RegisterCustomOpsLibrary_V2)(OrtSessionOptions* options, const char* path);
} OrtApi;

#define ORT_PLACE(function, place)                                      \
  _Static_assert(offsetof(OrtApi, function) == (place) * sizeof(void*), \
                 #function " is not at its place")
ORT_PLACE(GetErrorMessage, 2);
ORT_PLACE(CreateSession, 7);
ORT_PLACE(Run, 9);
ORT_PLACE(SetSessionLogSeverityLevel, 22);
ORT_PLACE(SetIntraOpNumThreads, 24);
ORT_PLACE(SessionGetOutputCount, 31);
ORT_PLACE(SessionGetOutputName, 37);
ORT_PLACE(CreateTensorWithDataAsOrtValue, 49);
ORT_PLACE(GetTensorMutableData, 51);
ORT_PLACE(GetTensorElementType, 60);
ORT_PLACE(GetTensorTypeAndShape, 65);
ORT_PLACE(CreateCpuMemoryInfo, 69);
ORT_PLACE(GetAllocatorWithDefaultOptions, 78);
ORT_PLACE(ReleaseValue, 96);
ORT_PLACE(ReleaseTensorTypeAndShapeInfo, 99);
ORT_PLACE(RegisterCustomOpsLibrary_V2, 228);

typedef struct {
  const OrtApi* (*GetApi)(uint32_t level); /* NULL: the runtime is older */
  const char* (*GetVersionString)(void);
} OrtApiBase;
#endif
