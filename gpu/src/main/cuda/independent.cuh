// Generators 1 to 3, whose basis vectors are independent: every element needs every vector's Philox output, which is most of
// the work. A thread computes the elements of one Philox block (or of a part of one) for all vectors.
//
// What differs between the generators is a type with these members:
//   ELEMENTS          elements a thread computes; PARTS threads share a Philox block
//   GROUP             vectors that are added at a time
//   Stored, WORDS     how a coefficient is prepared in shared memory: WORDS of these a coefficient
//   prepare(s, v)     prepares coefficient v
//   add(x, s)         adds GROUP vectors' Philox words under their coefficients
//   finish()          is called once all are added
//   element(e, total) the sum of element e; total is the sum of all coefficients, or their number if COUNTED
#pragma once
#include "output.cuh"
#include "philox.cuh"

#define THREADS 128
#define CHUNK 256  // coefficients in shared memory at a time

template <typename Sums, typename Out>
__device__ __forceinline__ void independentTile(const Args& g, u32 generator) {
  __shared__ IndexHalf halves[CHUNK];
  __shared__ __align__(16) typename Sums::Stored stored[CHUNK * Sums::WORDS];
  __shared__ int chunkTotal[2];  // the sum of this chunk's coefficients, and of the one before or after
  const u32 t = threadIdx.x;
  const Tile tile = ::tile(g);
  const Factor& f = tile.factor;
  const u32 unit = tile.index * THREADS + t;
  const BlockHalf block(unit / Sums::PARTS, f.stream, f.side + 2 * generator, tile.key0, tile.key1);
  Sums sums(unit % Sums::PARTS);
  i64 total = Sums::COUNTED ? f.count : 0;
  for (u32 first = 0, chunk = 0; first < f.count; first += CHUNK, chunk ^= 1) {
    if (t == 0) chunkTotal[chunk] = 0;
    __syncthreads();  // and nobody reads the last chunk any more
    int part = 0;
    for (u32 i = t; i < CHUNK; i += THREADS) {
      int v = first + i < f.count ? coefficient(tile.codes, first + i, f.bits) : 0;
      halves[i] = indexHalf(first + i, f.stream, tile.key0);
      Sums::prepare(stored + i * Sums::WORDS, v);
      part += v;
    }
    atomicAdd(&chunkTotal[chunk], part);
    __syncthreads();
    if (!Sums::COUNTED) total += chunkTotal[chunk];
    const u32 n = f.count - first < CHUNK ? f.count - first : CHUNK;
    for (u32 i = 0; i < n; i += Sums::GROUP) {
      u32 x[Sums::GROUP][4];
#pragma unroll
      for (int j = 0; j < Sums::GROUP; j++) block.words(halves[i + j], x[j]);
      sums.add(x, stored + i * Sums::WORDS);
    }
  }
  sums.finish();
  const u32 e0 = unit * Sums::ELEMENTS;
  if (e0 >= f.length) return;
#pragma unroll
  for (int e = 0; e < Sums::ELEMENTS; e += 4) {
    if (e0 + e >= f.length) break;
    float v[4];
#pragma unroll
    for (int i = 0; i < 4; i++)
      v[i] = rounded(sums.element(e + i, total), tile.scale, f.wide);
    storeElements<Out>(g, tile, e0 + e, v);
  }
}

// b = 2y - (2^24 - 1) with y the upper 24 bits of a word: sums of v y, in 64 bits.
struct Uniform24Sums {
  static const int ELEMENTS = 4, PARTS = 1, GROUP = 1, WORDS = 1, COUNTED = 0;
  typedef int Stored;
  i64 sums[4];

  __device__ __forceinline__ Uniform24Sums(u32) {
#pragma unroll
    for (int e = 0; e < 4; e++) sums[e] = 0;
  }
  static __device__ __forceinline__ void prepare(int* s, int v) { *s = v; }
  __device__ __forceinline__ void add(const u32 (&x)[1][4], const int* s) {
#pragma unroll
    for (int e = 0; e < 4; e++) sums[e] += (i64)*s * (int)(x[0][e] >> 8);
  }
  __device__ __forceinline__ void finish() {}
  __device__ __forceinline__ i64 element(int e, i64 total) const { return 2 * sums[e] - ((1 << 24) - 1) * total; }
};

