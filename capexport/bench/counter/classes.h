/* A64 instruction words by what they do. */
#ifndef CLASSES_H
#define CLASSES_H
#include <stdint.h>

typedef enum {
  INT_ALU,
  INT_MUL_DIV,
  BRANCH,
  LOAD,
  STORE,
  SIMD_LOAD,
  SIMD_STORE,
  SDOT,
  SMMLA,
  FMA,
  SIMD_INT_MUL,
  SIMD_OTHER,
  SYSTEM,
  CLASSES
} instruction_class;

extern const char* const CLASS_NAMES[CLASSES];

instruction_class classify(uint32_t word);
#endif
