/* Packing when shapes are known, and the parts that threads take. */
#include "product.h"

#include <stdlib.h>

#include "tensors.h"

/* Rows of the weights, 16 to a group, that one thread takes at a time: some ten microseconds. */
enum { GROUPS_PER_PART = 32 };

tfl_status product_refuse(tfl_context* c, const product* p, ck_status status) {
  c->ReportError(c, "capexport: %s: %s", tensor_name(c, p->stored_in), ck_status_text(status));
  return TFL_ERROR;
}

static ck_status fill(const product* p, const ck_plan* plan, void* work) {
  if (p->gives_int8) return ck_pack_int8(&p->weights, plan, p->scale, p->bias, work, p->packed);
  return (p->scale_is_live ? ck_pack_live : ck_pack)(&p->weights, plan, p->scale, p->bias, work,
                                                     p->packed);
}

static void tell(tfl_context* c, const op* op, const product* p, size_t bytes) {
  const ck_weights* w = &p->weights;
  const report_line line = {op->node, op->kind->name, tensor_name(c, p->stored_in), w->rows,
                            w->cols, w->nnz, p->stored, ck_kernel(p->kernel)->name, p->n, bytes};
  report_add(op->settings->report, &line);
}

static tfl_status pack_with(tfl_context* c, const op* op, product* p, int32_t kernel, void* work) {
  ck_plan plan;
  ck_status status = ck_make_plan(&p->weights, kernel, work, &plan);
  if (status != CK_OK) return product_refuse(c, p, status);
  free(p->packed); /* first: the two layouts need not fit into memory together */
  p->kernel = NOT_PACKED;
  p->packed = aligned_memory(c, plan.packed_size);
  if (!p->packed) return TFL_ERROR;
  status = fill(p, &plan, work);
  if (status != CK_OK) return product_refuse(c, p, status);
  p->kernel = kernel;
  tell(c, op, p, plan.packed_size);
  return TFL_OK;
}

static tfl_status pack(tfl_context* c, const op* op, product* p) {
  const ck_weights* w = &p->weights;
  const ck_request request = {op->settings->isa, w->rows, w->cols, w->nnz, p->n, 1};
  const int32_t kernel = ck_choose(&request, NULL);
  if (kernel == p->kernel) return TFL_OK;
  if (kernel == CK_DECLINE) return product_refuse(c, p, CK_KERNEL_UNSUPPORTED);
  void* work = aligned_memory(c, ck_work_size(w));
  const tfl_status status = work ? pack_with(c, op, p, kernel, work) : TFL_ERROR;
  free(work);
  return status;
}

tfl_status product_prepare(tfl_context* c, op* op, product* p, int32_t n) {
  p->n = n;
  op->scratch_size = 0;
  if (n == 0) return TFL_OK;
  if (pack(c, op, p) != TFL_OK) return TFL_ERROR;
  op->scratch_size = ck_scratch_size(p->packed, n);
  return TFL_OK;
}

/* Cannot fail: the first half of the product has accepted the same arguments. */
static void run_part(void* work, int part) {
  const multiplication* m = work;
  const product* p = m->product;
  const int32_t groups = ck_groups(p->packed), first = part * GROUPS_PER_PART;
  const int32_t last = groups - first < GROUPS_PER_PART ? groups : first + GROUPS_PER_PART;
  if (p->gives_int8)
    ck_run_int8_groups(p->packed, m->scratch, p->n, first, last, m->range, m->y);
  else
    ck_run_groups(p->packed, m->scratch, p->n, first, last, m->relu, m->y);
}

void product_run(const op* op, multiplication* m) {
  const int parts = (ck_groups(m->product->packed) + GROUPS_PER_PART - 1) / GROUPS_PER_PART;
  threads_share(op->settings->threads, run_part, m, parts);
}

void product_close(product* p) { free(p->packed); }
