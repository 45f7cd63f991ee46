/* The part of the Java Native Interface that is used, by its layout: neither a JDK nor an NDK is needed.
 *
 * The table's places are fixed by the specification ("JNI Functions", their numbers). */
#ifndef JNI_ABI_H
#define JNI_ABI_H
#include <stddef.h>
#include <stdint.h>

typedef struct jni_object* jni_ref; /* classes, arrays, buffers */
typedef void (*jni_skipped)(void);
typedef const struct jni_table* jni_env;

struct jni_table {
  jni_skipped skipped_0[171];
  int32_t (*GetArrayLength)(jni_env* env, jni_ref array);
  jni_skipped skipped_172[4];
  jni_ref (*NewByteArray)(jni_env* env, int32_t length);
  jni_skipped skipped_177[23];
  void (*GetByteArrayRegion)(jni_env* env, jni_ref array, int32_t start, int32_t length,
                             int8_t* out);
  jni_skipped skipped_201[2];
  void (*GetIntArrayRegion)(jni_env* env, jni_ref array, int32_t start, int32_t length,
                            int32_t* out);
  jni_skipped skipped_204[4];
  void (*SetByteArrayRegion)(jni_env* env, jni_ref array, int32_t start, int32_t length,
                             const int8_t* values);
  jni_skipped skipped_209[2];
  void (*SetIntArrayRegion)(jni_env* env, jni_ref array, int32_t start, int32_t length,
                            const int32_t* values);
  jni_skipped skipped_212[17];
  jni_ref (*NewDirectByteBuffer)(jni_env* env, void* address, int64_t bytes);
  void* (*GetDirectBufferAddress)(jni_env* env, jni_ref buffer);
};

#define JNI_PLACE(function, place)                                             \
  _Static_assert(offsetof(struct jni_table, function) == (place) * sizeof(void*), \
                 #function " is not at its place")
JNI_PLACE(GetArrayLength, 171);
JNI_PLACE(NewByteArray, 176);
JNI_PLACE(GetByteArrayRegion, 200);
JNI_PLACE(GetIntArrayRegion, 203);
JNI_PLACE(SetByteArrayRegion, 208);
JNI_PLACE(SetIntArrayRegion, 211);
JNI_PLACE(NewDirectByteBuffer, 229);
JNI_PLACE(GetDirectBufferAddress, 230);
#endif
