/*
 * W' = bf16(f32(f64(W) + sum_t f64(A[i,t]) f64(B[t,j]))), t ascending, every rounding to nearest even
 * (SPEC.md sections 7.2 and 7.3). One thread, AVX2 and FMA. Returns 0, or 1 if a weight is not or does not
 * stay finite, in which case a careful loop would have to take over.
 *
 * rows is a multiple of 4, cols a multiple of the panel and that of 8.
 */
#include <immintrin.h>
#include <stdint.h>
#include <stdlib.h>

/* Elements of B that are widened at a time: 64 KiB of doubles, which stay in a second cache. */
#define PANEL 8192

static inline __m128i half_rounded(__m256d sum) { return _mm_castps_si128(_mm256_cvtpd_ps(sum)); }

/* 8 merged weights from their sums; *largest collects magnitudes. */
static inline __m128i narrowed(__m256d low, __m256d high, __m256i *largest) {
  const __m256i bits = _mm256_set_m128i(half_rounded(high), half_rounded(low));
  *largest = _mm256_max_epi32(*largest, _mm256_and_si256(bits, _mm256_set1_epi32(0x7FFFFFFF)));
  const __m256i odd = _mm256_and_si256(_mm256_srli_epi32(bits, 16), _mm256_set1_epi32(1));
  const __m256i rounded =
      _mm256_srli_epi32(_mm256_add_epi32(_mm256_add_epi32(bits, _mm256_set1_epi32(0x7FFF)), odd), 16);
  const __m256i packed = _mm256_packus_epi32(rounded, rounded);
  return _mm256_castsi256_si128(_mm256_permute4x64_epi64(packed, 0x08));
}

int32_t merge_bf16(
    const float *a, const float *b, int32_t rank, int32_t rows, int32_t cols, const uint16_t *weights, uint16_t *merged) {
  int32_t width = PANEL / rank;
  if (width > cols) {
    width = cols;
  }
  double *panel = aligned_alloc(64, (size_t)rank * width * sizeof *panel);
  __m256i largest = _mm256_setzero_si256();
  for (int32_t left = 0; left < cols; left += width) {
    for (int32_t t = 0; t < rank; t++) {
      for (int32_t j = 0; j < width; j++) {
        panel[(size_t)t * width + j] = b[(size_t)t * cols + left + j];
      }
    }
    for (int32_t row = 0; row < rows; row += 4) {
      for (int32_t j = 0; j < width; j += 8) {
        __m256d low[4], high[4];
        for (int r = 0; r < 4; r++) {
          low[r] = high[r] = _mm256_setzero_pd();
        }
        for (int32_t t = 0; t < rank; t++) {
          const __m256d b0 = _mm256_load_pd(panel + (size_t)t * width + j);
          const __m256d b1 = _mm256_load_pd(panel + (size_t)t * width + j + 4);
          for (int r = 0; r < 4; r++) {
            const __m256d left_value = _mm256_set1_pd(a[(size_t)(row + r) * rank + t]);
            low[r] = _mm256_fmadd_pd(left_value, b0, low[r]);
            high[r] = _mm256_fmadd_pd(left_value, b1, high[r]);
          }
        }
        for (int r = 0; r < 4; r++) {
          const size_t e = (size_t)(row + r) * cols + left + j;
          const __m256i wide = _mm256_cvtepu16_epi32(_mm_loadu_si128((const __m128i *)(weights + e)));
          const __m256 weight = _mm256_castsi256_ps(_mm256_slli_epi32(wide, 16));
          const __m256d w0 = _mm256_cvtps_pd(_mm256_castps256_ps128(weight));
          const __m256d w1 = _mm256_cvtps_pd(_mm256_extractf128_ps(weight, 1));
          _mm_storeu_si128(
              (__m128i *)(merged + e), narrowed(_mm256_add_pd(w0, low[r]), _mm256_add_pd(w1, high[r]), &largest));
        }
      }
    }
  }
  free(panel);
  int32_t magnitudes[8];
  _mm256_storeu_si256((__m256i *)magnitudes, largest);
  for (int n = 0; n < 8; n++) {
    if (magnitudes[n] >= 0x7F7F8000) {
      return 1;
    }
  }
  return 0;
}
