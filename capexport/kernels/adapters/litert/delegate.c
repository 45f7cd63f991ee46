/* The external delegate for TFLite and LiteRT: takes every operator of ours out of a graph.
 *
 * Which nodes it takes is decided in `keep_ours` alone. */
#include <stdlib.h>
#include <string.h>

#include "partition.h"
#include "tensors.h"

#define EXPORT __attribute__((visibility("default")))

/* Fields that a runtime of the known layout cannot have otherwise. */
static int layout_is_known(const tfl_node* node, const tfl_registration* r) {
  return r->builtin_code >= 0 && r->builtin_code <= TFL_LAST_BUILTIN && r->version >= 0 &&
         node->inputs && node->outputs && node->inputs->size >= 0 && node->outputs->size >= 0 &&
         node->custom_size >= 0;
}

/* Leaves in `plan` the nodes that are ours. */
static tfl_status keep_ours(tfl_context* c, tfl_ints* plan) {
  int kept = 0;
  for (int i = 0; i < plan->size; i++) {
    tfl_node* node;
    tfl_registration* registration;
    if (c->GetNodeAndRegistration(c, plan->data[i], &node, &registration) != TFL_OK)
      return TFL_ERROR;
    if (!layout_is_known(node, registration)) {
      c->ReportError(c,
                     "capexport: this runtime lays out its nodes in an unknown way; "
                     "is it newer than the library?");
      return TFL_ERROR;
    }
    if (kind_of(registration)) plan->data[kept++] = plan->data[i];
  }
  plan->size = kept;
  return TFL_OK;
}

/* A copy for free(): the runtime's own plan lives until it is asked for anything else. */
static tfl_ints* copied_plan(tfl_context* c) {
  tfl_ints *plan, *copy = NULL;
  if (c->GetExecutionPlan(c, &plan) != TFL_OK) return NULL;
  const size_t size = sizeof *plan + (size_t)plan->size * sizeof(int);
  copy = malloc(size);
  if (copy) memcpy(copy, plan, size);
  return copy;
}

static tfl_status take(tfl_context* c, tfl_delegate* delegate, tfl_ints* nodes) {
  int* failed = delegate->data;
  if (keep_ours(c, nodes) != TFL_OK) return TFL_ERROR;
  if (nodes->size == 0) return TFL_OK;
  *failed = 0;
  const tfl_registration registration = partition_registration();
  const tfl_status status =
      c->ReplaceNodeSubsetsWithDelegateKernels(c, registration, nodes, delegate);
  return *failed ? TFL_ERROR : status;
}

static tfl_status delegate_prepare(tfl_context* c, tfl_delegate* delegate) {
  tfl_ints* plan = copied_plan(c);
  if (!plan) return TFL_ERROR;
  const tfl_status status = take(c, delegate, plan);
  free(plan);
  return status;
}

EXPORT void tflite_plugin_destroy_delegate(tfl_delegate* delegate) {
  if (delegate) free(delegate->data);
  free(delegate);
}

/// The delegate; NULL after a report where there is an option, since there are none.
EXPORT tfl_delegate* tflite_plugin_create_delegate(const char* const* keys,
                                                   const char* const* values, size_t count,
                                                   void (*report)(const char*)) {
  (void)keys, (void)values;
  tfl_delegate* delegate = count == 0 ? calloc(1, sizeof *delegate) : NULL;
  int* failed = delegate ? calloc(1, sizeof *failed) : NULL;
  if (!failed) {
    if (report) report(count ? "the capexport delegate has no options" : "out of memory");
    free(delegate);
    return NULL;
  }
  delegate->data = failed;
  delegate->Prepare = delegate_prepare;
  /* Without it the runtime prepares every operator first, and gives up at one it does not know. */
  delegate->flags = TFL_ALLOW_DYNAMIC_TENSORS;
  return delegate;
}
