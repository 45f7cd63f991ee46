/* The two graphs of a bundle: an image is encoded once, then the decoder makes step after step.
 * The same as capexport/runtime/session.py and states.py. */
#ifndef SESSION_H
#define SESSION_H
#include "graph.h"

typedef struct {
  const description* bundle;
  graph *encoder, *decoder_step;
  int32_t* tokens;          /* [beam], what the next step reads */
  char **values, **gathered; /* of each state, [beam, ...]: now, and room for the next */
  int32_t steps;            /* since the states were started */
} session;

void open_encoder(const description* bundle, session* s);
void open_decoder_step(session* s);

/* Runs the encoder; the decoder reads its memory from then on. */
void encode(session* s);

/* States before the first step. */
void start_states(session* s);

/* Computes the log-probabilities [beam, vocabulary] of the next tokens; states stay. */
const float* step(session* s);

/* States after that step, row i of them from row rows[i]. */
void advance_states(session* s, const int32_t* rows);
#endif
