/* Greedy and beam search, token for token that of capexport/runtime/decode.py. */
#ifndef SEARCH_H
#define SEARCH_H
#include "session.h"

typedef struct {
  int32_t* tokens;
  int32_t length, row; /* of the last step that it came from */
  float log_prob;
} hypothesis;

typedef struct {
  session* session;
  hypothesis *live, *grown, *finished; /* finished: the best first */
  int32_t live_count, grown_count, finished_count, length;
  int32_t* rows;
} search;

void open_search(session* session, search* s);

/* Before the first step; the image has been encoded. */
void start_search(search* s);

/* One step of the decoder and what follows from it; 0 when the search is over. */
int advance_search(search* s);

/* After the last step: the best caption. */
const hypothesis* best_caption(const search* s);
#endif
