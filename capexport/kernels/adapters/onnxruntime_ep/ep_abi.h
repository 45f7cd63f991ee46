/* The structures of an execution provider in a library of its own, as ONNX Runtime 1.23 laid them
 * out (onnxruntime_ep_c_api.h). Each says its level first; a runtime reads nothing newer of it. */
#ifndef CK_EP_ABI_H
#define CK_EP_ABI_H
#include "../onnxruntime/ort_abi.h"

enum { EP_API_LEVEL = 23 };
enum { ORT_HARDWARE_CPU = 0 };                      /* OrtHardwareDeviceType */
enum { ORT_LOG_INFO = 1, ORT_LOG_WARNING = 2 };     /* OrtLoggingLevel */

typedef struct OrtEpGraphSupportInfo OrtEpGraphSupportInfo;
typedef struct OrtEpDevice OrtEpDevice;
typedef struct OrtKeyValuePairs OrtKeyValuePairs;
typedef struct OrtMemoryInfo OrtMemoryInfo;
typedef struct OrtAllocator OrtAllocator;
typedef struct OrtDataTransferImpl OrtDataTransferImpl;
typedef struct OrtNodeComputeContext OrtNodeComputeContext;
typedef struct OrtNodeComputeInfo OrtNodeComputeInfo;
typedef struct OrtEp OrtEp;
typedef struct OrtEpFactory OrtEpFactory;

typedef struct {
  uint32_t level;
  bool drop_constant_initializers; /* they may be freed once Compile has returned */
} OrtNodeFusionOptions;

struct OrtEpApi {
  OrtStatus* (*CreateEpDevice)(OrtEpFactory* factory, const OrtHardwareDevice* device,
                               const OrtKeyValuePairs* metadata, const OrtKeyValuePairs* options,
                               OrtEpDevice** out);
  ort_skipped release_ep_device;
  OrtStatus* (*EpGraphSupportInfo_AddNodesToFuse)(OrtEpGraphSupportInfo* info,
                                                  const OrtNode* const* nodes, size_t count,
                                                  const OrtNodeFusionOptions* options);
};

struct OrtNodeComputeInfo {
  uint32_t level;
  OrtStatus* (*CreateState)(OrtNodeComputeInfo* info, OrtNodeComputeContext* context, void** state);
  OrtStatus* (*Compute)(OrtNodeComputeInfo* info, void* state, OrtKernelContext* context);
  void (*ReleaseState)(OrtNodeComputeInfo* info, void* state);
};

struct OrtEp {
  uint32_t level;
  const char* (*GetName)(const OrtEp* ep);
  OrtStatus* (*GetCapability)(OrtEp* ep, const OrtGraph* graph, OrtEpGraphSupportInfo* info);
  OrtStatus* (*Compile)(OrtEp* ep, const OrtGraph** graphs, const OrtNode** fused, size_t count,
                        OrtNodeComputeInfo** out, OrtNode** context_nodes);
  void (*ReleaseNodeComputeInfos)(OrtEp* ep, OrtNodeComputeInfo** infos, size_t count);
  ort_skipped optional[8]; /* NULL */
};

struct OrtEpFactory {
  uint32_t level;
  const char* (*GetName)(const OrtEpFactory* factory);
  const char* (*GetVendor)(const OrtEpFactory* factory);
  OrtStatus* (*GetSupportedDevices)(OrtEpFactory* factory, const OrtHardwareDevice* const* devices,
                                    size_t count, OrtEpDevice** out, size_t most, size_t* found);
  OrtStatus* (*CreateEp)(OrtEpFactory* factory, const OrtHardwareDevice* const* devices,
                         const OrtKeyValuePairs* const* metadata, size_t count,
                         const OrtSessionOptions* options, const OrtLogger* logger, OrtEp** out);
  void (*ReleaseEp)(OrtEpFactory* factory, OrtEp* ep);
  uint32_t (*GetVendorId)(const OrtEpFactory* factory);
  const char* (*GetVersion)(const OrtEpFactory* factory);
  ort_skipped validate_compiled_model; /* NULL: optional */
  OrtStatus* (*CreateAllocator)(OrtEpFactory* factory, const OrtMemoryInfo* info,
                                const OrtKeyValuePairs* options, OrtAllocator** out);
  void (*ReleaseAllocator)(OrtEpFactory* factory, OrtAllocator* allocator);
  OrtStatus* (*CreateDataTransfer)(OrtEpFactory* factory, OrtDataTransferImpl** out);
  bool (*IsStreamAware)(const OrtEpFactory* factory);
  ort_skipped create_sync_stream; /* NULL: optional */
};
#endif
