/* What to run and how: the file that capexport/bench/description.py writes from a bundle's manifest.
 *
 * One "key value" a line, always the same keys in the same order, so that no parser of JSON is needed
 * on a device. Lists begin with their length. */
#ifndef DESCRIPTION_H
#define DESCRIPTION_H
#include "capexport_litert.h"

enum { PATH_BYTES = 4096, NAME_BYTES = 128 };

typedef enum { REPLACED, APPENDED, COUNTED } update;

/* A tensor that the encoder reads; its data are those of a file. */
typedef struct {
  char name[NAME_BYTES];
  capexport_tensor tensor;
} encoder_input;

/* A tensor that the decoder step reads and that the host carries on (capexport/spec/signature.py). */
typedef struct {
  char name[NAME_BYTES], next[NAME_BYTES];
  char start[NAME_BYTES]; /* output of the encoder that it starts from, "" for zeros */
  update update;
  int32_t rows;            /* that a step appends */
  capexport_tensor tensor; /* [beam, ...], without data */
} state;

typedef struct {
  int32_t bos, eos, unk /* or -1 */, max_length;
  int32_t suppress_unk, refill, early_stopping;
  double length_penalty;
} decoding;

typedef struct {
  char runtime[NAME_BYTES];
  char library[PATH_BYTES];   /* the runtime */
  char operators[PATH_BYTES]; /* our library for it, "" for none */
  char encoder[PATH_BYTES], decoder_step[PATH_BYTES];
  int32_t threads, beam;
  int32_t warm_up;       /* calls before those that are measured */
  int32_t least_samples; /* of each quantity */
  double least_ms;       /* that each quantity is measured for */
  int32_t is_counting;   /* instructions are counted from outside: no clock is read */
  int32_t profiled;      /* calls of each graph whose operators the runtime times; 0: measure */
  int32_t vocabulary;
  decoding decoding;
  int32_t input_count, memory_count, state_count;
  encoder_input* inputs;
  char (*memory)[NAME_BYTES]; /* outputs of the encoder that each step reads */
  state* states;
} description;

/* Reads it whole or ends the program. */
void read_description(const char* path, description* out);

size_t element_bytes(const capexport_tensor* tensor);
size_t tensor_bytes(const capexport_tensor* tensor);
#endif
