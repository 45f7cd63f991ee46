/* The entry points that ONNX Runtime looks for in a library of execution providers. */
#include <stdlib.h>

#include "provider.h"

#define EXPORT __attribute__((visibility("default")))

typedef struct {
  OrtEpFactory factory; /* first: what ONNX Runtime has of it */
  const OrtApi* api;
} provider_factory;

static const char* name(const OrtEpFactory* f) { return (void)f, PROVIDER_NAME; }
static const char* vendor(const OrtEpFactory* f) { return (void)f, "capexport"; }
static uint32_t vendor_id(const OrtEpFactory* f) { return (void)f, 0; }
static const char* version(const OrtEpFactory* f) { return (void)f, "0.1.0"; }
static bool is_stream_aware(const OrtEpFactory* f) { return (void)f, false; }

/* NULL everywhere: the memory is that of the CPU provider. */
static OrtStatus* create_allocator(OrtEpFactory* f, const OrtMemoryInfo* info,
                                   const OrtKeyValuePairs* options, OrtAllocator** out) {
  return (void)f, (void)info, (void)options, *out = NULL, NULL;
}
static void release_allocator(OrtEpFactory* f, OrtAllocator* allocator) {
  (void)f, (void)allocator;
}
static OrtStatus* create_data_transfer(OrtEpFactory* f, OrtDataTransferImpl** out) {
  return (void)f, *out = NULL, NULL;
}

static OrtStatus* supported_devices(OrtEpFactory* f, const OrtHardwareDevice* const* devices,
                                    size_t count, OrtEpDevice** out, size_t most, size_t* found) {
  const OrtApi* api = ((provider_factory*)f)->api;
  OrtStatus* status = NULL;
  *found = 0;
  for (size_t i = 0; i < count && *found < most && !status; i++) {
    if (api->HardwareDevice_Type(devices[i]) != ORT_HARDWARE_CPU) continue;
    status = api->GetEpApi()->CreateEpDevice(f, devices[i], NULL, NULL, &out[*found]);
    if (!status) ++*found;
  }
  return status;
}

static OrtStatus* create_ep(OrtEpFactory* f, const OrtHardwareDevice* const* devices,
                            const OrtKeyValuePairs* const* metadata, size_t count,
                            const OrtSessionOptions* options, const OrtLogger* logger,
                            OrtEp** out) {
  (void)devices, (void)metadata, (void)count;
  return create_provider(((provider_factory*)f)->api, options, logger, out);
}

static void release_ep(OrtEpFactory* f, OrtEp* ep) { (void)f, release_provider(ep); }

/* What an older runtime passes differs from the third argument on, so nothing there is touched. */
EXPORT OrtStatus* CreateEpFactories(const char* registered_name, const OrtApiBase* base,
                                    const OrtLogger* logger, OrtEpFactory** factories, size_t most,
                                    size_t* count) {
  (void)registered_name, (void)logger;
  const OrtApi* api = base->GetApi(EP_API_LEVEL);
  if (!api)
    return base->GetApi(1)->CreateStatus(
        ORT_FAIL, "capexport's execution provider needs ONNX Runtime 1.23 or later");
  *count = 0;
  if (most == 0) return api->CreateStatus(ORT_FAIL, "capexport: no room for a factory");
  provider_factory* new = calloc(1, sizeof *new);
  if (!new) return api->CreateStatus(ORT_FAIL, "capexport: out of memory");
  *new = (provider_factory){.factory = {.level = EP_API_LEVEL,
                                        .GetName = name,
                                        .GetVendor = vendor,
                                        .GetSupportedDevices = supported_devices,
                                        .CreateEp = create_ep,
                                        .ReleaseEp = release_ep,
                                        .GetVendorId = vendor_id,
                                        .GetVersion = version,
                                        .CreateAllocator = create_allocator,
                                        .ReleaseAllocator = release_allocator,
                                        .CreateDataTransfer = create_data_transfer,
                                        .IsStreamAware = is_stream_aware},
                            .api = api};
  factories[0] = &new->factory;
  *count = 1;
  return NULL;
}

EXPORT OrtStatus* ReleaseEpFactory(OrtEpFactory* factory) { return free(factory), NULL; }
