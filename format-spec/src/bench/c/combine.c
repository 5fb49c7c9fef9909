/*
 * factor[e] = f32(f64(sum_i v_i b_i[e]) * f64(scale)), as dev.nola.kernel.Kernel.combine, for codes
 * of at most 4 bits (|v| <= 15) and factors whose length is a multiple of 1024. One thread, AVX2.
 */
#include "philox.h"

#include <stdlib.h>
#include <string.h>

/*
 * uniform8: b = 2 * byte - 255, so sum v b = 2 * sum v byte - 255 * sum v. The bytes of two basis
 * vectors are interleaved, and one instruction multiplies both by their coefficients and adds the
 * products into 16 bits: 4 such sums of at most 2 * 255 * 15 fit there.
 */
#define PAIRS 4

void combine_uniform8(
    uint64_t seed, uint32_t stream, uint32_t tag, const int32_t *v, int32_t k, float scale, float *factor, int32_t len) {
  const basis_t basis = {seed, stream, tag};
  int64_t total = 0;
  for (int i = 0; i < k; i++) {
    total += v[i];
  }
  for (int block = 0; block < len / 16; block += LANES) {
    __m256i sums[4][4]; /* of word w: lanes 0, 1, 4, 5 as two vectors, then lanes 2, 3, 6, 7 */
    memset(sums, 0, sizeof sums);
    for (int first = 0; first < k; first += 2 * PAIRS) {
      __m256i low[4], high[4];
      for (int w = 0; w < 4; w++) {
        low[w] = high[w] = _mm256_setzero_si256();
      }
      for (int i = first; i < first + 2 * PAIRS && i < k; i += 2) {
        __m256i x[4], y[4];
        philox(&basis, block, i, x);
        philox(&basis, block, i + 1, y);
        const int second = i + 1 < k ? v[i + 1] : 0;
        const __m256i weights = _mm256_set1_epi16((int16_t)((uint8_t)v[i] | (uint8_t)second << 8));
        for (int w = 0; w < 4; w++) {
          low[w] = _mm256_add_epi16(low[w], _mm256_maddubs_epi16(_mm256_unpacklo_epi8(x[w], y[w]), weights));
          high[w] = _mm256_add_epi16(high[w], _mm256_maddubs_epi16(_mm256_unpackhi_epi8(x[w], y[w]), weights));
        }
      }
      for (int w = 0; w < 4; w++) {
        sums[w][0] = _mm256_add_epi32(sums[w][0], _mm256_cvtepi16_epi32(_mm256_castsi256_si128(low[w])));
        sums[w][1] = _mm256_add_epi32(sums[w][1], _mm256_cvtepi16_epi32(_mm256_extracti128_si256(low[w], 1)));
        sums[w][2] = _mm256_add_epi32(sums[w][2], _mm256_cvtepi16_epi32(_mm256_castsi256_si128(high[w])));
        sums[w][3] = _mm256_add_epi32(sums[w][3], _mm256_cvtepi16_epi32(_mm256_extracti128_si256(high[w], 1)));
      }
    }
    int32_t sum[4 * 4 * 8];
    memcpy(sum, sums, sizeof sum);
    static const int lanes[4] = {0, 4, 2, 6};
    for (int w = 0; w < 4; w++) {
      for (int part = 0; part < 4; part++) {
        for (int s = 0; s < 8; s++) {
          const int lane = lanes[part] + s / 4;
          factor[(block + lane) * 16 + w * 4 + s % 4] =
              rounded(2 * (int64_t)sum[(w * 4 + part) * 8 + s] - 255 * total, scale);
        }
      }
    }
  }
}

/*
 * uniform24: b = 2x - (2^24 - 1) for the top 24 bits x of a word; 8 products of |v| <= 15 and x fit into
 * 32 bits, then sums are widened.
 */
void combine_uniform24(
    uint64_t seed, uint32_t stream, uint32_t tag, const int32_t *v, int32_t k, float scale, float *factor, int32_t len) {
  const basis_t basis = {seed, stream, tag};
  int64_t total = 0;
  for (int i = 0; i < k; i++) {
    total += v[i];
  }
  for (int block = 0; block < len / 4; block += LANES) {
    __m256i sums[4][2];
    memset(sums, 0, sizeof sums);
    for (int first = 0; first < k; first += 8) {
      __m256i narrow[4];
      for (int w = 0; w < 4; w++) {
        narrow[w] = _mm256_setzero_si256();
      }
      for (int i = first; i < first + 8 && i < k; i++) {
        __m256i x[4];
        philox(&basis, block, i, x);
        const __m256i weight = _mm256_set1_epi32(v[i]);
        for (int w = 0; w < 4; w++) {
          narrow[w] = _mm256_add_epi32(narrow[w], _mm256_mullo_epi32(_mm256_srli_epi32(x[w], 8), weight));
        }
      }
      for (int w = 0; w < 4; w++) {
        sums[w][0] = _mm256_add_epi64(sums[w][0], _mm256_cvtepi32_epi64(_mm256_castsi256_si128(narrow[w])));
        sums[w][1] = _mm256_add_epi64(sums[w][1], _mm256_cvtepi32_epi64(_mm256_extracti128_si256(narrow[w], 1)));
      }
    }
    int64_t sum[4 * 8];
    memcpy(sum, sums, sizeof sum);
    for (int w = 0; w < 4; w++) {
      for (int lane = 0; lane < LANES; lane++) {
        factor[(block + lane) * 4 + w] = rounded(2 * sum[w * 8 + lane] - 0xFFFFFF * total, scale);
      }
    }
  }
}

