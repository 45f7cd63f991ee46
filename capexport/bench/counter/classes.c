/* Bits of the A64 encoding (Arm Architecture Reference Manual, chapter C4). SVE falls into SYSTEM. */
#include "classes.h"

#include <stdbool.h>
#include <stddef.h>

const char* const CLASS_NAMES[CLASSES] = {
    "int_alu", "int_mul_div", "branch", "load",         "store",      "simd_load", "simd_store",
    "sdot",    "smmla",       "fma",    "simd_int_mul", "simd_other", "system"};

/* SIMD arithmetic: the first line that fits. */
static const struct {
  uint32_t mask, value;
  instruction_class kind;
} PATTERNS[] = {
    {0x9f20fc00, 0x0e009400, SDOT},         /* SDOT, UDOT (vector) */
    {0x9f00f400, 0x0f00e000, SDOT},         /* SDOT, UDOT (by element) */
    {0xdfe0fc00, 0x4e80a400, SMMLA},        /* SMMLA, UMMLA, USMMLA */
    {0xbf20fc00, 0x0e20cc00, FMA},          /* FMLA f32 (vector) */
    {0xbf80f400, 0x0f801000, FMA},          /* FMLA f32 (by element) */
    {0xbf60fc00, 0x0e400c00, FMA},          /* FMLA f16 (vector) */
    {0xbfc0f400, 0x0f001000, FMA},          /* FMLA f16 (by element) */
    {0xff000000, 0x1f000000, FMA},          /* FMADD family (scalar) */
    {0x9f20dc00, 0x0e208000, SIMD_INT_MUL}, /* SMLAL, SMLSL */
    {0x9f20fc00, 0x0e20c000, SIMD_INT_MUL}, /* SMULL */
    {0x9f00b400, 0x0f002000, SIMD_INT_MUL}, /* SMLAL, SMLSL (by element) */
    {0x9f20f400, 0x0e209400, SIMD_INT_MUL}, /* MUL, MLA */
};

static bool is_load(uint32_t word, bool simd) {
  const uint32_t opc = (word >> 22) & 3;
  if ((word & 0x3b000000) == 0x18000000) return true;            /* literal */
  if ((word & 0x3a000000) == 0x28000000) return opc & 1;         /* pair */
  if ((word & 0x3f000000) == 0x08000000) return opc & 1;         /* exclusive, ordered */
  if (simd && (word & 0xbe000000) == 0x0c000000) return opc & 1; /* LD1..LD4, ST1..ST4 */
  return simd ? opc & 1 : opc != 0;                              /* one register */
}

static instruction_class simd_arithmetic(uint32_t word) {
  for (size_t i = 0; i < sizeof PATTERNS / sizeof *PATTERNS; i++)
    if ((word & PATTERNS[i].mask) == PATTERNS[i].value) return PATTERNS[i].kind;
  return SIMD_OTHER;
}

static instruction_class integer_registers(uint32_t word) {
  const bool three_sources = (word & 0x1f000000) == 0x1b000000;
  const bool division = (word & 0x5fe00000) == 0x1ac00000 && ((word >> 10) & 0x3e) == 2;
  return three_sources || division ? INT_MUL_DIV : INT_ALU;
}

instruction_class classify(uint32_t word) {
  const uint32_t group = (word >> 25) & 15; /* op0 of the table of top-level encodings */
  const bool simd = (word >> 26) & 1;
  if ((group & 14) == 8) return INT_ALU; /* immediate */
  if ((group & 14) == 10) return word >> 24 == 0xd5 || word >> 24 == 0xd4 ? SYSTEM : BRANCH;
  if ((group & 5) == 4) {
    if (is_load(word, simd)) return simd ? SIMD_LOAD : LOAD;
    return simd ? SIMD_STORE : STORE;
  }
  if ((group & 7) == 5) return integer_registers(word);
  return (group & 7) == 7 ? simd_arithmetic(word) : SYSTEM; /* reserved, SVE */
}