// b = 2y - 255 with y a byte: sums of v y, in T.
template <typename T>
struct Uniform8Sums {
  static const int ELEMENTS = 16, PARTS = 1, GROUP = 1, WORDS = 1, COUNTED = 0;
  typedef int Stored;
  T sums[16];

  __device__ __forceinline__ Uniform8Sums(u32) {
#pragma unroll
    for (int e = 0; e < 16; e++) sums[e] = 0;
  }
  static __device__ __forceinline__ void prepare(int* s, int v) { *s = v; }
  __device__ __forceinline__ void add(const u32 (&x)[1][4], const int* s) {
#pragma unroll
    for (int e = 0; e < 16; e++) sums[e] += (T)*s * (T)((x[0][e / 4] >> (8 * (e % 4))) & 255);
  }
  __device__ __forceinline__ void finish() {}
  __device__ __forceinline__ T element(int e, i64 total) const { return 2 * sums[e] - 255 * (T)total; }
};

// The same for coefficients of a byte: four vectors at a time by dp4a, which multiplies four bytes by four others and adds
// all. It wants the four vectors' bytes of one element in one word, a transposition of 4 x 4 bytes.
struct Uniform8ByteSums {
  static const int ELEMENTS = 16, PARTS = 1, GROUP = 4, WORDS = 1, COUNTED = 0;
  typedef signed char Stored;
  int sums[16];

  __device__ __forceinline__ Uniform8ByteSums(u32) {
#pragma unroll
    for (int e = 0; e < 16; e++) sums[e] = 0;
  }
  static __device__ __forceinline__ void prepare(signed char* s, int v) { *s = (signed char)v; }
  __device__ __forceinline__ void add(const u32 (&x)[4][4], const signed char* s) {
    const u32 v = *(const u32*)s;
#pragma unroll
    for (int w = 0; w < 4; w++) {
      const u32 low01 = __byte_perm(x[0][w], x[1][w], 0x5140), low23 = __byte_perm(x[2][w], x[3][w], 0x5140);
      const u32 high01 = __byte_perm(x[0][w], x[1][w], 0x7362), high23 = __byte_perm(x[2][w], x[3][w], 0x7362);
      sums[4 * w] = dotOfBytes(__byte_perm(low01, low23, 0x5410), v, sums[4 * w]);
      sums[4 * w + 1] = dotOfBytes(__byte_perm(low01, low23, 0x7632), v, sums[4 * w + 1]);
      sums[4 * w + 2] = dotOfBytes(__byte_perm(high01, high23, 0x5410), v, sums[4 * w + 2]);
      sums[4 * w + 3] = dotOfBytes(__byte_perm(high01, high23, 0x7632), v, sums[4 * w + 3]);
    }
  }
  __device__ __forceinline__ void finish() {}
  __device__ __forceinline__ int element(int e, i64 total) const { return 2 * sums[e] - 255 * (int)total; }
};

// b = 1 - 2z with z a bit: sums of v z, in 64 bits; a thread takes one word of a Philox block.
struct RademacherSums {
  static const int ELEMENTS = 32, PARTS = 4, GROUP = 1, WORDS = 1, COUNTED = 0;
  typedef int Stored;
  i64 sums[32];
  u32 part;

  __device__ __forceinline__ RademacherSums(u32 part) : part(part) {
#pragma unroll
    for (int e = 0; e < 32; e++) sums[e] = 0;
  }
  static __device__ __forceinline__ void prepare(int* s, int v) { *s = v; }
  __device__ __forceinline__ void add(const u32 (&x)[1][4], const int* s) {
    const u32 word = part == 0 ? x[0][0] : part == 1 ? x[0][1] : part == 2 ? x[0][2] : x[0][3];
#pragma unroll
    for (int e = 0; e < 32; e++) sums[e] += (word >> e) & 1 ? *s : 0;
  }
  __device__ __forceinline__ void finish() {}
  __device__ __forceinline__ i64 element(int e, i64 total) const { return total - 2 * sums[e]; }
};

