/* Sum of products -> result, rounded as XNNPACK rounds it: after the row's scale, and once more
 * after the weight's scale and the bias together. Every variant does the same. */
#ifndef CK_FINISH_H
#define CK_FINISH_H
#include <math.h>

#include "kernel.h"

static inline float ck_result(int32_t sum, int32_t x_zero, int32_t rowsum, float x_scale,
                              float scale, float bias, int relu) {
  const float y = fmaf((float)(sum - x_zero * rowsum) * x_scale, scale, bias);
  return relu && y < 0.f ? 0.f : y; /* a NaN stays */
}

/* 16 results of one row of x to their places. */
static inline void ck_scatter(const ck_packed* p, int group, const float* lane, float* y) {
  const int32_t* row = CK_SECTION(int32_t, p, row) + group * CK_LANES;
  const int rows = ck_rows_in_group(p, group);
  if (rows == CK_LANES)
    for (int i = 0; i < CK_LANES; i++) y[row[i]] = lane[i];
  else
    for (int i = 0; i < rows; i++) y[row[i]] = lane[i];
}
#endif
