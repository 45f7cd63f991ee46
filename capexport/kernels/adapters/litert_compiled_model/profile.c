/* Events of LiteRT's profiler -> operators, and the names of their tensors where LiteRT runs them. */
#include "profile.h"

#include <stdlib.h>

#include "compiled_graph.h"
#include "litert_library.h"

/* As litert_profiler_event.h of 2.3 numbers them; XNNPACK's operators count from 0 in each of its
 * partitions. Other events are of LiteRT's own work and of whole runs. */
enum { OPERATOR = 2, DELEGATED_OPERATOR = 8 };

typedef struct {
  const char* tag;
  int kind;
  uint64_t start_us, elapsed_us;
  size_t memory_before[3], memory_after[3];
  uint64_t node, subgraph;
  int source;
} lrt_event;

lrt_status open_profile(profile* p, const lrt_library* library, lrt_handle compiled,
                        failure* why) {
  lrt_status (*get)(lrt_handle, lrt_handle*);
  if (!p->is_wanted) return LRT_OK;
  if (look_up(library, "LiteRtCompiledModelGetProfiler", &get, why) ||
      look_up(library, "LiteRtStartProfiler", &p->Start, why) ||
      look_up(library, "LiteRtResetProfiler", &p->Reset, why) ||
      look_up(library, "LiteRtGetNumProfilerEvents", &p->GetNumEvents, why) ||
      look_up(library, "LiteRtGetProfilerEvents", &p->GetEvents, why) ||
      checked(get(compiled, &p->profiler), "CompiledModelGetProfiler", why))
    return LRT_FAILED;
  return LRT_OK;
}

/* To forget ends the noting, too. */
lrt_status begin_profile(const profile* p, failure* why) {
  if (!p->profiler) return LRT_OK;
  if (checked(p->Reset(p->profiler), "ResetProfiler", why)) return LRT_FAILED;
  return checked(p->Start(p->profiler), "StartProfiler", why);
}

static lrt_status read_names(capexport_litert* g, uint64_t node, capexport_litert_event* out) {
  lrt_handle op, tensor;
  size_t inputs;
  TRY(g, GetSubgraphOp, g->subgraph, node, &op);
  TRY(g, GetOpOutput, op, 0, &tensor);
  TRY(g, GetTensorName, tensor, &out->output);
  TRY(g, GetNumOpInputs, op, &inputs);
  for (size_t i = 0; i < inputs && i < CAPEXPORT_MOST_PROFILED_INPUTS; i++) {
    TRY(g, GetOpInput, op, i, &tensor);
    TRY(g, GetTensorName, tensor, &out->inputs[out->input_count++]);
  }
  return LRT_OK;
}

static lrt_status read_event(capexport_litert* g, const lrt_event* event,
                             capexport_litert_event* out) {
  *out = (capexport_litert_event){.name = event->tag,
                                  .is_delegated = event->kind == DELEGATED_OPERATOR,
                                  .microseconds = (int64_t)event->elapsed_us};
  return out->is_delegated ? LRT_OK : read_names(g, event->node, out);
}

int32_t capexport_litert_profile(capexport_litert* g, capexport_litert_event* events, int32_t most,
                                 int32_t* count) {
  int all = 0;
  lrt_status status = LRT_OK;
  *count = 0;
  g->why.text[0] = 0;
  if (!g->profile.profiler) return fail(&g->why, "the graph was not opened as profiled");
  if (checked(g->profile.GetNumEvents(g->profile.profiler, &all), "GetNumProfilerEvents", &g->why))
    return LRT_FAILED;
  lrt_event* found = calloc((size_t)all + 1, sizeof *found);
  if (!found) return fail(&g->why, "out of memory");
  if (all > 0)
    status = checked(g->profile.GetEvents(g->profile.profiler, all, found), "GetProfilerEvents",
                     &g->why);
  for (int i = 0; i < all && !status; i++) {
    if (found[i].kind != OPERATOR && found[i].kind != DELEGATED_OPERATOR) continue;
    if (*count < most) status = read_event(g, &found[i], &events[*count]);
    *count += 1;
  }
  free(found);
  return status;
}
