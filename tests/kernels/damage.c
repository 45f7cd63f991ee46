/* Reads a file of blobs, each after its length (u32, little-endian), and does with each whatever
 * the library can do. For a build with sanitizers: it prints how many were refused.
 *
 * With a second argument the file holds compressed rows instead: rows, columns, entries (i32 each),
 * then start i32[rows + 1], column i32[entries], value i8[entries]. */
#include <stdio.h>
#include <stdlib.h>

#include "capexport_kernels.h"

static void* memory(size_t size) {
  void* p = aligned_alloc(CK_ALIGNMENT, (size + CK_ALIGNMENT - 1) / CK_ALIGNMENT * CK_ALIGNMENT);
  if (!p) exit(2);
  return p;
}

static void read_rows(const ck_weights* w) {
  uint32_t* index = memory(((size_t)w->rows + 1) * sizeof *index);
  float* out = memory((size_t)w->cols * sizeof *out);
  ck_index_rows(w, index);
  for (int32_t row = -1; row <= w->rows; row++) ck_embed_row(w, index, row, 2.f, out);
  float* live = memory((size_t)w->live_rows * sizeof *live + 1);
  float* scale = memory((size_t)w->rows * sizeof *scale);
  for (int32_t i = 0; i < w->live_rows; i++) live[i] = 2.f;
  ck_spread_scale(w, index, w->has_scale ? NULL : live, scale);
  free(live);
  free(scale);
  free(index);
  free(out);
}

static void multiply_int8(const ck_packed* packed, const int8_t* x, int32_t n, void* y,
                          void* scratch) {
  const ck_int8_range range = {-3, -128, 127};
  if (ck_load_int8(packed, x, n, 5, scratch) != CK_OK) exit(3);
  if (ck_run_int8_groups(packed, scratch, n, 0, ck_groups(packed), &range, y)) exit(3);
}

static void multiply(const ck_weights* w, int32_t kernel, int32_t n) {
  ck_plan plan;
  void* work = memory(ck_work_size(w));
  if (ck_make_plan(w, kernel, work, &plan) == CK_OK) {
    ck_packed* packed = memory(plan.packed_size);
    float* live = malloc((size_t)w->live_rows * sizeof *live + 1);
    if (!live) exit(2);
    for (int32_t i = 0; i < w->live_rows; i++) live[i] = 2.f;
    const ck_status twice = w->has_scale ? CK_TWO_FLOATS : CK_OK;
    if (ck_pack_live(w, &plan, live, NULL, work, packed) != twice) exit(3);
    free(live);
    if (ck_pack(w, &plan, NULL, NULL, work, packed) != CK_OK) exit(3);
    float* x = memory((size_t)w->cols * (size_t)n * sizeof *x);
    float* y = memory((size_t)w->rows * (size_t)n * sizeof *y);
    for (int32_t i = 0; i < w->cols * n; i++) x[i] = (float)(i % 17 - 8);
    void* scratch = memory(ck_scratch_size(packed, n));
    if (ck_run(packed, x, n, 1, y, scratch) != CK_OK) exit(3);
    const ck_status floats = w->has_scale || w->has_bias ? CK_TWO_FLOATS : CK_OK;
    if (ck_pack_int8(w, &plan, NULL, NULL, work, packed) != floats) exit(3);
    if (floats == CK_OK) multiply_int8(packed, (const void*)x, n, y, scratch);
    free(packed);
    free(x);
    free(y);
    free(scratch);
  }
  free(work);
}

static void use(const ck_weights* w) {
  read_rows(w);
  for (int32_t kernel = 0; kernel < ck_kernel_count(); kernel++)
    for (int32_t n = 1; n <= 9; n += 4) multiply(w, kernel, n);
}

/* Of this very size, so that one byte too far is found. */
static void* next(FILE* file, size_t size) {
  void* bytes = malloc(size ? size : 1);
  if (!bytes || fread(bytes, 1, size, file) != size) exit(2);
  return bytes;
}

static int refuse_blob(FILE* file, uint32_t size) {
  uint8_t* blob = next(file, size);
  ck_weights w;
  const int refused = ck_weights_blob(&w, blob, size) != CK_OK;
  if (!refused) use(&w);
  free(blob);
  return refused;
}

static int refuse_rows(FILE* file, int32_t rows) {
  int32_t* sizes = next(file, 2 * sizeof *sizes);
  const int32_t columns = sizes[0], entries = sizes[1];
  int32_t* start = next(file, ((size_t)rows + 1) * sizeof *start);
  int32_t* column = next(file, (size_t)entries * sizeof *column);
  int8_t* value = next(file, (size_t)entries);
  ck_weights w;
  const int refused = ck_weights_csr(&w, start, column, value, entries, rows, columns) != CK_OK;
  if (!refused) use(&w);
  free(sizes);
  free(start);
  free(column);
  free(value);
  return refused;
}

int main(int argc, char** argv) {
  FILE* file = argc > 1 ? fopen(argv[1], "rb") : NULL;
  if (!file) return 2;
  uint32_t first;
  int refused = 0;
  while (fread(&first, sizeof first, 1, file) == 1)
    refused += argc > 2 ? refuse_rows(file, (int32_t)first) : refuse_blob(file, first);
  fclose(file);
  printf("%d\n", refused);
  return 0;
}
