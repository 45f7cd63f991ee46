/* Compares every kernel that this CPU supports with a plain product, over awkward shapes.
 *
 * Prints one line per kernel, "well64_neon 540 products exact" or "... not supported", and exits
 * with 1 when one differs. It runs where there is no Python: under QEMU, in a phone's shell. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "capexport_kernels.h"

enum { MOST_ROWS = 130, MOST_COLS = 520, MOST_BATCH = 70 };
enum { WORK = 1 << 20, PACKED = 1 << 22, SCRATCH = 1 << 20 };

static const int SHAPES[][2] = {{1, 1}, {1, 300}, {17, 1}, {16, 33}, {37, 257}, {130, 520}};
static const int PERCENT_ZERO[] = {0, 50, 80, 95, 100};
static const int BATCHES[] = {1, 2, 3, 4, 5, 7, 8, 9, 16, 17, 36, 49, 70};
#define COUNT(array) (int)(sizeof(array) / sizeof *(array))

typedef struct {
  int rows, cols;
  int8_t weights[MOST_ROWS * MOST_COLS];
  float scale[MOST_ROWS], bias[MOST_ROWS];
  float x[MOST_BATCH * MOST_COLS];
  int8_t q[MOST_BATCH * MOST_COLS];
  int32_t zero[MOST_BATCH];
  int32_t integers[MOST_BATCH * MOST_ROWS]; /* (q - zero) W^T */
  float floats[MOST_BATCH * MOST_ROWS];     /* what ck_run should give, without relu */
  int32_t sum_bias[MOST_ROWS];
  int8_t bytes[MOST_BATCH * MOST_ROWS]; /* what int8 in and out should give */
} problem;

enum { X_ZERO = -11 };
static const ck_int8_range RANGE = {7, -100, 120};

static _Alignas(CK_ALIGNMENT) unsigned char work[WORK], packed_bytes[PACKED], scratch[SCRATCH];

/* A generator of our own: the same numbers on every system. */
static uint32_t next_random(void) {
  static uint32_t state = 1;
  state = state * 1664525u + 1013904223u;
  return state >> 8;
}

static int random_in(int low, int high) {
  return low + (int)(next_random() % (uint32_t)(high - low + 1));
}

/* y[rows] = (x - zero) W^T */
static void multiply(const problem* t, const int8_t* x, int32_t zero, int32_t* y) {
  for (int row = 0; row < t->rows; row++) {
    const int8_t* w = t->weights + row * t->cols;
    y[row] = 0;
    for (int k = 0; k < t->cols; k++) y[row] += (x[k] - zero) * w[k];
  }
}

/* The rule of src/quantize.h and src/finish.h again, in the plainest words. */
static void multiply_floats(const problem* t, const float* x, float* y) {
  int8_t q[MOST_COLS];
  int32_t sums[MOST_ROWS];
  float low = 0, high = 0;
  for (int k = 0; k < t->cols; k++) low = fminf(low, x[k]), high = fmaxf(high, x[k]);
  const float steps = 255.f / (high > low ? high - low : 255.f);
  const float zero = fmaxf(-128.f, fminf(127.f, rintf(-128.f - low * steps)));
  for (int k = 0; k < t->cols; k++)
    q[k] = (int8_t)fmaxf(-128.f, fminf(127.f, rintf(x[k] * steps) + zero));
  multiply(t, q, (int32_t)zero, sums);
  for (int row = 0; row < t->rows; row++)
    y[row] = fmaf((float)sums[row] * (1.f / steps), t->scale[row], t->bias[row]);
}

/* The rule of src/finish_int8.h in the plainest words. */
static void multiply_bytes(const problem* t, const int8_t* x, int8_t* y) {
  int32_t sums[MOST_ROWS];
  multiply(t, x, X_ZERO, sums);
  for (int row = 0; row < t->rows; row++) {
    const float v = rintf((float)(sums[row] + t->sum_bias[row]) * t->scale[row]) + RANGE.zero;
    y[row] = (int8_t)fmaxf(RANGE.low, fminf(RANGE.high, v));
  }
}

