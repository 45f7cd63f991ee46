/* The description's lines, one function for each kind of value. */
#include "description.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "failure.h"

enum { FORMAT = 1, MOST_ENTRIES = 4096 };

size_t element_bytes(const capexport_tensor* tensor) {
  return tensor->type == CAPEXPORT_UINT8 ? 1 : 4;
}

size_t tensor_bytes(const capexport_tensor* tensor) {
  size_t product = element_bytes(tensor);
  for (int32_t i = 0; i < tensor->rank; i++) product *= (size_t)tensor->dims[i];
  return product;
}

/* ---- values ---- */

/* The next line's value, which may hold blanks. */
static void read_line(FILE* file, const char* key, char* value, size_t size) {
  char line[PATH_BYTES + NAME_BYTES];
  const size_t length = strlen(key);
  if (!fgets(line, sizeof line, file)) stop(key, "the description ends before it");
  char* end = strchr(line, '\n');
  if (!end || strncmp(line, key, length) != 0 || line[length] != ' ')
    stop(key, "is not the key of the description's next line");
  *end = 0;
  if (strlen(line + length + 1) >= size) stop(key, "the value is too long");
  strcpy(value, line + length + 1);
}

static double read_real(FILE* file, const char* key) {
  char value[NAME_BYTES], *end;
  read_line(file, key, value, sizeof value);
  const double number = strtod(value, &end);
  if (end == value || *end) stop(key, "is no number");
  return number;
}

static int32_t read_integer(FILE* file, const char* key, int32_t least, int32_t most) {
  const double number = read_real(file, key);
  if (!(number >= least && number <= most) || number != (int32_t)number)
    stop(key, "is out of range");
  return (int32_t)number;
}

static int32_t read_type(FILE* file) {
  char name[NAME_BYTES];
  read_line(file, "type", name, sizeof name);
  if (strcmp(name, "float32") == 0) return CAPEXPORT_FLOAT32;
  if (strcmp(name, "int32") == 0) return CAPEXPORT_INT32;
  if (strcmp(name, "uint8") == 0) return CAPEXPORT_UINT8;
  stop(name, "is no type of elements");
}

static void read_shape(FILE* file, capexport_tensor* tensor) {
  tensor->type = read_type(file);
  tensor->rank = read_integer(file, "rank", 0, CAPEXPORT_MOST_AXES);
  for (int32_t i = 0; i < tensor->rank; i++)
    tensor->dims[i] = read_integer(file, "length", 1, INT_MAX);
}

/* ---- lists ---- */

static const void* read_data(const char* path, size_t size) {
  void* data = take(size, 1);
  FILE* file = fopen(path, "rb");
  if (!file) stop(path, "cannot be opened");
  if (fread(data, 1, size, file) != size || fgetc(file) != EOF)
    stop(path, "the file's size is not that of the shape");
  fclose(file);
  return data;
}

static void read_input(FILE* file, encoder_input* input) {
  char path[PATH_BYTES];
  read_line(file, "input", input->name, sizeof input->name);
  read_shape(file, &input->tensor);
  read_line(file, "data", path, sizeof path);
  input->tensor.data = read_data(path, tensor_bytes(&input->tensor));
}

static void read_state(FILE* file, state* out) {
  read_line(file, "state", out->name, sizeof out->name);
  read_shape(file, &out->tensor);
  out->update = (update)read_integer(file, "update", REPLACED, COUNTED);
  read_line(file, "next", out->next, sizeof out->next);
  out->rows = read_integer(file, "rows", 1, INT_MAX);
  read_line(file, "start", out->start, sizeof out->start);
}

static void read_lists(FILE* file, description* out) {
  out->input_count = read_integer(file, "inputs", 1, MOST_ENTRIES);
  out->inputs = take((size_t)out->input_count, sizeof *out->inputs);
  for (int32_t i = 0; i < out->input_count; i++) read_input(file, &out->inputs[i]);
  out->memory_count = read_integer(file, "memories", 0, MOST_ENTRIES);
  out->memory = take((size_t)out->memory_count, sizeof *out->memory);
  for (int32_t i = 0; i < out->memory_count; i++)
    read_line(file, "memory", out->memory[i], sizeof out->memory[i]);
  out->state_count = read_integer(file, "states", 0, MOST_ENTRIES);
  out->states = take((size_t)out->state_count, sizeof *out->states);
  for (int32_t i = 0; i < out->state_count; i++) read_state(file, &out->states[i]);
}

/* ---- the whole ---- */

static void read_decoding(FILE* file, int32_t vocabulary, decoding* out) {
  out->bos = read_integer(file, "bos", 0, vocabulary - 1);
  out->eos = read_integer(file, "eos", 0, vocabulary - 1);
  out->unk = read_integer(file, "unk", -1, vocabulary - 1);
  out->max_length = read_integer(file, "max_length", 1, MOST_ENTRIES);
  out->suppress_unk = read_integer(file, "suppress_unk", 0, 1);
  out->refill = read_integer(file, "refill", 0, 1);
  out->early_stopping = read_integer(file, "early_stopping", 0, 1);
  out->length_penalty = read_real(file, "length_penalty");
}

void read_description(const char* path, description* out) {
  FILE* file = fopen(path, "r");
  if (!file) stop(path, "cannot be opened");
  memset(out, 0, sizeof *out);
  read_integer(file, "capexport-bench", FORMAT, FORMAT);
  read_line(file, "runtime", out->runtime, sizeof out->runtime);
  read_line(file, "library", out->library, sizeof out->library);
  read_line(file, "operators", out->operators, sizeof out->operators);
  read_line(file, "encoder", out->encoder, sizeof out->encoder);
  read_line(file, "decoder_step", out->decoder_step, sizeof out->decoder_step);
  out->threads = read_integer(file, "threads", 1, 256);
  out->beam = read_integer(file, "beam", 1, MOST_ENTRIES);
  out->warm_up = read_integer(file, "warm_up", 0, INT_MAX);
  out->least_samples = read_integer(file, "least_samples", 1, INT_MAX);
  out->least_ms = read_real(file, "least_ms");
  out->is_counting = read_integer(file, "counting", 0, 1);
  out->profiled = read_integer(file, "profiled", 0, INT_MAX);
  out->vocabulary = read_integer(file, "vocabulary", 1, INT_MAX);
  read_decoding(file, out->vocabulary, &out->decoding);
  read_lists(file, out);
  fclose(file);
}
