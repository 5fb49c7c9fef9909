/*
 * The Walsh-Hadamard transform of 2^n int32, in natural order and in place, 2^n >= 64. One thread, AVX2:
 * strides below 8 inside registers, longer ones three at a time and depth first.
 */
#include <immintrin.h>
#include <stdint.h>

#define CACHED (1 << 13) /* ints: a first cache's 32 KiB */

static inline __m256i load(const int32_t *a) { return _mm256_loadu_si256((const __m256i *)a); }

static inline void store(int32_t *a, __m256i x) { _mm256_storeu_si256((__m256i *)a, x); }

/* (x + partner, partner - x) for lanes whose bit is clear, set: the partner's sum with x's sign. */
static inline __m256i butterfly(__m256i x, __m256i partner, __m256i sign) {
  return _mm256_add_epi32(partner, _mm256_sign_epi32(x, sign));
}

static inline __m256i inside(__m256i x) {
  x = butterfly(x, _mm256_shuffle_epi32(x, 0xB1), _mm256_setr_epi32(1, -1, 1, -1, 1, -1, 1, -1));
  x = butterfly(x, _mm256_shuffle_epi32(x, 0x4E), _mm256_setr_epi32(1, 1, -1, -1, 1, 1, -1, -1));
  return butterfly(x, _mm256_permute2x128_si256(x, x, 1), _mm256_setr_epi32(1, 1, 1, 1, -1, -1, -1, -1));
}

static inline __attribute__((always_inline)) void three_stages(int32_t *a, int64_t stride, int first) {
  for (int64_t j = 0; j < stride; j += 8) {
    __m256i x[8], y[8];
    for (int n = 0; n < 8; n++) {
      x[n] = load(a + j + n * stride);
      if (first) {
        x[n] = inside(x[n]);
      }
    }
    for (int n = 0; n < 8; n += 2) {
      y[n] = _mm256_add_epi32(x[n], x[n + 1]);
      y[n + 1] = _mm256_sub_epi32(x[n], x[n + 1]);
    }
    for (int n = 0; n < 8; n += 4) {
      x[n] = _mm256_add_epi32(y[n], y[n + 2]);
      x[n + 1] = _mm256_add_epi32(y[n + 1], y[n + 3]);
      x[n + 2] = _mm256_sub_epi32(y[n], y[n + 2]);
      x[n + 3] = _mm256_sub_epi32(y[n + 1], y[n + 3]);
    }
    for (int n = 0; n < 4; n++) {
      store(a + j + n * stride, _mm256_add_epi32(x[n], x[n + 4]));
      store(a + j + (n + 4) * stride, _mm256_sub_epi32(x[n], x[n + 4]));
    }
  }
}

static void stage(int32_t *a, int64_t stride) {
  for (int64_t j = 0; j < stride; j += 8) {
    const __m256i x = load(a + j);
    const __m256i y = load(a + j + stride);
    store(a + j, _mm256_add_epi32(x, y));
    store(a + j + stride, _mm256_sub_epi32(x, y));
  }
}

void hadamard(int32_t *a, int64_t length) {
  if (length > CACHED) {
    for (int part = 0; part < 8; part++) {
      hadamard(a + part * (length / 8), length / 8);
    }
    three_stages(a, length / 8, 0);
    return;
  }
  for (int64_t group = 0; group < length; group += 64) {
    three_stages(a + group, 8, 1);
  }
  int64_t stride = 64;
  for (; 8 * stride <= length; stride *= 8) {
    for (int64_t group = 0; group < length; group += 8 * stride) {
      three_stages(a + group, stride, 0);
    }
  }
  for (; stride < length; stride *= 2) {
    for (int64_t group = 0; group < length; group += 2 * stride) {
      stage(a + group, stride);
    }
  }
}
