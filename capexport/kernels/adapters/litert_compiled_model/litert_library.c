/* dlopen and dlsym, and the words for what LiteRT refuses. */
#include "litert_library.h"

#include <dlfcn.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

lrt_status fail(failure* why, const char* format, ...) {
  if (why->text[0]) return LRT_FAILED;
  va_list values;
  va_start(values, format);
  vsnprintf(why->text, sizeof why->text, format, values);
  va_end(values);
  return LRT_FAILED;
}

lrt_status checked(lrt_status status, const char* what, failure* why) {
  return status == LRT_OK ? LRT_OK
                          : fail(why, "LiteRt%s failed with status %d; LiteRT's log has the reason",
                                 what, status);
}

/* The cast from an object's address is what dlsym leaves to its callers. */
lrt_status look_up(const lrt_library* library, const char* name, void* function, failure* why) {
  void* symbol = dlsym(library->handle, name);
  if (!symbol) return fail(why, "this LiteRT has no %s; 2.2 and 2.3 have", name);
  memcpy(function, &symbol, sizeof symbol);
  return LRT_OK;
}

lrt_status open_library(const char* path, lrt_library* library, failure* why) {
  /* It stays: releases 2.1 and 2.2 leave functions to exit() that must not have been unloaded. */
  library->handle = dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
  if (!library->handle) return fail(why, "LiteRT cannot be loaded: %s", dlerror());
#define LOOK_UP(result, name, parameters)                                            \
  if (look_up(library, "LiteRt" #name, (void*)&library->name, why) != LRT_OK) goto failed;
  LRT_FUNCTIONS(LOOK_UP)
#undef LOOK_UP
  return LRT_OK;
failed:
  close_library(library);
  return LRT_FAILED;
}

/* Bytes at the start of `memory` that are not `fill`. */
static size_t written(const uint8_t* memory, size_t size, uint8_t fill) {
  while (size > 0 && memory[size - 1] == fill) size--;
  return size;
}

lrt_status check_layout(const lrt_library* library, lrt_handle tensor, failure* why) {
  uint8_t memory[4 * sizeof(lrt_tensor_type)] __attribute__((aligned(64)));
  size_t most = 0;
  for (int i = 0; i < 2; i++) { /* what is written may look like one filling */
    const uint8_t fill = i ? 0x5a : 0xa5;
    memset(memory, fill, sizeof memory);
    if (checked(library->GetRankedTensorType(tensor, (void*)memory), "GetRankedTensorType", why))
      return LRT_FAILED;
    const size_t size = written(memory, sizeof memory, fill);
    if (size > most) most = size;
  }
  if (most == sizeof(lrt_tensor_type)) return LRT_OK;
  return fail(why, "this LiteRT writes the type of a tensor in %zu bytes, 2.3 in %zu", most,
              sizeof(lrt_tensor_type));
}

void close_library(lrt_library* library) {
  if (library->handle) dlclose(library->handle);
  library->handle = NULL;
}