static void fill(problem* t, int rows, int cols, int percent_zero) {
  t->rows = rows;
  t->cols = cols;
  for (int i = 0; i < rows * cols; i++)
    t->weights[i] = (int8_t)(random_in(1, 100) <= percent_zero ? 0 : random_in(-127, 127));
  for (int i = 0; i < rows; i++) {
    t->scale[i] = (float)random_in(1, 1000) / 1000.f;
    t->bias[i] = (float)random_in(-1000, 1000) / 10.f;
    t->sum_bias[i] = random_in(-20000, 20000);
  }
  for (int i = 0; i < MOST_BATCH * cols; i++) {
    t->x[i] = (float)random_in(-100000, 100000) / 1000.f;
    t->q[i] = (int8_t)random_in(-128, 127);
  }
  for (int i = 0; i < MOST_BATCH; i++) {
    t->zero[i] = random_in(-128, 127);
    multiply(t, t->q + i * cols, t->zero[i], t->integers + i * rows);
    multiply_floats(t, t->x + i * cols, t->floats + i * rows);
    multiply_bytes(t, t->q + i * cols, t->bytes + i * rows);
  }
}

static int same_integers(const problem* t, const ck_packed* packed, int n) {
  static int32_t y[MOST_BATCH * MOST_ROWS];
  if (ck_run_integer(packed, t->q, (size_t)t->cols, 0, t->zero, n, y, scratch)) return 0;
  return memcmp(y, t->integers, (size_t)(n * t->rows) * sizeof *y) == 0;
}

static int same_floats(const problem* t, const ck_packed* packed, int n) {
  static float y[MOST_BATCH * MOST_ROWS];
  const int relu = n % 2;
  if (ck_run(packed, t->x, n, relu, y, scratch)) return 0;
  for (int i = 0; i < n * t->rows; i++)
    if (y[i] != (relu ? fmaxf(t->floats[i], 0.f) : t->floats[i])) return 0;
  return 1;
}

static int same_bytes(const problem* t, const ck_packed* packed, int n) {
  static int8_t y[MOST_BATCH * MOST_ROWS];
  const int groups = ck_groups(packed), middle = groups / 2;
  if (ck_load_int8(packed, t->q, n, X_ZERO, scratch)) return 0;
  if (ck_run_int8_groups(packed, scratch, n, middle, groups, &RANGE, y)) return 0;
  if (ck_run_int8_groups(packed, scratch, n, 0, middle, &RANGE, y)) return 0;
  return memcmp(y, t->bytes, (size_t)(n * t->rows)) == 0;
}

static int differs(const problem* t, int n) {
  printf("%d x %d, %d rows of x differ: ", t->rows, t->cols, n);
  return -1;
}

/* Products that are exact, or -1. */
static int check_problem(const problem* t, int kernel) {
  ck_packed* packed = (void*)packed_bytes;
  ck_weights w;
  ck_plan plan;
  if (ck_weights_dense(&w, t->weights, t->rows, t->cols) || ck_work_size(&w) > WORK) return -1;
  if (ck_make_plan(&w, kernel, work, &plan) || plan.packed_size > PACKED) return -1;
  if (ck_pack(&w, &plan, t->scale, t->bias, work, packed)) return -1;
  for (int b = 0; b < COUNT(BATCHES); b++) {
    const int n = BATCHES[b];
    if (ck_scratch_size(packed, n) > SCRATCH) return -1;
    if (!same_integers(t, packed, n) || !same_floats(t, packed, n)) return differs(t, n);
  }
  if (ck_pack_int8(&w, &plan, t->scale, t->sum_bias, work, packed)) return -1;
  for (int b = 0; b < COUNT(BATCHES); b++)
    if (!same_bytes(t, packed, BATCHES[b])) return differs(t, BATCHES[b]);
  return 3 * COUNT(BATCHES);
}

static int check_kernel(int kernel) {
  static problem t;
  int exact = 0;
  for (int s = 0; s < COUNT(SHAPES) && exact >= 0; s++)
    for (int z = 0; z < COUNT(PERCENT_ZERO) && exact >= 0; z++) {
      fill(&t, SHAPES[s][0], SHAPES[s][1], PERCENT_ZERO[z]);
      const int more = check_problem(&t, kernel);
      exact = more < 0 ? -1 : exact + more;
    }
  return exact;
}

int main(void) {
  int failed = 0;
  for (int kernel = 0; kernel < ck_kernel_count(); kernel++) {
    const ck_kernel_info* info = ck_kernel(kernel);
    if ((ck_isa() & info->isa) != info->isa) {
      printf("%s not supported\n", info->name);
      continue;
    }
    const int exact = check_kernel(kernel);
    if (exact < 0)
      printf("%s WRONG\n", info->name);
    else
      printf("%s %d products exact\n", info->name, exact);
    failed |= exact < 0;
  }
  return failed;
}
