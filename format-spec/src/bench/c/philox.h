/*
 * Philox4x32-10 for eight neighbouring blocks at once, with AVX2.
 *
 * The multiplication takes the low halves of 64-bit lanes, so the state of even and of odd blocks is
 * kept in vectors of its own; what their upper halves hold never matters.
 */
#ifndef NOLA_PHILOX_H
#define NOLA_PHILOX_H

#include <immintrin.h>
#include <stdint.h>

/* Blocks of one call. */
#define LANES 8

/* What names the basis of one factor (SPEC.md section 5). */
typedef struct {
  uint64_t seed;
  uint32_t stream;
  uint32_t tag; /* counter word c3: side + 2 * generator id */
} basis_t;

/* Word w of blocks block .. block + 7 of basis vector index, in words[w]. */
static inline void philox(const basis_t *basis, uint32_t block, uint32_t index, __m256i words[4]) {
  const __m256i m0 = _mm256_set1_epi64x(0xD2511F53);
  const __m256i m1 = _mm256_set1_epi64x(0xCD9E8D57);
  __m256i even0 = _mm256_add_epi64(_mm256_set1_epi64x(block), _mm256_setr_epi64x(0, 2, 4, 6));
  __m256i odd0 = _mm256_add_epi64(_mm256_set1_epi64x(block), _mm256_setr_epi64x(1, 3, 5, 7));
  __m256i even1 = _mm256_set1_epi32(index), odd1 = even1;
  __m256i even2 = _mm256_set1_epi32(basis->stream), odd2 = even2;
  __m256i even3 = _mm256_set1_epi32(basis->tag), odd3 = even3;
  uint32_t k0 = (uint32_t)basis->seed;
  uint32_t k1 = (uint32_t)(basis->seed >> 32);
#pragma GCC unroll 10
  for (int round = 0; round < 10; round++) {
    const __m256i key0 = _mm256_set1_epi32(k0);
    const __m256i key1 = _mm256_set1_epi32(k1);
    const __m256i even_p0 = _mm256_mul_epu32(even0, m0);
    const __m256i odd_p0 = _mm256_mul_epu32(odd0, m0);
    const __m256i even_p1 = _mm256_mul_epu32(even2, m1);
    const __m256i odd_p1 = _mm256_mul_epu32(odd2, m1);
    even0 = _mm256_xor_si256(_mm256_xor_si256(_mm256_srli_epi64(even_p1, 32), even1), key0);
    odd0 = _mm256_xor_si256(_mm256_xor_si256(_mm256_srli_epi64(odd_p1, 32), odd1), key0);
    even1 = even_p1;
    odd1 = odd_p1;
    even2 = _mm256_xor_si256(_mm256_xor_si256(_mm256_srli_epi64(even_p0, 32), even3), key1);
    odd2 = _mm256_xor_si256(_mm256_xor_si256(_mm256_srli_epi64(odd_p0, 32), odd3), key1);
    even3 = even_p0;
    odd3 = odd_p0;
    k0 += 0x9E3779B9;
    k1 += 0xBB67AE85;
  }
  words[0] = _mm256_blend_epi32(even0, _mm256_slli_epi64(odd0, 32), 0xAA);
  words[1] = _mm256_blend_epi32(even1, _mm256_slli_epi64(odd1, 32), 0xAA);
  words[2] = _mm256_blend_epi32(even2, _mm256_slli_epi64(odd2, 32), 0xAA);
  words[3] = _mm256_blend_epi32(even3, _mm256_slli_epi64(odd3, 32), 0xAA);
}

/* The two roundings of a factor's element; adding +0 turns -0 into +0. */
static inline float rounded(int64_t sum, float scale) {
  return (float)((double)sum * (double)scale) + 0.0f;
}

#endif
