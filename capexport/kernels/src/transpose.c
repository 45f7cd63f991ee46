/* Rows of bytes -> columns, 8x8 at a time in ordinary registers. */
#include <string.h>

#include "operand.h"

/* Byte j of out[i] is byte i of in[j]. */
static void transpose_block(const uint64_t in[8], uint64_t out[8]) {
  const uint64_t bytes = 0x00ff00ff00ff00ffull, pairs = 0x0000ffff0000ffffull,
                 fours = 0x00000000ffffffffull;
  uint64_t a[8], b[8];
  for (int i = 0; i < 8; i += 2) {
    a[i] = (in[i] & bytes) | (in[i + 1] & bytes) << 8;
    a[i + 1] = (in[i] >> 8 & bytes) | (in[i + 1] & ~bytes);
  }
  for (int i = 0; i < 8; i += 4)
    for (int j = i; j < i + 2; j++) {
      b[j] = (a[j] & pairs) | (a[j + 2] & pairs) << 16;
      b[j + 2] = (a[j] >> 16 & pairs) | (a[j + 2] & ~pairs);
    }
  for (int i = 0; i < 4; i++) {
    out[i] = (b[i] & fours) | b[i + 4] << 32;
    out[i + 4] = b[i] >> 32 | (b[i + 4] & ~fours);
  }
}

void ck_transpose(const uint8_t* x, size_t stride, int n, int cols, uint8_t* to, int batch) {
  for (int first = 0; first < batch; first += 8)
    for (int k = 0; k < cols; k += 8) {
      uint64_t in[8] = {0}, out[8];
      for (int i = 0; i < 8 && first + i < n; i++)
        memcpy(&in[i], x + (size_t)(first + i) * stride + k, 8);
      transpose_block(in, out);
      for (int i = 0; i < 8 && k + i < cols; i++)
        memcpy(to + (size_t)(k + i) * (size_t)batch + first, &out[i], 8);
    }
}
