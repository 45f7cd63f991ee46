/* Shape, sparsity and batch -> the kernel that beats the dense runtime, if one does.
 *
 * AVX-512: measured against XNNPACK and MLAS on Zen 4, benchmarks/kernels has the tables. AVX2: its
 * kernels measured alone on the same CPU against XNNPACK with VNNI, which a CPU that needs them
 * does not have, so these limits are careful. Arm: instruction counts inside both runtimes; the
 * kernel from a model of the cores; SpMM of Armv8.0 estimated. */
#include "kernel.h"

enum { ANY = 0x7fffffff };
#define NO_LIMIT INT64_MAX
#define ANY_ZEROS 2.
#define NEVER 2.

/* The first rule that a request meets decides: batch in from..to, cols, weights and sparsity below
 * the limits. */
typedef struct {
  uint32_t isa;
  int32_t batch_from, batch_to;
  int32_t cols_below;
  int64_t weights_below;
  double sparsity_below;
  double least_sparsity;
  int32_t kernel;
} rule;

static const rule RULES[] = {
#if defined(__x86_64__)
    {CK_ISA_AVX512VNNI, 1, ANY, 64, NO_LIMIT, ANY_ZEROS, NEVER, CK_KERNEL_well128_avx512vnni},
    {CK_ISA_AVX512VNNI, 1, 3, 192, NO_LIMIT, ANY_ZEROS, .85, CK_KERNEL_well128_avx512vnni},
    {CK_ISA_AVX512VNNI, 4, 5, 192, NO_LIMIT, ANY_ZEROS, .88, CK_KERNEL_well128_avx512vnni},
    {CK_ISA_AVX512VNNI, 6, ANY, 192, 48000, ANY_ZEROS, .90, CK_KERNEL_well128_avx512vnni},
    {CK_ISA_AVX512VNNI, 6, ANY, 192, NO_LIMIT, ANY_ZEROS, NEVER, CK_KERNEL_well128_avx512vnni},
    {CK_ISA_AVX512VNNI, 1, 3, ANY, 3000000, ANY_ZEROS, .80, CK_KERNEL_well128_avx512vnni},
    {CK_ISA_AVX512VNNI, 1, 3, 1000, NO_LIMIT, ANY_ZEROS, .80, CK_KERNEL_well128_avx512vnni},
    {CK_ISA_AVX512VNNI, 1, 3, ANY, NO_LIMIT, .94, .80, CK_KERNEL_well128_avx512vnni},
    {CK_ISA_AVX512VNNI, 1, 3, ANY, NO_LIMIT, ANY_ZEROS, .80, CK_KERNEL_well256_avx512vnni},
    {CK_ISA_AVX512VNNI, 4, 5, 256, NO_LIMIT, ANY_ZEROS, .85, CK_KERNEL_well128_avx512vnni},
    {CK_ISA_AVX512VNNI, 4, 5, ANY, 11000000, ANY_ZEROS, .80, CK_KERNEL_well128_avx512vnni},
    {CK_ISA_AVX512VNNI, 4, 5, ANY, NO_LIMIT, ANY_ZEROS, .85, CK_KERNEL_well128_avx512vnni},
    {CK_ISA_AVX512VNNI, 6, ANY, 256, NO_LIMIT, ANY_ZEROS, .92, CK_KERNEL_well128_avx512vnni},
    {CK_ISA_AVX512VNNI, 6, 15, ANY, NO_LIMIT, ANY_ZEROS, .88, CK_KERNEL_well128_avx512vnni},
    {CK_ISA_AVX512VNNI, 16, ANY, ANY, 8000000, ANY_ZEROS, .88, CK_KERNEL_well128_avx512vnni},
    {CK_ISA_AVX512VNNI, 16, ANY, ANY, NO_LIMIT, .98, .88, CK_KERNEL_well128_avx512vnni},
    {CK_ISA_AVX512VNNI, 16, ANY, ANY, NO_LIMIT, ANY_ZEROS, .88, CK_KERNEL_spmm_avx512vnni},
    {CK_ISA_AVX2, 6, ANY, 192, NO_LIMIT, ANY_ZEROS, NEVER, CK_KERNEL_well32_avx2},
    {CK_ISA_AVX2, 1, 1, ANY, NO_LIMIT, ANY_ZEROS, .90, CK_KERNEL_well32_avx2},
    {CK_ISA_AVX2, 2, 3, ANY, NO_LIMIT, ANY_ZEROS, .95, CK_KERNEL_well32_avx2},
    {CK_ISA_AVX2, 4, 5, ANY, NO_LIMIT, .96, .95, CK_KERNEL_well32_avx2},
    {CK_ISA_AVX2, 4, 5, ANY, NO_LIMIT, ANY_ZEROS, .95, CK_KERNEL_spmm_avx2},
    {CK_ISA_AVX2, 6, ANY, ANY, NO_LIMIT, .92, .95, CK_KERNEL_well32_avx2},
    {CK_ISA_AVX2, 6, ANY, ANY, NO_LIMIT, ANY_ZEROS, .95, CK_KERNEL_spmm_avx2},
#elif defined(__aarch64__)
    {CK_ISA_NEON_DOTPROD, 1, 5, ANY, NO_LIMIT, .90, .80, CK_KERNEL_well32_neon_dotprod},
    {CK_ISA_NEON_DOTPROD, 1, 5, ANY, NO_LIMIT, ANY_ZEROS, .80, CK_KERNEL_well64_neon_dotprod},
    {CK_ISA_NEON_DOTPROD, 6, ANY, ANY, NO_LIMIT, ANY_ZEROS, .85, CK_KERNEL_spmm_neon_dotprod},
    {CK_ISA_NEON, 1, 5, ANY, NO_LIMIT, ANY_ZEROS, .80, CK_KERNEL_well64_neon},
    {CK_ISA_NEON, 6, ANY, ANY, NO_LIMIT, ANY_ZEROS, .85, CK_KERNEL_spmm_neon},
#endif
    {CK_ISA_PORTABLE, 1, 5, ANY, NO_LIMIT, ANY_ZEROS, NEVER, CK_KERNEL_csr_portable},
    {CK_ISA_PORTABLE, 6, ANY, ANY, NO_LIMIT, ANY_ZEROS, NEVER, CK_KERNEL_spmm_portable},
};

static double sparsity(const ck_request* q) {
  return 1. - (double)q->nnz / ((double)q->rows * (double)q->cols);
}

static int meets(const ck_request* q, const rule* r) {
  return (q->isa & r->isa) == r->isa && q->batch >= r->batch_from && q->batch <= r->batch_to &&
         q->cols < r->cols_below && (int64_t)q->rows * q->cols < r->weights_below &&
         sparsity(q) < r->sparsity_below;
}

int32_t ck_choose(const ck_request* q, double* least_sparsity) {
  if (least_sparsity) *least_sparsity = NEVER;
  if (q->batch < 1 || q->rows < 1 || q->cols < 1 || q->cols > CK_MAX_COLS) return CK_DECLINE;
  const rule* r = RULES;
  while (!meets(q, r)) r++; /* the last two take every batch */
  if (least_sparsity) *least_sparsity = r->least_sparsity;
  return q->required || sparsity(q) >= r->least_sparsity ? r->kernel : CK_DECLINE;
}
