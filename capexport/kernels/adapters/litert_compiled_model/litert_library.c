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

/* A function by its name; the cast from an object's address is what dlsym leaves to its callers. */
static lrt_status look_up(const lrt_library* library, const char* name, void* function,
                          failure* why) {
  void* symbol = dlsym(library->handle, name);
  if (!symbol) return fail(why, "this LiteRT has no %s; 2.3 has", name);
  memcpy(function, &symbol, sizeof symbol);
  return LRT_OK;
}

lrt_status open_library(const char* path, lrt_library* library, failure* why) {
  library->handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
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

void close_library(lrt_library* library) {
  if (library->handle) dlclose(library->handle);
  library->handle = NULL;
}
