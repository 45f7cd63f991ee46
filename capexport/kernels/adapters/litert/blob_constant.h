/* The weights of our own operators. */
#ifndef BLOB_CONSTANT_H
#define BLOB_CONSTANT_H
#include "capexport_kernels.h"
#include "tfl_abi.h"

/* A CKSB blob, uint8 [bytes], into `weights`; a report otherwise. */
tfl_status blob_constant(tfl_context* c, int number, ck_weights* weights);

/* A constant of one number that stands for what is not there. */
tfl_status placeholder(tfl_context* c, int number, float value);

/* The scale of the rows: NULL where the blob has it; *is_live: it leaves out rows without weights. */
tfl_status scale_constant(tfl_context* c, int number, const ck_weights* weights,
                          const float** scale, int* is_live);
#endif
