/* Tensors between the graphs, and the three ways in which a state goes on. */
#include "session.h"

#include <string.h>

#include "failure.h"

/* ---- opening ---- */

void open_encoder(const description* bundle, session* s) {
  *s = (session){.bundle = bundle};
  s->encoder = open_graph(bundle, bundle->encoder);
  for (int32_t i = 0; i < bundle->input_count; i++)
    s->encoder->set_input(s->encoder, bundle->inputs[i].name, &bundle->inputs[i].tensor);
}

static void bind_state(session* s, int32_t i) {
  const state* spec = &s->bundle->states[i];
  const size_t bytes = tensor_bytes(&spec->tensor);
  if (spec->tensor.rank < 1 || spec->tensor.dims[0] != s->bundle->beam)
    stop(spec->name, "the state has not one row for each hypothesis");
  if (spec->update == COUNTED && (spec->tensor.rank != 1 || spec->tensor.type != CAPEXPORT_INT32))
    stop(spec->name, "a counter is int32 [beams]");
  if (spec->update == APPENDED && spec->tensor.rank < 2) stop(spec->name, "the cache has no rows");
  s->values[i] = take(bytes, 1);
  s->gathered[i] = take(bytes, 1);
}

void open_decoder_step(session* s) {
  const size_t states = (size_t)s->bundle->state_count;
  s->decoder_step = open_graph(s->bundle, s->bundle->decoder_step);
  s->tokens = take((size_t)s->bundle->beam, sizeof *s->tokens);
  s->values = take(states, sizeof *s->values);
  s->gathered = take(states, sizeof *s->gathered);
  for (int32_t i = 0; i < s->bundle->state_count; i++) bind_state(s, i);
}

/* ---- the encoder ---- */

void encode(session* s) {
  s->encoder->run(s->encoder);
  for (int32_t i = 0; s->decoder_step && i < s->bundle->memory_count; i++) {
    const char* name = s->bundle->memory[i];
    const capexport_tensor memory = s->encoder->output(s->encoder, name);
    s->decoder_step->set_input(s->decoder_step, name, &memory);
  }
}

/* ---- states ---- */

static size_t row_bytes(const state* spec) {
  return tensor_bytes(&spec->tensor) / (size_t)spec->tensor.dims[0];
}

static void start_state(session* s, int32_t i) {
  const state* spec = &s->bundle->states[i];
  const size_t bytes = row_bytes(spec);
  memset(s->values[i], 0, tensor_bytes(&spec->tensor));
  if (!spec->start[0]) return;
  const capexport_tensor start = s->encoder->output(s->encoder, spec->start);
  if (tensor_bytes(&start) != bytes) stop(spec->start, "is not one row of the state");
  for (int32_t beam = 0; beam < s->bundle->beam; beam++)
    memcpy(s->values[i] + (size_t)beam * bytes, start.data, bytes);
}

void start_states(session* s) {
  s->steps = 0;
  for (int32_t i = 0; i < s->bundle->state_count; i++) start_state(s, i);
}

/* What the step returned of a state, one row of which has `bytes`. */
static const char* next_value(session* s, const state* spec, size_t bytes) {
  const capexport_tensor next = s->decoder_step->output(s->decoder_step, spec->next);
  if (tensor_bytes(&next) != bytes * (size_t)s->bundle->beam)
    stop(spec->next, "has another size than declared");
  return next.data;
}

static void gather(const session* s, char* out, const char* from, const int32_t* rows, size_t row) {
  for (int32_t i = 0; i < s->bundle->beam; i++)
    memcpy(out + (size_t)i * row, from + (size_t)rows[i] * row, row);
}

/* New rows go into every hypothesis' cache, before hypotheses change places. */
static void append(session* s, int32_t i, const int32_t* rows) {
  const state* spec = &s->bundle->states[i];
  const size_t cache = row_bytes(spec), capacity = (size_t)spec->tensor.dims[1];
  const size_t appended = cache / capacity * (size_t)spec->rows;
  const size_t first = appended * (size_t)s->steps;
  if (first + appended > cache) stop(spec->name, "the cache is full");
  const char* next = next_value(s, spec, appended);
  for (int32_t beam = 0; beam < s->bundle->beam; beam++)
    memcpy(s->values[i] + (size_t)beam * cache + first, next + (size_t)beam * appended, appended);
  int moved = 0;
  for (int32_t beam = 0; beam < s->bundle->beam; beam++) moved |= rows[beam] != beam;
  if (!moved) return;
  gather(s, s->gathered[i], s->values[i], rows, cache);
  char* old = s->values[i];
  s->values[i] = s->gathered[i];
  s->gathered[i] = old;
}

static void advance_state(session* s, int32_t i, const int32_t* rows) {
  const state* spec = &s->bundle->states[i];
  if (spec->update == APPENDED) {
    append(s, i, rows);
  } else if (spec->update == COUNTED) {
    for (int32_t beam = 0; beam < s->bundle->beam; beam++)
      ((int32_t*)(void*)s->values[i])[beam] = s->steps + 1;
  } else {
    const size_t bytes = row_bytes(spec);
    gather(s, s->values[i], next_value(s, spec, bytes), rows, bytes);
  }
}

void advance_states(session* s, const int32_t* rows) {
  for (int32_t i = 0; i < s->bundle->state_count; i++) advance_state(s, i, rows);
  s->steps++;
}

/* ---- the decoder ---- */

const float* step(session* s) {
  graph* g = s->decoder_step;
  const capexport_tensor token = {CAPEXPORT_INT32, 1, {s->bundle->beam}, s->tokens};
  g->set_input(g, "token", &token);
  for (int32_t i = 0; i < s->bundle->state_count; i++) {
    capexport_tensor value = s->bundle->states[i].tensor;
    value.data = s->values[i];
    g->set_input(g, s->bundle->states[i].name, &value);
  }
  g->run(g);
  const capexport_tensor log_probs = g->output(g, "log_probs");
  const size_t count = (size_t)s->bundle->beam * (size_t)s->bundle->vocabulary;
  if (log_probs.type != CAPEXPORT_FLOAT32 || tensor_bytes(&log_probs) != count * sizeof(float))
    stop("log_probs", "is not float32 [beams, vocabulary]");
  return log_probs.data;
}
