/* The runner's search on a decoder that is a table: a state is a number, and its row are the
 * log-probabilities. For tests: no graph, and as many ties as the table has. */
#include <stdlib.h>
#include <string.h>

#include "search.h"

enum { MOST_BEAMS = 16 };

static struct {
  const float* table;
  int32_t states, now[MOST_BEAMS], next[MOST_BEAMS];
  float* log_probs;
} decoder;

void start_states(session* s) {
  (void)s;
  memset(decoder.now, 0, sizeof decoder.now);
}

const float* step(session* s) {
  const int32_t width = s->bundle->vocabulary;
  for (int32_t i = 0; i < s->bundle->beam; i++) {
    decoder.next[i] = (decoder.now[i] * 31 + s->tokens[i]) % decoder.states;
    memcpy(decoder.log_probs + i * width, decoder.table + decoder.next[i] * width,
           (size_t)width * sizeof(float));
  }
  return decoder.log_probs;
}

void advance_states(session* s, const int32_t* rows) {
  for (int32_t i = 0; i < s->bundle->beam; i++) decoder.now[i] = decoder.next[rows[i]];
}

/* The length of the best caption; its tokens and sum go where they are asked for. */
__attribute__((visibility("default"))) int32_t table_search(
    const float* table, int32_t states, int32_t vocabulary, int32_t beam, const int32_t* rule,
    double length_penalty, int32_t* tokens, float* log_prob) {
  description bundle = {.vocabulary = vocabulary, .beam = beam};
  bundle.decoding = (decoding){rule[0], rule[1], rule[2], rule[3], rule[4], rule[5], rule[6],
                               length_penalty};
  session s = {.bundle = &bundle, .tokens = calloc((size_t)beam, sizeof(int32_t))};
  search found;
  decoder.table = table;
  decoder.states = states;
  decoder.log_probs = calloc((size_t)beam * (size_t)vocabulary, sizeof(float));
  open_search(&s, &found);
  start_search(&found);
  while (advance_search(&found)) continue;
  const hypothesis* best = best_caption(&found);
  memcpy(tokens, best->tokens, (size_t)best->length * sizeof *tokens);
  *log_prob = best->log_prob;
  return best->length;
}
