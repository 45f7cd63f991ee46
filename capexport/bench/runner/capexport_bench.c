/* Captions with a bundle's two graphs and prints one JSON document: times, memory, the caption.
 *
 *     capexport_bench DESCRIPTION
 *
 * or, where the description asks for profiles, what the runtime says of its operators alone.
 *
 * Measured are the encoder, a decoder step (the second of a caption, so that no state is zero) and
 * whole captions, encoder included. The exit status is 1 after a failure; the standard error says
 * why. */
#define _GNU_SOURCE
#include <stdio.h>
#include <unistd.h>

#include "failure.h"
#include "memory.h"
#include "profile.h"
#include "samples.h"
#include "search.h"

typedef struct {
  double encoder_open, decoder_open, encoder_first, caption_first;
} once;

typedef struct {
  long start, encoder_opened, decoder_opened, captioned;
  long own_start, own_opened; /* of these, what no file backs */
} stages;

static void encode_once(void* data) { encode(data); }

static void step_once(void* data) { step(data); }

static void caption_once(void* data) {
  search* s = data;
  encode(s->session);
  start_search(s);
  while (advance_search(s)) continue;
}

static double timed(void (*work)(void*), void* data) {
  const double begin = now_ms();
  work(data);
  return now_ms() - begin;
}

/* ---- output ---- */

static void print_times(const char* name, const double* ms, size_t count, const char* after) {
  printf("\"%s\":[", name);
  for (size_t i = 0; i < count; i++) printf(i ? ",%.6f" : "%.6f", ms[i]);
  printf("]%s", after);
}

static void print_caption(const search* s) {
  const hypothesis* best = best_caption(s);
  printf("\"tokens\":[");
  for (int32_t i = 0; i < best->length; i++) printf(i ? ",%d" : "%d", (int)best->tokens[i]);
  printf("],\"log_prob\":%.9g,\"steps\":%d,", (double)best->log_prob, (int)s->length);
}

static void print_memory(const description* bundle, const stages* rss) {
  printf("\"rss_kib\":{\"start\":%ld,\"encoder_opened\":%ld,\"decoder_opened\":%ld,"
         "\"captioned\":%ld,\"end\":%ld},",
         rss->start, rss->encoder_opened, rss->decoder_opened, rss->captioned, resident_kib());
  printf("\"own_kib\":{\"start\":%ld,\"opened\":%ld,\"end\":%ld},", rss->own_start, rss->own_opened,
         own_kib());
  printf("\"peak_rss_kib\":%ld,\"pss_kib\":%ld,\"mapped_bytes\":%lld}\n", peak_resident_kib(),
         proportional_kib(), mapped_bytes(bundle->encoder) + mapped_bytes(bundle->decoder_step));
}

/* ---- the program ---- */

static void open_both(const description* bundle, session* s, once* ms, stages* rss) {
  const double begin = now_ms();
  open_encoder(bundle, s);
  rss->encoder_opened = resident_kib();
  const double between = now_ms();
  open_decoder_step(s);
  rss->decoder_opened = resident_kib();
  rss->own_opened = own_kib();
  ms->encoder_open = between - begin;
  ms->decoder_open = now_ms() - between;
}

int main(int count, char** arguments) {
  static description bundle;
  session s;
  search found;
  once ms;
  stages rss = {.start = resident_kib(), .own_start = own_kib()};
  if (count != 2) stop("usage", "capexport_bench DESCRIPTION");
  read_description(arguments[1], &bundle);
  open_both(&bundle, &s, &ms, &rss);
  open_search(&s, &found);
  ms.encoder_first = timed(encode_once, &s);
  ms.caption_first = timed(caption_once, &found);
  rss.captioned = resident_kib();
  if (bundle.profiled) {
    print_profiles(&found);
    fflush(stdout);
    _exit(0);
  }

  const samples encoder = measure(&bundle, encode_once, &s);
  const samples caption = measure(&bundle, caption_once, &found);
  const search whole = found;
  printf("{");
  print_caption(&whole);
  start_search(&found);
  advance_search(&found);
  const samples step = measure(&bundle, step_once, &s);

  printf("\"load_ms\":{\"encoder\":%.3f,\"decoder_step\":%.3f},", ms.encoder_open, ms.decoder_open);
  printf("\"first_ms\":{\"encoder\":%.3f,\"caption\":%.3f},\"samples_ms\":{", ms.encoder_first,
         ms.caption_first);
  print_times("encoder", encoder.ms, encoder.count, ",");
  print_times("decoder_step", step.ms, step.count, ",");
  print_times("caption", caption.ms, caption.count, "},\"thread_cpu_ms\":{");
  print_times("encoder", encoder.cpu_ms, encoder.count, ",");
  print_times("decoder_step", step.cpu_ms, step.count, ",");
  print_times("caption", caption.cpu_ms, caption.count, "},");
  print_memory(&bundle, &rss);
  fflush(stdout);
  _exit(0); /* nothing is learned from how the runtimes end */
}
