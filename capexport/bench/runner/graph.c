/* The runtime's name -> its graphs; libraries that are opened at run time. */
#include "graph.h"

#include <dlfcn.h>
#include <string.h>

#include "failure.h"

graph* open_graph(const description* settings, const char* model) {
  if (strcmp(settings->runtime, "litert") == 0) return open_litert(settings, model);
  if (strcmp(settings->runtime, "onnxruntime") == 0) return open_onnxruntime(settings, model);
  stop(settings->runtime, "is no runtime");
}

void* open_shared(const char* path) {
  void* library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (!library) stop(path, dlerror());
  return library;
}

/* dlsym leaves the cast from an object's address to its callers. */
void look_up(void* library, const char* name, void* function) {
  void* symbol = dlsym(library, name);
  if (!symbol) stop(name, "the library has no such function");
  memcpy(function, &symbol, sizeof symbol);
}
