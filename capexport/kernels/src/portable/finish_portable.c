/* Scaling, bias and relu in plain C, and the integer results. */
#include "../finish.h"

/* One value of a tile, wherever it lies in there. */
typedef struct {
  int group, lane, i; /* group of the tile, i: row of x */
} place;

static void store_result(const ck_packed* p, const ck_outcome* o, place at, int32_t sum) {
  const size_t lane = (size_t)at.group * CK_LANES + (size_t)at.lane;
  float* y = (float*)o->y + (size_t)at.i * (size_t)p->rows;
  y[CK_SECTION(int32_t, p, row)[lane]] =
      ck_result(sum, o->zero[at.i], CK_SECTION(int32_t, p, rowsum)[lane], o->scale[at.i],
                CK_SECTION(float, p, scale)[lane], CK_SECTION(float, p, bias)[lane], o->relu);
}

void ck_finish_ROWS_portable(const ck_packed* p, const ck_outcome* o) {
  const int32_t* sum = o->tile;
  for (int g = o->first; g < o->last; g++)
    for (int i = 0; i < o->n; i++, sum += CK_LANES)
      for (int lane = 0; lane < ck_rows_in_group(p, g); lane++)
        store_result(p, o, (place){g, lane, i}, sum[lane]);
}

void ck_finish_COLUMNS_portable(const ck_packed* p, const ck_outcome* o) {
  const int32_t* sum = o->tile;
  for (int g = o->first; g < o->last; g++, sum += CK_LANES * o->stride)
    for (int i = 0; i < o->n; i++)
      for (int lane = 0; lane < ck_rows_in_group(p, g); lane++)
        store_result(p, o, (place){g, lane, i}, sum[lane * o->stride + i]);
}

void ck_finish_integer(const ck_packed* p, const ck_outcome* o) {
  const int columns = ck_kernel_at(p->kernel)->operand == CK_COLUMNS;
  const int32_t* sum = o->tile;
  for (int g = o->first; g < o->last; g++, sum += CK_LANES * o->stride)
    for (int i = 0; i < o->n; i++) {
      int32_t* y = (int32_t*)o->y + (size_t)i * (size_t)p->rows;
      for (int lane = 0; lane < ck_rows_in_group(p, g); lane++) {
        const int at = g * CK_LANES + lane;
        y[CK_SECTION(int32_t, p, row)[at]] =
            sum[columns ? lane * o->stride + i : i * CK_LANES + lane] -
            o->zero[i] * CK_SECTION(int32_t, p, rowsum)[at];
      }
    }
}
