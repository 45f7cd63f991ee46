/* What the runtime itself says of its operators' times. */
#ifndef PROFILE_H
#define PROFILE_H
#include "search.h"

/* Prints one JSON document: of each graph the time of some calls, after warm-up, and what the
 * runtime noted of each. That slows them down: a run that does this measures nothing else. */
void print_profiles(search* found);
#endif
