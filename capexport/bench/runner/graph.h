/* What both runtimes are reduced to: an open graph with named inputs and outputs. */
#ifndef GRAPH_H
#define GRAPH_H
#include "description.h"

typedef struct graph graph;
struct graph {
  /* The data are read by the next runs, until they are set anew. */
  void (*set_input)(graph* self, const char* name, const capexport_tensor* tensor);
  void (*run)(graph* self);
  /* Of the last run; the data hold until the next one. */
  capexport_tensor (*output)(graph* self, const char* name);
  /* Only where the description asks for profiles. */
  void (*print_operators)(graph* self); /* of the last run, as a list in JSON */
  const char* (*end_profile)(graph* self); /* the file that has them instead, "" for none */
};

/* Each ends the program where it fails. Graphs stay open until the program ends. */
graph* open_litert(const description* settings, const char* model);
graph* open_onnxruntime(const description* settings, const char* model);

/* By the runtime's name. */
graph* open_graph(const description* settings, const char* model);

/* A function of a library that is opened at run time; the program ends where there is none. */
void* open_shared(const char* path);
void look_up(void* library, const char* name, void* function);
#endif
