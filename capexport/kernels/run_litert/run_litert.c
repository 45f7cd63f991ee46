/* Runs a .tflite with packed weights once, by LiteRT's compiled models, with nothing but C.
 *
 *     capexport_run_litert LIBRARY MODEL FOLDER INPUT...
 *
 * INPUT is name=type:shape, such as token=i32:3 or state=f32:3x16 (a scalar: f32:), and FOLDER/name
 * holds its data. Writes the data of each output to FOLDER/name, and prints a line name=type:shape.
 * The exit status is 1 after a failure, whose reason goes to the standard error. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "capexport_litert.h"

enum { PATH_BYTES = 4096, NAME_BYTES = 200, MOST_INPUT_FILES = 64 };

static void stop(const char* what, const char* where) {
  fprintf(stderr, "capexport_run_litert: %s: %s\n", where, what);
  exit(1);
}

static FILE* open_file(const char* folder, const char* name, const char* mode) {
  char path[PATH_BYTES];
  if (snprintf(path, sizeof path, "%s/%s", folder, name) >= PATH_BYTES) stop("too long", name);
  FILE* file = fopen(path, mode);
  if (!file) stop("cannot be opened", path);
  return file;
}

static size_t bytes(const capexport_tensor* t) {
  size_t product = sizeof(float);
  for (int32_t i = 0; i < t->rank; i++) product *= (size_t)t->dims[i];
  return product;
}

/* "f32:3x16" */
static void read_shape(const char* text, const char* name, capexport_tensor* t) {
  if (strncmp(text, "f32:", 4) != 0 && strncmp(text, "i32:", 4) != 0) stop("unknown type", name);
  *t = (capexport_tensor){.type = text[0] == 'f' ? CAPEXPORT_FLOAT32 : CAPEXPORT_INT32};
  char* end = (char*)text + 3;
  while (*end && end[1]) {
    if (t->rank == CAPEXPORT_MOST_AXES) stop("too many axes", name);
    const char* start = end + 1;
    const long length = strtol(start, &end, 10);
    if (end == start || length < 1 || length > INT32_MAX || (*end && *end != 'x'))
      stop("no such shape", name);
    t->dims[t->rank++] = (int32_t)length;
  }
}

/* The input's data, which the graph reads when it runs. */
static void* set_input(capexport_litert* graph, const char* folder, const char* argument) {
  char name[NAME_BYTES];
  const char* equals = strchr(argument, '=');
  if (!equals || equals - argument >= NAME_BYTES) stop("is not name=type:shape", argument);
  memcpy(name, argument, (size_t)(equals - argument));
  name[equals - argument] = 0;
  capexport_tensor t;
  read_shape(equals + 1, name, &t);
  void* data = malloc(bytes(&t));
  FILE* file = open_file(folder, name, "rb");
  if (!data || fread(data, 1, bytes(&t), file) != bytes(&t) || fgetc(file) != EOF)
    stop("the file's size is not that of the shape", name);
  fclose(file);
  t.data = data;
  if (capexport_litert_set_input(graph, name, &t)) stop(capexport_litert_message(graph), name);
  return data;
}

static void write_output(capexport_litert* graph, const char* folder, const char* name) {
  capexport_tensor t;
  if (capexport_litert_output(graph, name, &t)) stop(capexport_litert_message(graph), name);
  if (t.type == CAPEXPORT_UINT8) stop("is of type uint8", name);
  FILE* file = open_file(folder, name, "wb");
  if (fwrite(t.data, 1, bytes(&t), file) != bytes(&t) || fclose(file)) stop("not written", name);
  printf("%s=%s:", name, t.type == CAPEXPORT_FLOAT32 ? "f32" : "i32");
  for (int32_t i = 0; i < t.rank; i++) printf(i ? "x%d" : "%d", (int)t.dims[i]);
  printf("\n");
}

int main(int count, char** arguments) {
  if (count < 4) stop("usage: capexport_run_litert LIBRARY MODEL FOLDER INPUT...", "arguments");
  const char *model = arguments[2], *folder = arguments[3];
  char why[256];
  capexport_litert* graph = capexport_litert_open(arguments[1], model, 1, why, sizeof why);
  if (!graph) stop(why, model);
  void* inputs[MOST_INPUT_FILES];
  if (count - 4 > MOST_INPUT_FILES) stop("too many inputs", model);
  for (int i = 4; i < count; i++) inputs[i - 4] = set_input(graph, folder, arguments[i]);
  if (capexport_litert_run(graph)) stop(capexport_litert_message(graph), model);
  const char* name;
  for (int32_t i = 0; (name = capexport_litert_output_name(graph, i)); i++)
    write_output(graph, folder, name);
  capexport_litert_close(graph);
  for (int i = 4; i < count; i++) free(inputs[i - 4]);
  return 0;
}
