/* Which instruction sets the CPU and its operating system offer. Nothing is remembered. */
#include "capexport_kernels.h"

#if defined(__x86_64__)
#include <cpuid.h>

enum {
  LEAF1_ECX = 1 << 12 | 1 << 27, /* FMA, OSXSAVE */
  LEAF7_EBX_AVX2 = 1 << 5,
  LEAF7_EBX_AVX512 = 1 << 16 | 1 << 17 | 1 << 30, /* F, DQ, BW */
  LEAF7_ECX_AVX512 = 1 << 1 | 1 << 11,            /* VBMI, VNNI */
  XCR0_YMM = 0x06,
  XCR0_ZMM = 0xe6
};
static const uint32_t LEAF7_EBX_AVX512VL = 1u << 31;

/* Register state that the operating system saves. */
static uint32_t saved_state(void) {
  uint32_t low, high;
  __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return low;
}

static int has(uint32_t bits, uint32_t wanted) { return (bits & wanted) == wanted; }

uint32_t ck_isa(void) {
  uint32_t a, b, c, d, found = CK_ISA_PORTABLE;
  if (!__get_cpuid(1, &a, &b, &c, &d) || !has(c, LEAF1_ECX)) return found;
  const uint32_t state = saved_state();
  if (!__get_cpuid_count(7, 0, &a, &b, &c, &d) || !has(state, XCR0_YMM)) return found;
  if (has(b, LEAF7_EBX_AVX2)) found |= CK_ISA_AVX2;
  if (has(found, CK_ISA_AVX2) && has(state, XCR0_ZMM) &&
      has(b, LEAF7_EBX_AVX512 | LEAF7_EBX_AVX512VL) && has(c, LEAF7_ECX_AVX512))
    found |= CK_ISA_AVX512VNNI;
  return found;
}

#elif defined(__aarch64__) && defined(__APPLE__)

uint32_t ck_isa(void) { return CK_ISA_NEON | CK_ISA_NEON_DOTPROD; }

#elif defined(__aarch64__)
#include <sys/auxv.h>

uint32_t ck_isa(void) {
  const unsigned long asimddp = 1ul << 20; /* HWCAP_ASIMDDP, absent from older headers */
  return CK_ISA_NEON | (getauxval(AT_HWCAP) & asimddp ? CK_ISA_NEON_DOTPROD : 0u);
}

#else

uint32_t ck_isa(void) { return CK_ISA_PORTABLE; }

#endif
