/* The same calls as are measured, of graphs that were opened with their runtime's profiler on. */
#include "profile.h"

#include <stdio.h>

#include "samples.h"

static void print_call(graph* called, void (*work)(session*), session* s) {
  const double begin = now_ms();
  work(s);
  printf("{\"ms\":%.6f,\"operators\":", now_ms() - begin);
  called->print_operators(called);
  printf("}");
}

static void print_profile(const char* name, graph* called, void (*work)(session*), session* s) {
  for (int32_t i = 0; i < s->bundle->warm_up; i++) work(s);
  printf("\"%s\":{\"calls\":[", name);
  for (int32_t i = 0; i < s->bundle->profiled; i++) {
    if (i) printf(",");
    print_call(called, work, s);
  }
  printf("],\"file\":\"%s\"}", called->end_profile(called));
}

static void make_step(session* s) { step(s); }

void print_profiles(search* found) {
  session* s = found->session;
  printf("{");
  print_profile("encoder", s->encoder, encode, s);
  start_search(found);
  advance_search(found);
  printf(",");
  print_profile("decoder_step", s->decoder_step, make_step, s);
  printf("}\n");
}