/*
 * rademacher: sum v b = sum |v| - 2 * sum |v| bit, the bits of negative v inverted. Basis vectors of equal
 * |v| are counted together in bit planes, sixteen at a time through a tree of carry-save adders
 * (Harley and Seal).
 */
#define PLANES 16 /* of a count: fewer than 2^16 basis vectors have the same |v| */

static inline void csa(__m256i *high, __m256i *low, __m256i a, __m256i b, __m256i c) {
  const __m256i u = _mm256_xor_si256(a, b);
  *high = _mm256_or_si256(_mm256_and_si256(a, b), _mm256_and_si256(u, c));
  *low = _mm256_xor_si256(u, c);
}

static void add_sixteen(__m256i planes[PLANES], const __m256i rows[16][4], int w) {
  __m256i ones = planes[0], twos = planes[1], fours = planes[2], eights = planes[3];
  __m256i twos_a, twos_b, fours_a, fours_b, eights_a, eights_b, carry;
  csa(&twos_a, &ones, ones, rows[0][w], rows[1][w]);
  csa(&twos_b, &ones, ones, rows[2][w], rows[3][w]);
  csa(&fours_a, &twos, twos, twos_a, twos_b);
  csa(&twos_a, &ones, ones, rows[4][w], rows[5][w]);
  csa(&twos_b, &ones, ones, rows[6][w], rows[7][w]);
  csa(&fours_b, &twos, twos, twos_a, twos_b);
  csa(&eights_a, &fours, fours, fours_a, fours_b);
  csa(&twos_a, &ones, ones, rows[8][w], rows[9][w]);
  csa(&twos_b, &ones, ones, rows[10][w], rows[11][w]);
  csa(&fours_a, &twos, twos, twos_a, twos_b);
  csa(&twos_a, &ones, ones, rows[12][w], rows[13][w]);
  csa(&twos_b, &ones, ones, rows[14][w], rows[15][w]);
  csa(&fours_b, &twos, twos, twos_a, twos_b);
  csa(&eights_b, &fours, fours, fours_a, fours_b);
  csa(&carry, &eights, eights, eights_a, eights_b);
  planes[0] = ones;
  planes[1] = twos;
  planes[2] = fours;
  planes[3] = eights;
  for (int level = 4; level < PLANES; level++) {
    const __m256i next = _mm256_and_si256(planes[level], carry);
    planes[level] = _mm256_xor_si256(planes[level], carry);
    carry = next;
    if (_mm256_testz_si256(carry, carry)) {
      break;
    }
  }
}

void combine_rademacher(
    uint64_t seed, uint32_t stream, uint32_t tag, const int32_t *v, int32_t k, float scale, float *factor, int32_t len) {
  const basis_t basis = {seed, stream, tag};
  int32_t *order = malloc(k * sizeof *order); /* basis vectors by |v| */
  int first[17] = {0};
  int64_t magnitudes = 0;
  int at = 0;
  for (int magnitude = 0; magnitude < 16; magnitude++) {
    first[magnitude] = at;
    for (int i = 0; i < k; i++) {
      if (abs(v[i]) == magnitude) {
        order[at++] = i;
        magnitudes += magnitude;
      }
    }
  }
  first[16] = at;
  for (int block = 0; block < len / 128; block += LANES) {
    int32_t sums[4][32][LANES];
    memset(sums, 0, sizeof sums);
    for (int magnitude = 1; magnitude < 16; magnitude++) {
      if (first[magnitude] == first[magnitude + 1]) {
        continue;
      }
      __m256i planes[4][PLANES];
      memset(planes, 0, sizeof planes);
      for (int n = first[magnitude]; n < first[magnitude + 1]; n += 16) {
        __m256i rows[16][4];
        for (int r = 0; r < 16; r++) {
          if (n + r >= first[magnitude + 1]) {
            memset(rows[r], 0, sizeof rows[r]);
            continue;
          }
          const int i = order[n + r];
          philox(&basis, block, i, rows[r]);
          const __m256i sign = _mm256_set1_epi32(v[i] >> 31);
          for (int w = 0; w < 4; w++) {
            rows[r][w] = _mm256_xor_si256(rows[r][w], sign);
          }
        }
        for (int w = 0; w < 4; w++) {
          add_sixteen(planes[w], (const __m256i(*)[4])rows, w);
        }
      }
      int levels = 1;
      while ((first[magnitude + 1] - first[magnitude]) >> levels != 0) {
        levels++;
      }
      const __m256i one = _mm256_set1_epi32(1);
      for (int w = 0; w < 4; w++) {
        for (int bit = 0; bit < 32; bit++) {
          __m256i count = _mm256_setzero_si256();
          for (int level = 0; level < levels; level++) {
            const __m256i plane = _mm256_and_si256(_mm256_srli_epi32(planes[w][level], bit), one);
            count = _mm256_or_si256(count, _mm256_slli_epi32(plane, level));
          }
          __m256i *sum = (__m256i *)sums[w][bit];
          const __m256i weighted = _mm256_mullo_epi32(count, _mm256_set1_epi32(magnitude));
          _mm256_storeu_si256(sum, _mm256_add_epi32(_mm256_loadu_si256(sum), weighted));
        }
      }
    }
    for (int lane = 0; lane < LANES; lane++) {
      for (int w = 0; w < 4; w++) {
        for (int bit = 0; bit < 32; bit++) {
          factor[(block + lane) * 128 + w * 32 + bit] =
              rounded(magnitudes - 2 * (int64_t)sums[w][bit][lane], scale);
        }
      }
    }
  }
  free(order);
}
