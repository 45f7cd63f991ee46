/* One product: x into scratch memory, then tile by tile through a kernel into y. */
#include "operand.h"

enum {
  TILE = 4096,     /* int32 values, 16 KB */
  MOST_GROUPS = 64 /* per tile, 4 KB for one row of x: more gain nothing */
};

static ck_status check(const ck_packed* p, int32_t n, const void* scratch) {
  if (!ck_aligned(p) || !ck_aligned(scratch)) return CK_MISALIGNED;
  if (p->magic != CK_MAGIC || !ck_kernel_at(p->kernel)) return CK_NOT_PACKED;
  return n < 1 ? CK_ARGUMENT : CK_OK;
}

int32_t ck_groups(const ck_packed* p) { return check(p, 1, p) == CK_OK ? p->groups : 0; }

size_t ck_scratch_size(const ck_packed* p, int32_t n) {
  return check(p, n, p) == CK_OK ? ck_divide_scratch(p, n).size : 0;
}

/* What all passes of one call have in common. */
typedef struct {
  const ck_packed* p;
  const char* scratch;
  int n;
  ck_finish* finish;
  int relu;
  const ck_int8_range* range; /* NULL but for int8 results */
  char* y;
  size_t y_size; /* bytes of one result */
} call;

static int smaller(int a, int b) { return a < b ? a : b; }

/* n <= CK_MAX_PASS rows of x from row `at`, groups first..last-1. */
static void run_pass(const call* c, int at, int n, int first, int last) {
  const ck_packed* p = c->p;
  const ck_kernel_entry* kernel = ck_kernel_at(p->kernel);
  const ck_scratch s = ck_divide_scratch(p, c->n);
  const int columns = kernel->operand == CK_COLUMNS, width = columns ? ck_padded_batch(n) : n;
  const size_t stride = columns ? (size_t)width : s.row_stride;
  const int groups = smaller(MOST_GROUPS, TILE / (CK_LANES * width));
  int32_t tile[TILE] __attribute__((aligned(64)));
  ck_outcome out = {.tile = tile, .n = n, .stride = width, .relu = c->relu, .range = c->range};
  out.scale = (const float*)(const void*)(c->scratch + s.scale) + at;
  out.zero = (const int32_t*)(const void*)(c->scratch + s.zero) + at;
  out.y = c->y + (size_t)at * (size_t)p->rows * c->y_size;
  const char* x = c->scratch + ck_pass_at(p, &s, at);
  for (out.first = first; out.first < last; out.first = out.last) {
    out.last = smaller(last, out.first + groups);
    kernel->product(p, x, stride, width, out.first, out.last, tile);
    c->finish(p, &out);
  }
}

static void run_passes(const call* c, int first, int last) {
  for (int at = 0; at < c->n; at += CK_MAX_PASS)
    run_pass(c, at, smaller(CK_MAX_PASS, c->n - at), first, last);
}

static int has_groups(const ck_packed* p, int32_t first, int32_t last) {
  return first >= 0 && first <= last && last <= p->groups;
}

static int is_int8(const ck_int8_range* r) {
  return r->low >= -128 && r->low <= r->high && r->high <= 127 && r->zero >= -128 && r->zero <= 127;
}

ck_status ck_quantize(const ck_packed* p, const float* x, int32_t n, void* scratch) {
  const ck_status status = check(p, n, scratch);
  if (status == CK_OK) ck_take_floats(p, x, n, scratch);
  return status;
}

ck_status ck_run_groups(const ck_packed* p, const void* scratch, int32_t n, int32_t first,
                        int32_t last, int32_t relu, float* y) {
  const ck_status status = check(p, n, scratch);
  if (status != CK_OK) return status;
  if (!has_groups(p, first, last) || p->gives_int8) return CK_ARGUMENT;
  ck_finish* finish = ck_kernel_at(p->kernel)->finish;
  run_passes(&(call){p, scratch, n, finish, relu, NULL, (void*)y, sizeof *y}, first, last);
  return CK_OK;
}

ck_status ck_load_int8(const ck_packed* p, const int8_t* x, int32_t n, int32_t x_zero,
                       void* scratch) {
  const ck_status status = check(p, n, scratch);
  const ck_integers rows = {(const uint8_t*)x, (size_t)p->cols, 0, NULL, x_zero};
  if (status == CK_OK) ck_take_integers(p, &rows, n, scratch);
  return status;
}

ck_status ck_run_int8_groups(const ck_packed* p, const void* scratch, int32_t n, int32_t first,
                             int32_t last, const ck_int8_range* range, int8_t* y) {
  const ck_status status = check(p, n, scratch);
  if (status != CK_OK) return status;
  if (!has_groups(p, first, last) || !p->gives_int8 || !is_int8(range)) return CK_ARGUMENT;
  ck_finish* finish = ck_kernel_at(p->kernel)->finish_int8;
  run_passes(&(call){p, scratch, n, finish, 0, range, (void*)y, sizeof *y}, first, last);
  return CK_OK;
}

ck_status ck_run(const ck_packed* p, const float* x, int32_t n, int32_t relu, float* y,
                 void* scratch) {
  const ck_status status = ck_quantize(p, x, n, scratch);
  return status == CK_OK ? ck_run_groups(p, scratch, n, 0, p->groups, relu, y) : status;
}

ck_status ck_run_integer(const ck_packed* p, const void* x, size_t stride, int32_t is_unsigned,
                         const int32_t* zero, int32_t n, int32_t* y, void* scratch) {
  const ck_status status = check(p, n, scratch);
  if (status != CK_OK) return status;
  if (stride < (size_t)p->cols) return CK_ARGUMENT;
  ck_take_integers(p, &(ck_integers){x, stride, is_unsigned, zero, 0}, n, scratch);
  run_passes(&(call){p, scratch, n, ck_finish_integer, 0, NULL, (void*)y, sizeof *y}, 0,
             p->groups);
  return CK_OK;
}
