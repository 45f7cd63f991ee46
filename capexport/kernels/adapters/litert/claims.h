/* Which nodes of a graph the delegate takes, and why it leaves the others. */
#ifndef CLAIMS_H
#define CLAIMS_H
#include "op.h"

/* A node that is looked at. */
typedef struct {
  int node;
  const op_kind* kind; /* NULL for a DENSIFY and what is none of ours */
  int taken;
  int sparse, dense;   /* of a DENSIFY, its input and output; else -1 */
  int weights;         /* of TFLite's own operators, the input that holds them; else -1 */
  const char* reason;  /* of TFLite's own operators that are left */
  stock_layer layer;
} claim;

typedef struct {
  int count;
  claim* items; /* in the order of the plan */
} claims;

/* Looks at all nodes of the plan; the report gets a line for each int8 layer that is left. */
tfl_status claims_make(tfl_context* c, const settings* settings, const tfl_ints* plan,
                       claims* claims);
/* The operator of a node if it is one of the two that are stored for this library, else NULL. */
const op_kind* custom_kind(const tfl_registration* registration);

const claim* claims_find(const claims* claims, int node);
void claims_free(claims* claims);
#endif
