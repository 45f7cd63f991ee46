/* A .tflite in LiteRT's compiled models, through our library's C interface (capexport_litert.h). */
#include <inttypes.h>
#include <stdio.h>

#include "failure.h"
#include "graph.h"

enum { MOST_EVENTS = 4096 };

typedef struct {
  graph base;
  const char* model;
  capexport_litert* opened;
} litert_graph;

static struct {
  void* library;
  capexport_litert* (*open)(const char*, const char*, int32_t, char*, size_t);
  capexport_litert* (*open_profiled)(const char*, const char*, int32_t, char*, size_t);
  int32_t (*profile)(capexport_litert*, capexport_litert_event*, int32_t, int32_t*);
  const char* (*message)(const capexport_litert*);
  int32_t (*set_input)(capexport_litert*, const char*, const capexport_tensor*);
  int32_t (*run)(capexport_litert*);
  int32_t (*output)(capexport_litert*, const char*, capexport_tensor*);
} ours;

static void load(const char* path) {
  ours.library = open_shared(path);
  look_up(ours.library, "capexport_litert_open", &ours.open);
  look_up(ours.library, "capexport_litert_open_profiled", &ours.open_profiled);
  look_up(ours.library, "capexport_litert_profile", &ours.profile);
  look_up(ours.library, "capexport_litert_message", &ours.message);
  look_up(ours.library, "capexport_litert_set_input", &ours.set_input);
  look_up(ours.library, "capexport_litert_run", &ours.run);
  look_up(ours.library, "capexport_litert_output", &ours.output);
}

static void check(const litert_graph* g, int32_t failed) {
  if (failed) stop(g->model, ours.message(g->opened));
}

static void set_input(graph* self, const char* name, const capexport_tensor* tensor) {
  litert_graph* g = (litert_graph*)self;
  check(g, ours.set_input(g->opened, name, tensor));
}

static void run(graph* self) {
  litert_graph* g = (litert_graph*)self;
  check(g, ours.run(g->opened));
}

static capexport_tensor output(graph* self, const char* name) {
  litert_graph* g = (litert_graph*)self;
  capexport_tensor tensor;
  check(g, ours.output(g->opened, name, &tensor));
  return tensor;
}

/* As a string of JSON; control characters, which no name needs, become spaces. */
static void print_text(const char* text) {
  putchar('"');
  for (; *text; text++) {
    if (*text == '"' || *text == '\\') putchar('\\');
    putchar((unsigned char)*text < ' ' ? ' ' : *text);
  }
  putchar('"');
}

static void print_event(const capexport_litert_event* e) {
  printf("{\"delegated\":%s,\"us\":%" PRId64, e->is_delegated ? "true" : "false",
         e->microseconds);
  printf(",\"operator\":");
  print_text(e->name);
  printf(",\"name\":");
  print_text(e->output ? e->output : "");
  printf(",\"inputs\":[");
  for (int32_t i = 0; i < e->input_count; i++) {
    if (i) printf(",");
    print_text(e->inputs[i]);
  }
  printf("]}");
}

static void print_operators(graph* self) {
  static capexport_litert_event events[MOST_EVENTS];
  litert_graph* g = (litert_graph*)self;
  int32_t count;
  check(g, ours.profile(g->opened, events, MOST_EVENTS, &count));
  if (count > MOST_EVENTS) stop(g->model, "a run has too many operators to profile");
  printf("[");
  for (int32_t i = 0; i < count; i++) {
    if (i) printf(",");
    print_event(&events[i]);
  }
  printf("]");
}

static const char* end_profile(graph* self) {
  (void)self;
  return "";
}

graph* open_litert(const description* settings, const char* model) {
  char why[256];
  if (!ours.library) load(settings->operators);
  litert_graph* g = take(1, sizeof *g);
  *g = (litert_graph){{set_input, run, output, print_operators, end_profile}, model, NULL};
  g->opened = (settings->profiled ? ours.open_profiled : ours.open)(
      settings->library, model, settings->threads, why, sizeof why);
  if (!g->opened) stop(model, why);
  return &g->base;
}
