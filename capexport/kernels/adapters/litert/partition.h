/* Nodes that the runtime replaced by one: their life from init to free. */
#ifndef PARTITION_H
#define PARTITION_H
#include <pthread.h>

#include "claims.h"
#include "tfl_abi.h"

/* What the delegate has at its `data`. */
typedef struct {
  settings settings;
  pthread_mutex_t changing; /* interpreters of several threads may share the delegate */
  claims claims; /* while a graph is being changed: the init of each partition looks up its nodes */
  int failed;    /* an init did; the runtime goes on after it */
} delegate_state;

/* The functions that the runtime calls for a partition. */
tfl_registration partition_registration(void);
#endif
