/* Nodes that the runtime replaced by one: their life from init to free. */
#ifndef PARTITION_H
#define PARTITION_H
#include "custom_op.h"
#include "tfl_abi.h"

/* The operator of a node if it is one of ours, else NULL. */
const custom_op_kind* kind_of(const tfl_registration* registration);

/* The functions that the runtime calls for a partition. Init sets the int at the delegate's `data`
 * to 1 when it fails. */
tfl_registration partition_registration(void);
#endif
