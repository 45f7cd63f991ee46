/* What stands before the weights of a row in a stream of bits: their number, its bias, its scale. */
#ifndef CK_ROW_HEAD_H
#define CK_ROW_HEAD_H
#include <string.h>

#include "blob.h"

enum {
  CK_BIAS_BITS = 12,
  CK_BIAS_PEAK = 2047,
  CK_LOWEST_BIAS_EXPONENT = -126, /* step and peak are normal float32 numbers */
  CK_HIGHEST_BIAS_EXPONENT = 117,
  CK_LOWEST_SCALE = -126 * 16, /* codes of the normal float32 numbers */
  CK_HIGHEST_SCALE = 128 * 16 - 1
};

typedef struct {
  uint32_t end;          /* bit behind it */
  ck_code count, scale;  /* as they are written; of a scale that is not there, no bits */
  uint32_t weights;      /* number of them */
  int32_t bias;          /* steps */
} ck_row_head;

static inline int32_t ck_bias_in(uint64_t word) {
  const int32_t bits = (int32_t)(word & ((1 << CK_BIAS_BITS) - 1));
  return bits - (bits >> (CK_BIAS_BITS - 1) << CK_BIAS_BITS);
}

static inline ck_row_head ck_row_head_at(const ck_weights* w, uint32_t bit) {
  const uint8_t* stream = ck_blob_stream(w);
  ck_row_head h = {.count = ck_code_in(ck_bits_at(stream, bit), ck_count_parameter(w))};
  const uint32_t number = h.count.number;
  h.weights = ck_is_version_3(w) ? ck_unfold(number, ck_mean_count(w), (uint32_t)w->cols) : number;
  h.end = bit + h.count.bits;
  if (w->has_bias) {
    h.bias = ck_bias_in(ck_bits_at(stream, h.end));
    h.end += CK_BIAS_BITS;
  }
  if (w->has_scale && h.weights) {
    h.scale = ck_code_in(ck_bits_at(stream, h.end), ck_scale_parameter(w));
    h.end += h.scale.bits;
  }
  return h;
}

static inline int32_t ck_scale_code(const ck_weights* w, const ck_row_head* h) {
  return ck_mean_code(w) + ck_unzigzag(h->scale.number);
}

/* 2^exponent of a normal number, without a library of mathematics. */
static inline float ck_power_of_two(int32_t exponent) {
  const uint32_t bits = (uint32_t)(exponent + 127) << 23;
  float power;
  memcpy(&power, &bits, sizeof power);
  return power;
}

/* 2^(code / 16), the sixteen of an octave rounded to float; 1 for a row without weights. */
static inline float ck_row_scale(const ck_weights* w, uint32_t bit) {
  static const float OCTAVE[16] = {
      0x1.000000p+0f, 0x1.0b5586p+0f, 0x1.172b84p+0f, 0x1.2387a6p+0f,
      0x1.306fe0p+0f, 0x1.3dea64p+0f, 0x1.4bfdaep+0f, 0x1.5ab07ep+0f,
      0x1.6a09e6p+0f, 0x1.7a1148p+0f, 0x1.8ace54p+0f, 0x1.9c4918p+0f,
      0x1.ae89fap+0f, 0x1.c199bep+0f, 0x1.d5818ep+0f, 0x1.ea4afap+0f};
  const ck_row_head h = ck_row_head_at(w, bit);
  if (!h.weights) return 1.f;
  const int32_t code = ck_scale_code(w, &h) - CK_LOWEST_SCALE; /* from 0 on */
  return OCTAVE[code % 16] * ck_power_of_two(code / 16 + CK_LOWEST_SCALE / 16);
}

static inline float ck_row_bias(const ck_weights* w, uint32_t bit) {
  return (float)ck_row_head_at(w, bit).bias * ck_power_of_two(ck_bias_exponent(w));
}
#endif
