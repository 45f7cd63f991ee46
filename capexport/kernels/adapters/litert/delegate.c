/* The external delegate for TFLite and LiteRT: entry points, and the change of one graph. */
#include <stdlib.h>
#include <string.h>

#include "partition.h"
#include "tensors.h"

#define EXPORT __attribute__((visibility("default")))

/* A copy for free(): the runtime's own plan lives until it is asked for anything else. */
static tfl_ints* copied_plan(tfl_context* c) {
  tfl_ints *plan, *copy = NULL;
  if (c->GetExecutionPlan(c, &plan) != TFL_OK) return NULL;
  const size_t size = sizeof *plan + (size_t)plan->size * sizeof(int);
  copy = malloc(size);
  if (copy) memcpy(copy, plan, size);
  return copy;
}

/* Leaves the nodes that are taken. */
static void keep_taken(const claims* all, tfl_ints* nodes) {
  nodes->size = 0;
  for (int i = 0; i < all->count; i++)
    if (all->items[i].taken) nodes->data[nodes->size++] = all->items[i].node;
}

static tfl_status take(tfl_context* c, tfl_delegate* delegate, tfl_ints* nodes) {
  delegate_state* state = delegate->data;
  if (claims_make(c, &state->settings, nodes, &state->claims) != TFL_OK) return TFL_ERROR;
  keep_taken(&state->claims, nodes);
  if (nodes->size == 0) return TFL_OK;
  state->failed = 0;
  const tfl_registration registration = partition_registration();
  const tfl_status status =
      c->ReplaceNodeSubsetsWithDelegateKernels(c, registration, nodes, delegate);
  return state->failed ? TFL_ERROR : status;
}

static tfl_status delegate_prepare(tfl_context* c, tfl_delegate* delegate) {
  delegate_state* state = delegate->data;
  tfl_ints* plan = copied_plan(c);
  if (!plan) return TFL_ERROR;
  pthread_mutex_lock(&state->changing);
  const tfl_status status = take(c, delegate, plan);
  claims_free(&state->claims);
  state->claims = (claims){0};
  pthread_mutex_unlock(&state->changing);
  free(plan);
  return status;
}

static void destroy(tfl_delegate* delegate, delegate_state* state) {
  if (state) {
    settings_close(&state->settings);
    pthread_mutex_destroy(&state->changing);
  }
  free(state);
  free(delegate);
}

EXPORT void tflite_plugin_destroy_delegate(tfl_delegate* delegate) {
  if (delegate) destroy(delegate, delegate->data);
}

/// The delegate; NULL after a report where an option is wrong. README.md has the options.
EXPORT tfl_delegate* tflite_plugin_create_delegate(const char* const* keys,
                                                   const char* const* values, size_t count,
                                                   void (*report)(const char*)) {
  tfl_delegate* delegate = calloc(1, sizeof *delegate);
  delegate_state* state = calloc(1, sizeof *state);
  const char* wrong = "capexport: out of memory";
  if (state && pthread_mutex_init(&state->changing, NULL)) {
    free(state);
    state = NULL;
  }
  if (delegate && state) wrong = settings_open(&state->settings, keys, values, count);
  if (wrong) {
    if (report) report(wrong);
    destroy(delegate, state);
    return NULL;
  }
  delegate->data = state;
  delegate->Prepare = delegate_prepare;
  /* Without it the runtime prepares every operator first, and gives up at one it does not know. */
  delegate->flags = TFL_ALLOW_DYNAMIC_TENSORS;
  return delegate;
}
