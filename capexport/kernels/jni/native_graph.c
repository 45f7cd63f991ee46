/* org.capexport.core.NativeGraph: an open graph behind a number.
 *
 * Texts are UTF-8 bytes, since Java's own form of it for native code is another one. Data lie in
 * direct buffers, which stay where they are; the Java side keeps them alive while they are bound. */
#include <stdlib.h>
#include <string.h>

#include "jni_abi.h"
#include "runtime_graph.h"

enum { MOST_TEXT = 4096, MOST_MESSAGE = 256 };

/* A method of NativeGraph. */
#define METHOD(result, name, ...)                                                                 \
  __attribute__((visibility("default"))) result Java_org_capexport_core_NativeGraph_##name(       \
      jni_env* env, jni_ref cls, __VA_ARGS__)

typedef struct {
  const runtime_functions* call;
  void* graph;
} native_graph;

static native_graph* from(int64_t handle) { return (native_graph*)(intptr_t)handle; }

/* 0 where it is longer than MOST_TEXT. */
static int read_text(jni_env* env, jni_ref bytes, char* out) {
  const int32_t length = (*env)->GetArrayLength(env, bytes);
  if (length >= MOST_TEXT) return 0;
  (*env)->GetByteArrayRegion(env, bytes, 0, length, (int8_t*)out);
  out[length] = 0;
  return 1;
}

/* NULL stays null. */
static jni_ref new_text(jni_env* env, const char* text) {
  if (!text) return NULL;
  const int32_t length = (int32_t)strlen(text);
  jni_ref bytes = (*env)->NewByteArray(env, length);
  if (bytes) (*env)->SetByteArrayRegion(env, bytes, 0, length, (const int8_t*)text);
  return bytes;
}

/* The graph's handle; 0 after the reason was written to `message`, ended by a zero. */
METHOD(int64_t, open, int32_t runtime, jni_ref library, jni_ref model, int32_t threads,
       jni_ref message) {
  (void)cls;
  char library_path[MOST_TEXT], model_path[MOST_TEXT], why[MOST_MESSAGE] = "a path is too long";
  native_graph* g = calloc(1, sizeof *g);
  if (g) g->call = runtime_by_number(runtime);
  if (g && g->call && read_text(env, library, library_path) && read_text(env, model, model_path))
    g->graph = g->call->open(library_path, model_path, threads, why, sizeof why);
  if (g && g->graph) return (intptr_t)g;
  free(g);
  const int32_t room = (*env)->GetArrayLength(env, message);
  (*env)->SetByteArrayRegion(env, message, 0, room < MOST_MESSAGE ? room : MOST_MESSAGE,
                             (const int8_t*)why);
  return 0;
}

METHOD(void, close, int64_t handle) {
  (void)env, (void)cls;
  native_graph* g = from(handle);
  g->call->close(g->graph);
  free(g);
}

METHOD(jni_ref, message, int64_t handle) {
  (void)cls;
  const native_graph* g = from(handle);
  return new_text(env, g->call->message(g->graph));
}

METHOD(jni_ref, inputName, int64_t handle, int32_t number) {
  (void)cls;
  const native_graph* g = from(handle);
  return new_text(env, g->call->input_name(g->graph, number));
}

METHOD(jni_ref, outputName, int64_t handle, int32_t number) {
  (void)cls;
  const native_graph* g = from(handle);
  return new_text(env, g->call->output_name(g->graph, number));
}

METHOD(int32_t, setInput, int64_t handle, jni_ref name, int32_t type, jni_ref shape, jni_ref data) {
  (void)cls;
  char text[MOST_TEXT];
  const native_graph* g = from(handle);
  capexport_tensor t = {.type = type, .rank = (*env)->GetArrayLength(env, shape)};
  if (t.rank > CAPEXPORT_MOST_AXES || !read_text(env, name, text)) return 1;
  (*env)->GetIntArrayRegion(env, shape, 0, t.rank, t.dims);
  t.data = (*env)->GetDirectBufferAddress(env, data);
  return g->call->set_input(g->graph, text, &t);
}

METHOD(int32_t, run, int64_t handle) {
  (void)env, (void)cls;
  const native_graph* g = from(handle);
  return g->call->run(g->graph);
}

static size_t bytes(const capexport_tensor* t) {
  size_t size = t->type == CAPEXPORT_UINT8 ? 1 : 4;
  for (int32_t i = 0; i < t->rank; i++) size *= (size_t)t->dims[i];
  return size;
}

/* A buffer over an output in the runtime's memory, NULL after a failure; its lengths, and at the end
 * rank and type, in `layout` [CAPEXPORT_MOST_AXES + 2]. */
METHOD(jni_ref, output, int64_t handle, jni_ref name, jni_ref layout) {
  (void)cls;
  char text[MOST_TEXT];
  capexport_tensor t;
  const native_graph* g = from(handle);
  if (!read_text(env, name, text) || g->call->output(g->graph, text, &t)) return NULL;
  const int32_t kind[] = {t.rank, t.type};
  (*env)->SetIntArrayRegion(env, layout, 0, t.rank, t.dims);
  (*env)->SetIntArrayRegion(env, layout, CAPEXPORT_MOST_AXES, 2, kind);
  return (*env)->NewDirectByteBuffer(env, (void*)(uintptr_t)t.data, (int64_t)bytes(&t));
}

/* Copies an output of exactly `room` bytes; 0 for success, -1 where it has another size. */
METHOD(int32_t, readOutput, int64_t handle, jni_ref name, jni_ref into, int32_t room) {
  (void)cls;
  char text[MOST_TEXT];
  capexport_tensor t;
  const native_graph* g = from(handle);
  if (!read_text(env, name, text) || g->call->output(g->graph, text, &t)) return 1;
  if (bytes(&t) != (size_t)room) return -1;
  memcpy((*env)->GetDirectBufferAddress(env, into), t.data, bytes(&t));
  return 0;
}
