/* A .tflite in LiteRT's compiled models, through our library's C interface (capexport_litert.h). */
#include "failure.h"
#include "graph.h"

typedef struct {
  graph base;
  const char* model;
  capexport_litert* opened;
} litert_graph;

static struct {
  void* library;
  capexport_litert* (*open)(const char*, const char*, int32_t, char*, size_t);
  const char* (*message)(const capexport_litert*);
  int32_t (*set_input)(capexport_litert*, const char*, const capexport_tensor*);
  int32_t (*run)(capexport_litert*);
  int32_t (*output)(capexport_litert*, const char*, capexport_tensor*);
} ours;

static void load(const char* path) {
  ours.library = open_shared(path);
  look_up(ours.library, "capexport_litert_open", &ours.open);
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

graph* open_litert(const description* settings, const char* model) {
  char why[256];
  if (!ours.library) load(settings->operators);
  litert_graph* g = take(1, sizeof *g);
  *g = (litert_graph){{set_input, run, output}, model, NULL};
  g->opened = ours.open(settings->library, model, settings->threads, why, sizeof why);
  if (!g->opened) stop(model, why);
  return &g->base;
}
