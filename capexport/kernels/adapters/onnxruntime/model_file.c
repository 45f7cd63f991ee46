/* Memory maps of .onnx files, and a walk through their protobuf (protobuf.dev/programming-guides/encoding;
 * the field numbers are those of onnx.proto3).
 *
 * Packing reads a blob once. In a map its pages can be dropped after that, which needs to know that
 * they are a file's: hence the list of all maps. */
#define _DEFAULT_SOURCE /* madvise */
#include "model_file.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { MODEL_GRAPH = 7, GRAPH_INITIALIZER = 5 };
enum { TENSOR_TYPE = 2, TENSOR_NAME = 8, TENSOR_RAW_DATA = 9, TYPE_UINT8 = 2 };
enum { VARINT = 0, EIGHT_BYTES = 1, LENGTH = 2, FOUR_BYTES = 5 };

struct capexport_model_file {
  const uint8_t *start, *end;
  int32_t count;
  capexport_model_blob* blobs;
  capexport_model_file* next;
};

static pthread_mutex_t mapping = PTHREAD_MUTEX_INITIALIZER;
static capexport_model_file* mapped;

/* ---- protobuf ---- */

typedef struct {
  const uint8_t *at, *end;
} message;

typedef struct {
  uint64_t number, value; /* value: of a VARINT */
  message bytes;          /* of a LENGTH */
} field;

static int read_varint(message* m, uint64_t* out) {
  *out = 0;
  for (int shift = 0; shift < 64 && m->at < m->end; shift += 7) {
    const uint8_t byte = *m->at++;
    *out |= (uint64_t)(byte & 127) << shift;
    if (byte < 128) return 1;
  }
  return 0;
}

static int skip(message* m, uint64_t bytes) {
  if (bytes > (uint64_t)(m->end - m->at)) return 0;
  m->at += bytes;
  return 1;
}

/* 0 at the end of the message, and at damage. */
static int next_field(message* m, field* f) {
  uint64_t key;
  *f = (field){0};
  if (!read_varint(m, &key)) return 0;
  f->number = key >> 3;
  switch (key & 7) {
    case VARINT: return read_varint(m, &f->value);
    case EIGHT_BYTES: return skip(m, 8);
    case FOUR_BYTES: return skip(m, 4);
    case LENGTH:
      if (!read_varint(m, &f->value)) return 0;
      f->bytes.at = m->at;
      if (!skip(m, f->value)) return 0;
      f->bytes.end = m->at;
      return 1;
    default: return 0;
  }
}

/* ---- blobs ---- */

static int add_blob(capexport_model_file* file, message name, message data) {
  const size_t length = (size_t)(name.end - name.at), count = (size_t)file->count;
  capexport_model_blob* blobs = realloc(file->blobs, (count + 1) * sizeof *blobs);
  if (!blobs) return 0;
  file->blobs = blobs;
  char* copy = malloc(length + 1);
  if (!copy) return 0;
  memcpy(copy, name.at, length);
  copy[length] = 0;
  blobs[file->count++] = (capexport_model_blob){copy, data.at, (size_t)(data.end - data.at)};
  return 1;
}

static int add_if_blob(capexport_model_file* file, message tensor) {
  field f;
  message name = {0}, data = {0};
  uint64_t type = 0;
  while (next_field(&tensor, &f)) {
    if (f.number == TENSOR_TYPE) type = f.value;
    if (f.number == TENSOR_NAME) name = f.bytes;
    if (f.number == TENSOR_RAW_DATA) data = f.bytes;
  }
  const int is_blob = type == TYPE_UINT8 && name.at < name.end && data.end - data.at > 4 &&
                      memcmp(data.at, "CKSB", 4) == 0;
  return !is_blob || add_blob(file, name, data);
}

static int find_blobs(capexport_model_file* file) {
  message model = {file->start, file->end};
  field part, f;
  while (next_field(&model, &part))
    while (part.number == MODEL_GRAPH && next_field(&part.bytes, &f))
      if (f.number == GRAPH_INITIALIZER && !add_if_blob(file, f.bytes)) return 0;
  return 1;
}

int32_t capexport_model_file_blobs(const capexport_model_file* file) { return file->count; }

const capexport_model_blob* capexport_model_file_blob(const capexport_model_file* file,
                                                      int32_t number) {
  return &file->blobs[number];
}

/* ---- maps ---- */

static int map_pages(capexport_model_file* file, const char* path) {
  const int descriptor = open(path, O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return 0;
  const off_t size = lseek(descriptor, 0, SEEK_END);
  void* start = MAP_FAILED;
  if (size > 0) start = mmap(NULL, (size_t)size, PROT_READ, MAP_PRIVATE, descriptor, 0);
  close(descriptor);
  if (start == MAP_FAILED) return 0;
  file->start = start;
  file->end = file->start + size;
  return 1;
}

capexport_model_file* capexport_model_file_map(const char* path) {
  capexport_model_file* file = calloc(1, sizeof *file);
  if (!file || !map_pages(file, path)) {
    free(file);
    return NULL;
  }
  pthread_mutex_lock(&mapping);
  file->next = mapped;
  mapped = file;
  pthread_mutex_unlock(&mapping);
  if (find_blobs(file)) return file;
  capexport_model_file_unmap(file);
  return NULL;
}

void capexport_model_file_unmap(capexport_model_file* file) {
  if (!file) return;
  pthread_mutex_lock(&mapping);
  capexport_model_file** link = &mapped;
  while (*link != file) link = &(*link)->next;
  *link = file->next;
  pthread_mutex_unlock(&mapping);
  munmap((void*)file->start, (size_t)(file->end - file->start));
  for (int32_t i = 0; i < file->count; i++) free((char*)file->blobs[i].name);
  free(file->blobs);
  free(file);
}

void model_file_drop_pages(const void* data) {
  const uint8_t* at = data;
  pthread_mutex_lock(&mapping);
  for (const capexport_model_file* file = mapped; file; file = file->next)
    if (at >= file->start && at < file->end)
      madvise((void*)file->start, (size_t)(file->end - file->start), MADV_DONTNEED);
  pthread_mutex_unlock(&mapping);
}
