/* The weights of our own operators. */
#ifndef BLOB_CONSTANT_H
#define BLOB_CONSTANT_H
#include "capexport_kernels.h"
#include "tfl_abi.h"

/* A CKSB blob, uint8 [bytes], into `weights`; a report otherwise. */
tfl_status blob_constant(tfl_context* c, int number, ck_weights* weights);
#endif
