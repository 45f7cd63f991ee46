/* Checked weights -> a packed matrix in the caller's memory: measured first, then written. */
#include "pack.h"

#include <string.h>

size_t ck_work_size(const ck_weights* w) {
  const uint64_t rows = (uint64_t)w->rows;
  return (size_t)(ck_round_up((rows + 1) * 4, 64) + 3 * ck_round_up(rows * 4, 64) +
                  ck_round_up(rows * 2, 64));
}

static ck_work divide(const ck_weights* w, void* memory) {
  const uint64_t rows = (uint64_t)w->rows;
  char* at = memory;
  ck_work work;
  work.index = (void*)at;
  work.order = (void*)(at += ck_round_up((rows + 1) * 4, 64));
  work.spare = (void*)(at += ck_round_up(rows * 4, 64));
  work.sum = (void*)(at += ck_round_up(rows * 4, 64));
  work.nnz = (void*)(at + ck_round_up(rows * 4, 64));
  return work;
}

/* All that is needed of the rows, in one walk. */
static void survey_rows(const ck_weights* w, ck_work* work) {
  work->index[0] = 0;
  for (int32_t row = 0; row < w->rows; row++) {
    int32_t nnz = 0, sum = 0;
    ck_cursor c = ck_cursor_at(w, work->index[row], row);
    for (; c.column != CK_ROW_END; ck_cursor_next(&c), nnz++) sum += c.weight;
    work->index[row + 1] = ck_cursor_place(w, &c);
    work->nnz[row] = (uint16_t)nnz;
    work->sum[row] = sum;
    work->order[row] = row;
  }
}

static uint64_t append(uint64_t* size, uint64_t bytes) {
  const uint64_t at = *size;
  *size = ck_round_up(at + bytes, CK_ALIGNMENT);
  return at;
}

/* The header: where each section lies, without anything being written there. */
static ck_packed header(const ck_weights* w, int32_t kernel, int64_t slots) {
  const ck_kernel_info* info = ck_kernel(kernel);
  const uint64_t groups = (uint64_t)ck_groups_of(w->rows), lanes = groups * CK_LANES;
  const uint64_t stored = (uint64_t)slots, steps = stored / (CK_LANES * CK_SLOTS);
  const int well = info->layout == CK_LAYOUT_WELL;
  ck_packed p = {.magic = CK_MAGIC,
                 .kernel = kernel,
                 .rows = w->rows,
                 .cols = w->cols,
                 .groups = (int32_t)groups};
  uint64_t size = ck_round_up(sizeof p, CK_ALIGNMENT);
  p.row = append(&size, lanes * 4);
  p.rowsum = append(&size, lanes * 4);
  p.scale = append(&size, lanes * 4);
  p.bias = append(&size, lanes * 4);
  p.start = append(&size, (well ? groups + 1 : lanes + 1) * 4);
  p.column = append(&size, (well ? steps : stored) * 2);
  p.weight = append(&size, well ? steps * CK_STEP_BYTES : stored);
  p.size = size;
  return p;
}

ck_status ck_make_plan(const ck_weights* w, int32_t kernel, void* memory, ck_plan* plan) {
  const ck_kernel_info* info = ck_kernel(kernel);
  if (!info) return CK_KERNEL_UNKNOWN;
  if ((ck_isa() & info->isa) != info->isa) return CK_KERNEL_UNSUPPORTED;
  if (!ck_aligned(memory)) return CK_MISALIGNED;
  ck_work work = divide(w, memory);
  survey_rows(w, &work);
  int64_t slots;
  if (info->layout == CK_LAYOUT_WELL) {
    slots = ck_order_well(w, &work, ck_kernel_at(kernel)) * CK_LANES * CK_SLOTS;
  } else {
    slots = ck_csr_entries(w, &work);
  }
  if (slots > UINT32_MAX) return CK_TOO_LARGE;
  *plan = (ck_plan){kernel, slots, header(w, kernel, slots).size};
  return CK_OK;
}

static float scale_of(const ck_weights* w, const ck_work* work, const float* scale, int32_t row) {
  return w->has_scale ? ck_row_scale(w, work->index[row]) : scale ? scale[row] : 1.f;
}

static void pack_bias(const ck_weights* w, const ck_work* work, const void* bias, int32_t row,
                      char* to) {
  memset(to, 0, 4);
  if (row < 0) return;
  const float own = w->has_bias ? ck_row_bias(w, work->index[row]) : 0.f;
  if (w->has_bias) memcpy(to, &own, 4);
  if (bias) memcpy(to, (const char*)bias + 4 * (size_t)row, 4);
}

/* What finishing needs of each lane; a lane of padding has zeros. The bias is floats or integers,
 * either way words of which the zeros mean 0. */
static void pack_lanes(const ck_weights* w, const ck_work* work, const float* scale,
                       const void* bias, ck_packed* p) {
  p->in_order = 1;
  for (int32_t lane = 0; lane < p->groups * CK_LANES; lane++) {
    const int32_t row = lane < w->rows ? work->order[lane] : -1;
    if (row >= 0 && row != lane) p->in_order = 0;
    CK_SECTION_OUT(int32_t, p, row)[lane] = row;
    CK_SECTION_OUT(int32_t, p, rowsum)[lane] = row < 0 ? 0 : work->sum[row];
    CK_SECTION_OUT(float, p, scale)[lane] = row < 0 ? 0.f : scale_of(w, work, scale, row);
    pack_bias(w, work, bias, row, (char*)p + p->bias + 4 * (size_t)lane);
  }
}

static ck_status pack(const ck_weights* w, const ck_plan* plan, const float* scale,
                      const void* bias, void* memory, ck_packed* packed) {
  const ck_kernel_info* info = ck_kernel(plan->kernel);
  if (!info) return CK_KERNEL_UNKNOWN;
  if ((w->has_scale && scale) || (w->has_bias && bias)) return CK_TWO_FLOATS;
  if (!ck_aligned(memory) || !ck_aligned(packed)) return CK_MISALIGNED;
  const ck_work work = divide(w, memory);
  *packed = header(w, plan->kernel, plan->slots);
  if (packed->size != plan->packed_size) return CK_ARGUMENT;
  pack_lanes(w, &work, scale, bias, packed);
  if (info->layout == CK_LAYOUT_WELL)
    ck_pack_well(w, &work, packed);
  else
    ck_pack_csr(w, &work, packed);
  return CK_OK;
}

ck_status ck_pack(const ck_weights* w, const ck_plan* plan, const float* scale, const float* bias,
                  void* memory, ck_packed* packed) {
  return pack(w, plan, scale, bias, memory, packed);
}

ck_status ck_pack_int8(const ck_weights* w, const ck_plan* plan, const float* scale,
                       const int32_t* bias, void* memory, ck_packed* packed) {
  if (w->has_scale || w->has_bias) return CK_TWO_FLOATS;
  const ck_status status = pack(w, plan, scale, bias, memory, packed);
  if (status == CK_OK) packed->gives_int8 = 1;
  return status;
}

ck_status ck_pack_live(const ck_weights* w, const ck_plan* plan, const float* live_scale,
                       const float* bias, void* memory, ck_packed* packed) {
  if (!ck_aligned(memory)) return CK_MISALIGNED;
  const ck_work work = divide(w, memory);
  float* scale = (void*)work.spare;
  for (int32_t row = 0; row < w->rows; row++) scale[row] = work.nnz[row] ? *live_scale++ : 1.f;
  return ck_pack(w, plan, scale, bias, memory, packed);
}
