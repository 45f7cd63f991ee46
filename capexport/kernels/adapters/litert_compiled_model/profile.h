/* LiteRT's own profiler of a compiled model, which belongs to the model. */
#ifndef PROFILE_H
#define PROFILE_H
#include "capexport_litert.h"
#include "failure.h"
#include "litert_abi.h"

typedef struct {
  bool is_wanted;
  lrt_handle profiler;
  lrt_status (*Start)(lrt_handle profiler);
  lrt_status (*Reset)(lrt_handle profiler);
  lrt_status (*GetNumEvents)(lrt_handle profiler, int* out);
  lrt_status (*GetEvents)(lrt_handle profiler, int count, void* out);
} profile;

/* Nothing where it is not wanted. Its functions are looked up here and not with LRT_FUNCTIONS, so
 * that a LiteRT without them still opens models. */
lrt_status open_profile(profile* p, const lrt_library* library, lrt_handle compiled, failure* why);

/* Before a run: what was noted of the last one is forgotten. */
lrt_status begin_profile(const profile* p, failure* why);
#endif
