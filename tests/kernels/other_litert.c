/* LiteRT as a release could be that does not fit: one of its functions does something else. All
 * others are those of the real library, with which this one is linked.
 *
 * TYPE_BYTES: a tensor's type has so many bytes.
 * WRONG_SIZE: a buffer of so many bytes says that it has four less. */
#define _GNU_SOURCE /* RTLD_NEXT */
#include <dlfcn.h>
#include <stddef.h>
#include <string.h>

#include "litert_abi.h"

#define EXPORT __attribute__((visibility("default")))

#ifdef TYPE_BYTES
EXPORT lrt_status LiteRtGetRankedTensorType(lrt_handle tensor, void* out) {
  char type[512] = {0};
  lrt_status (*real)(lrt_handle, void*);
  *(void**)&real = dlsym(RTLD_NEXT, "LiteRtGetRankedTensorType");
  const lrt_status status = real(tensor, type);
  memcpy(out, type, TYPE_BYTES);
  return status;
}
#endif

#ifdef WRONG_SIZE
EXPORT lrt_status LiteRtGetTensorBufferPackedSize(lrt_handle buffer, size_t* out) {
  lrt_status (*real)(lrt_handle, size_t*);
  *(void**)&real = dlsym(RTLD_NEXT, "LiteRtGetTensorBufferPackedSize");
  const lrt_status status = real(buffer, out);
  if (*out == WRONG_SIZE) *out -= 4;
  return status;
}
#endif
