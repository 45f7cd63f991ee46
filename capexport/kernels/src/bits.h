/* The bit stream of a CKSB blob of version 2 or 3: numbers of few bits, read from the lowest bit on. */
#ifndef CK_BITS_H
#define CK_BITS_H
#include "packed.h"

enum {
  CK_MOST_ONES = 24, /* so many ones announce a number of 16 plain bits */
  CK_PLAIN_BITS = 16,
  CK_WEIGHT_BITS = 8,
  CK_STREAM_GUARD = 8,             /* zero bytes behind the stream: every read loads eight, */
  CK_STREAM_GUARD_3 = 16,          /* and the head of a row is three of them */
  CK_STREAM_MOST = (1 << 29) - 64, /* bytes: positions in bits, and one code more, fit 32 bits */
};

static inline uint32_t ck_u16_at(const uint8_t* p) { return p[0] | (uint32_t)p[1] << 8; }
static inline uint32_t ck_u32_at(const uint8_t* p) { return ck_u16_at(p) | ck_u16_at(p + 2) << 16; }

/* At least 57 bits from `bit` on: enough for a number and a weight. */
static inline uint64_t ck_bits_at(const uint8_t* stream, uint32_t bit) {
  const uint8_t* p = stream + bit / 8;
  return (ck_u32_at(p) | (uint64_t)ck_u32_at(p + 4) << 32) >> bit % 8;
}

typedef struct {
  uint32_t number, bits;
} ck_code;

/* A Rice code: number >> k as that many ones and a zero, then the low k bits (k <= 15). */
static inline ck_code ck_code_in(uint64_t word, uint32_t k) {
  const uint32_t ones = (uint32_t)__builtin_ctzll(~word | 1ull << CK_MOST_ONES);
  if (ones == CK_MOST_ONES)
    return (ck_code){(uint32_t)(word >> CK_MOST_ONES) & 0xffff, CK_MOST_ONES + CK_PLAIN_BITS};
  return (ck_code){ones << k | ((uint32_t)(word >> ones >> 1) & ((1u << k) - 1)), ones + 1 + k};
}

/* One of 0..numbers - 1, all alike: as many bits as the largest has, or one less (numbers >= 1). */
static inline ck_code ck_bounded_in(uint64_t word, uint32_t numbers) {
  const uint32_t plain = 31 - (uint32_t)__builtin_clz(numbers), power = 1u << plain;
  const uint32_t low = (uint32_t)word & (power - 1);
  if (low < 2 * power - numbers) return (ck_code){low, plain};
  return (ck_code){low + (numbers - power) * ((uint32_t)(word >> plain) & 1), plain + 1};
}

/* 0, 1, 2, 3, 4, ... -> 0, -1, 1, -2, 2, ... */
static inline int32_t ck_unzigzag(uint32_t number) {
  return (int32_t)(number >> 1) ^ -(int32_t)(number & 1);
}

/* Numbers 0..peak by their distance from the mean: 0, 1, 2, ... -> mean, mean - 1, mean + 1, ...,
 * and, where one side has come to its end, on to the other. Out of range where `number` is. */
static inline uint32_t ck_unfold(uint32_t number, uint32_t mean, uint32_t peak) {
  const uint32_t both = mean < peak - mean ? mean : peak - mean;
  if (number <= 2 * both) return mean + (uint32_t)ck_unzigzag(number);
  return mean <= peak - mean ? number : peak - number;
}

/* Whether the number is announced although its Rice code is short enough. */
static inline int ck_is_wasteful(ck_code code, uint32_t k) {
  return code.bits == CK_MOST_ONES + CK_PLAIN_BITS && code.number >> k < CK_MOST_ONES;
}

/* The k for `numbers` numbers of a known sum: 2^k is their mean, rounded down. */
static inline uint32_t ck_rice_parameter(uint32_t sum, uint32_t numbers) {
  const uint32_t mean = sum / numbers;
  return mean ? 31 - (uint32_t)__builtin_clz(mean) : 0;
}
#endif
