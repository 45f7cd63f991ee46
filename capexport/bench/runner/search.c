/* Sums are float32; among equals the lower token and the earlier hypothesis win. */
#include "search.h"

#include <math.h>
#include <string.h>

#include "failure.h"

static const float UNK_PENALTY = 1000;

static hypothesis* take_hypotheses(int32_t count, int32_t length) {
  hypothesis* all = take((size_t)count, sizeof *all);
  for (int32_t i = 0; i < count; i++) all[i].tokens = take((size_t)length, sizeof(int32_t));
  return all;
}

void open_search(session* session, search* s) {
  const description* bundle = session->bundle;
  *s = (search){.session = session};
  s->live = take_hypotheses(bundle->beam, bundle->decoding.max_length);
  s->grown = take_hypotheses(2 * bundle->beam, bundle->decoding.max_length);
  s->finished = take_hypotheses(bundle->beam + 1, bundle->decoding.max_length);
  s->rows = take((size_t)bundle->beam, sizeof *s->rows);
}

static void copy(hypothesis* to, const hypothesis* from) {
  int32_t* tokens = to->tokens;
  memcpy(tokens, from->tokens, (size_t)from->length * sizeof *tokens);
  *to = *from;
  to->tokens = tokens;
}

void start_search(search* s) {
  const description* bundle = s->session->bundle;
  s->live_count = 1;
  s->finished_count = s->length = 0;
  s->live[0] = (hypothesis){.tokens = s->live[0].tokens};
  for (int32_t i = 0; i < bundle->beam; i++) s->session->tokens[i] = bundle->decoding.bos;
  start_states(s->session);
}

/* What captions are ranked by. */
static float score(const hypothesis* h, const decoding* rule) {
  return h->log_prob / (float)pow(h->length, rule->length_penalty);
}

/* ---- continuations ---- */

/* Puts a continuation behind all that are at least as good; `most` are kept. */
static void offer(search* s, int32_t most, int32_t row, int32_t token, float log_prob) {
  int32_t i = s->grown_count < most ? s->grown_count++ : most - 1;
  hypothesis last = s->grown[i];
  for (; i > 0 && s->grown[i - 1].log_prob < log_prob; i--) s->grown[i] = s->grown[i - 1];
  last.row = row;
  last.log_prob = log_prob;
  last.tokens[s->length - 1] = token;
  s->grown[i] = last;
}

/* The `most` best continuations by one token of all live hypotheses. */
static void grow(search* s, const float* log_probs, int32_t most) {
  const description* bundle = s->session->bundle;
  const int32_t unk =
      bundle->beam > 1 && bundle->decoding.suppress_unk ? bundle->decoding.unk : -1;
  s->grown_count = 0;
  for (int32_t row = 0; row < s->live_count; row++)
    for (int32_t token = 0; token < bundle->vocabulary; token++, log_probs++) {
      const float log_prob = token == unk ? *log_probs - UNK_PENALTY : *log_probs;
      const float sum = s->live[row].log_prob + log_prob;
      if (isnan(sum)) stop("log_probs", "the model returns NaN");
      if (s->grown_count < most || sum > s->grown[most - 1].log_prob)
        offer(s, most, row, token, sum);
    }
  for (int32_t i = 0; i < s->grown_count; i++) {
    hypothesis* h = &s->grown[i];
    h->length = s->length;
    memcpy(h->tokens, s->live[h->row].tokens, (size_t)(s->length - 1) * sizeof *h->tokens);
  }
}

/* ---- the end ---- */

static void finish(search* s, const hypothesis* h) {
  const decoding* rule = &s->session->bundle->decoding;
  int32_t i = s->finished_count;
  hypothesis place = s->finished[i];
  for (; i > 0 && score(&s->finished[i - 1], rule) < score(h, rule); i--)
    s->finished[i] = s->finished[i - 1];
  s->finished[i] = place;
  copy(&s->finished[i], h);
  if (s->finished_count < s->session->bundle->beam) s->finished_count++;
}

/* Those of the grown that ended are finished, if they are among the first `beam`; others live. */
static void part(search* s) {
  const description* bundle = s->session->bundle;
  s->live_count = 0;
  for (int32_t i = 0; i < s->grown_count; i++) {
    const hypothesis* h = &s->grown[i];
    const int ended =
        s->length == bundle->decoding.max_length || h->tokens[s->length - 1] == bundle->decoding.eos;
    if (ended && i < bundle->beam) finish(s, h);
    if (!ended && s->live_count < bundle->beam) copy(&s->live[s->live_count++], h);
  }
}

/* Whether the best live hypothesis, by its present length, would not enter the `beam` best. */
static int is_decided(const search* s) {
  const description* bundle = s->session->bundle;
  if (s->finished_count < bundle->beam) return 0;
  if (bundle->decoding.early_stopping) return 1;
  float best = score(&s->live[0], &bundle->decoding);
  for (int32_t i = 1; i < s->live_count; i++)
    best = fmaxf(best, score(&s->live[i], &bundle->decoding));
  return score(&s->finished[bundle->beam - 1], &bundle->decoding) >= best;
}

/* ---- a step ---- */

/* Live hypotheses take the first rows; the rest is filled up. */
static void place_rows(search* s) {
  const description* bundle = s->session->bundle;
  for (int32_t i = 0; i < bundle->beam; i++) {
    const int is_live = i < s->live_count;
    s->session->tokens[i] = is_live ? s->live[i].tokens[s->length - 1] : bundle->decoding.eos;
    s->rows[i] = is_live ? s->live[i].row : 0;
  }
}

int advance_search(search* s) {
  const description* bundle = s->session->bundle;
  const float* log_probs = step(s->session);
  s->length++;
  grow(s, log_probs, bundle->decoding.refill ? 2 * bundle->beam : bundle->beam);
  part(s);
  if (s->live_count == 0 || is_decided(s)) return 0;
  place_rows(s);
  advance_states(s->session, s->rows);
  return 1;
}

const hypothesis* best_caption(const search* s) { return &s->finished[0]; }