// The same, bit-sliced: 32 elements at a time by the logic of an adder. A coefficient v in +-(2^WIDTH - 1) is
// 2u - (2^WIDTH - 1) with a code u of WIDTH bits, and -v has the complement of u. So v b is 2 (u ^ z) - (2^WIDTH - 1), z
// repeated in every bit, and a thread adds up the numbers u ^ z. Plane k holds bit k of the sums of 32 elements in one word.
// Eight numbers are added in a few planes, then their sum to all planes: most carries end early.
template <int WIDTH>
struct RademacherPlanes {
  static const int ELEMENTS = 128, PARTS = 1, GROUP = 8, WORDS = WIDTH + 1, COUNTED = 1;
  static const int FEW = WIDTH + 3;  // planes for a sum of eight
  static const int PLANES = 16;
  typedef u32 Stored;
  u32 planes[4][PLANES];

  __device__ __forceinline__ RademacherPlanes(u32) {
#pragma unroll
    for (int w = 0; w < 4; w++)
#pragma unroll
      for (int k = 0; k < PLANES; k++) planes[w][k] = 0;
  }

  // Of each bit of the code a word, all ones or all zeros, and one that is zero where a group is filled up: coefficients are
  // odd, so 0 is none.
  static __device__ __forceinline__ void prepare(u32* s, int v) {
    const u32 code = (u32)(v + (1 << WIDTH) - 1) / 2;
#pragma unroll
    for (int k = 0; k < WIDTH; k++) s[k] = 0u - ((code >> k) & 1);
    s[WIDTH] = v == 0 ? 0u : ~0u;
  }

  __device__ __forceinline__ void add(const u32 (&x)[8][4], const u32* s) {
#pragma unroll
    for (int w = 0; w < 4; w++) {
      u32 few[FEW];
#pragma unroll
      for (int k = 0; k < FEW; k++) few[k] = 0;
#pragma unroll
      for (int j = 0; j < 8; j++) {
        u32 carry = 0;
#pragma unroll
        for (int k = 0; k < FEW; k++) {
          const u32 bit = k < WIDTH ? (x[j][w] ^ s[j * WORDS + k]) & s[j * WORDS + WIDTH] : 0;
          const u32 sum = few[k] ^ bit ^ carry;
          carry = (few[k] & bit) | (few[k] & carry) | (bit & carry);
          few[k] = sum;
        }
      }
      u32 carry = 0;
#pragma unroll
      for (int k = 0; k < PLANES; k++) {
        const u32 bit = k < FEW ? few[k] : 0;
        const u32 sum = planes[w][k] ^ bit ^ carry;
        carry = (planes[w][k] & bit) | (planes[w][k] & carry) | (bit & carry);
        planes[w][k] = sum;
      }
    }
  }

  // Transposes 4 x 4 bits everywhere: afterwards bits 4j to 4j + 3 of word 4q + r are bits 4q to 4q + 3 of the sum of element
  // 4j + r.
  __device__ __forceinline__ void finish() {
#pragma unroll
    for (int w = 0; w < 4; w++)
#pragma unroll
      for (int q = 0; q < PLANES; q += 4) {
        exchange<2>(planes[w][q], planes[w][q + 2], 0x33333333u);
        exchange<2>(planes[w][q + 1], planes[w][q + 3], 0x33333333u);
        exchange<1>(planes[w][q], planes[w][q + 1], 0x55555555u);
        exchange<1>(planes[w][q + 2], planes[w][q + 3], 0x55555555u);
      }
  }

  template <int SHIFT>
  static __device__ __forceinline__ void exchange(u32& low, u32& high, u32 mask) {
    const u32 t = ((low >> SHIFT) ^ high) & mask;
    high ^= t;
    low ^= t << SHIFT;
  }

  __device__ __forceinline__ int element(int e, i64 count) const {
    const int w = e / 32, r = e % 4, j = (e % 32) / 4;
    u32 sum = 0;
#pragma unroll
    for (int q = 0; q < PLANES / 4; q++) sum |= ((planes[w][4 * q + r] >> (4 * j)) & 15) << (4 * q);
    return 2 * (int)sum - (int)count * ((1 << WIDTH) - 1);
  }
};
