// Generator 4, the subsampled randomized Hadamard transform (SPEC.md section 6).
//
// A factor of N = 2^p columns is the transform of N values, all zero but count of them. Of its p levels a block does only
// the lowest twelve: with the upper bits of the output's index m fixed, a value at column c contributes with the sign
// (-1)^popcount(upper bits of c & upper bits of m), so that all values, signed, can be added into 4,096 cells. A block thus
// needs nothing but the codes, keeps everything in shared memory and registers, and no intermediate goes to memory.
#pragma once
#include "output.cuh"
#include "philox.cuh"

#define SRHT_THREADS 256
#define CELLS 4096
#define CELL_BITS 12

// Four words of padding after 64 cells: the strides of all passes then touch 32 different banks.
#define CELL(i) ((i) + (((i) >> 6) << 2))
#define PADDED_CELLS (CELLS + CELLS / 16)

#define SIGN_BLOCK 128

// pi(i), a bijection of the columns.
__device__ __forceinline__ u32 column(u32 i, u32 log2, const u32* rounds) {
  u32 mask = (1u << log2) - 1;
  u32 shift = (log2 + 1) / 2;
  u32 x = i;
#pragma unroll
  for (int t = 0; t < 4; t++) {
    x = (x * (rounds[2 * t] | 1) + rounds[2 * t + 1]) & mask;
    x ^= x >> shift;
  }
  return x;
}

// Threads 0 and 1 compute the eight words that define pi.
__device__ __forceinline__ void columnRounds(const Tile& tile, u32* rounds) {
  if (threadIdx.x < 2) {
    u32 x[4];
    philox(threadIdx.x, 1, tile.factor.stream, tile.factor.side + 8, tile.key0, tile.key1, x);
#pragma unroll
    for (int i = 0; i < 4; i++) rounds[4 * threadIdx.x + i] = x[i];
  }
}

__device__ __forceinline__ void signWords(const Tile& tile, u32 block, u32 (&words)[4]) {
  philox(block, 0, tile.factor.stream, tile.factor.side + 8, tile.key0, tile.key1, words);
}

__device__ __forceinline__ void addTo(int* cell, int v) { atomicAdd(cell, v); }
__device__ __forceinline__ void addTo(i64* cell, i64 v) { atomicAdd((u64*)cell, (u64)v); }

template <int STRIDE, typename T>
__device__ __forceinline__ void level(T (&r)[16]) {
#pragma unroll
  for (int i = 0; i < 16; i++)
    if (!(i & STRIDE)) {
      T sum = r[i] + r[i + STRIDE];
      r[i + STRIDE] = r[i] - r[i + STRIDE];
      r[i] = sum;
    }
}

// Four levels, over 16 cells that are STRIDE apart.
template <int STRIDE, typename T>
__device__ __forceinline__ void fourLevels(T* cells, u32 first) {
  T r[16];
#pragma unroll
  for (int i = 0; i < 16; i++) r[i] = cells[CELL(first + i * STRIDE)];
  level<1>(r);
  level<2>(r);
  level<4>(r);
  level<8>(r);
#pragma unroll
  for (int i = 0; i < 16; i++) cells[CELL(first + i * STRIDE)] = r[i];
}

// Transforms 4,096 cells; thread t then holds cell 1024 j + 4 t + c in r[4 j + c].
template <typename T>
__device__ __forceinline__ void transform(T* cells, T (&r)[16]) {
  const u32 t = threadIdx.x;
  fourLevels<128>(cells, ((t >> 7) << 11) + (t & 127));  // bits 7 to 10 of the index
  __syncthreads();
  fourLevels<4>(cells, ((t >> 2) << 6) + (t & 3));       // bits 2 to 5
  __syncthreads();
#pragma unroll
  for (int j = 0; j < 4; j++)
#pragma unroll
    for (int c = 0; c < 4; c++) r[4 * j + c] = cells[CELL(j * 1024 + t * 4 + c)];
  level<1>(r);  // bit 0
  level<2>(r);  // bit 1
  level<8>(r);  // bit 11; register bit 2 is bit 10, which is done
#pragma unroll
  for (int i = 0; i < 16; i++) {  // bit 6, which is bit 4 of the thread
    T other = __shfl_xor_sync(0xFFFFFFFFu, r[i], 16);
    r[i] = t & 16 ? other - r[i] : r[i] + other;
  }
}

// Computes TILE elements of a factor from index.TILE on, and the same ones N further, whose sums are equal but for signs.
// HALVES is 1, or 2 where two sums of 16 bits share an int: those of columns whose bit 12 is clear in the lower half, and
// those where it is set in the upper one. Addition is linear, so a borrow from the lower half vanishes when the two are
// separated, and their sum and difference are the thirteenth level.
template <typename T, int HALVES, typename Out>
__device__ __forceinline__ void srhtTile(const Args& g) {
  const u32 TILE = CELLS * HALVES;
  const u32 SIGN_BLOCKS = TILE / SIGN_BLOCK;
  __shared__ __align__(16) T cells[PADDED_CELLS];
  __shared__ u32 signs[2][SIGN_BLOCKS][4];
  __shared__ u32 rounds[8];
  const u32 t = threadIdx.x;
  const Tile tile = ::tile(g);
  const Factor& f = tile.factor;
  columnRounds(tile, rounds);
  const uint4 zero = {0, 0, 0, 0};
  for (u32 i = t; i < PADDED_CELLS * sizeof(T) / sizeof(uint4); i += SRHT_THREADS) ((uint4*)cells)[i] = zero;
  if (t >= SRHT_THREADS - 2 * SIGN_BLOCKS) {
    u32 block = t - (SRHT_THREADS - 2 * SIGN_BLOCKS);
    u32 copy = block / SIGN_BLOCKS;
    block %= SIGN_BLOCKS;
    u32 first = (copy << f.log2) + tile.index * TILE;
    if (first < f.length) signWords(tile, first / SIGN_BLOCK + block, signs[copy][block]);
  }
  __syncthreads();
  const u32 upperBits = CELL_BITS + HALVES - 1;
  for (u32 i = t; i < f.count; i += SRHT_THREADS) {
    u32 c = column(i, f.log2, rounds);
    T v = coefficient(tile.codes, i, f.bits);
    if (__popc((c >> upperBits) & tile.index) & 1) v = -v;
    if (HALVES == 2 && ((c >> CELL_BITS) & 1)) v *= 65536;
    addTo(&cells[CELL(c & (CELLS - 1))], v);  // atomically: columns may meet in a cell
  }
  __syncthreads();
  T r[16];
  transform(cells, r);
#pragma unroll 1
  for (u32 copy = 0; copy < 2; copy++) {
    const u32 first = (copy << f.log2) + tile.index * TILE;
    if (first >= f.length) break;
#pragma unroll
    for (int j = 0; j < 4; j++)
#pragma unroll
      for (int half = 0; half < HALVES; half++) {
        const u32 m = half * CELLS + j * 1024 + t * 4;
        if (first + m >= f.length) continue;
        const u32 negative = signs[copy][m / 128][(m / 32) & 3] >> (m & 31);
        float v[4];
#pragma unroll
        for (int i = 0; i < 4; i++) {
          T sum = r[4 * j + i];
          if (HALVES == 2) {
            int low = (short)sum;
            int high = ((int)sum - low) >> 16;
            sum = half ? low - high : low + high;
          }
          v[i] = rounded((negative >> i) & 1 ? -sum : sum, tile.scale, HALVES == 1 && f.wide);
        }
        storeElements<Out>(g, tile, first + m, v);
      }
  }
}

// Factors of less than 4,096 columns: a block each.
template <typename Out>
__device__ __forceinline__ void srhtSmallTile(const Args& g) {
  __shared__ i64 sums[CELLS / 2];
  __shared__ u32 rounds[8];
  const u32 t = threadIdx.x;
  const Tile tile = ::tile(g);
  const Factor& f = tile.factor;
  const u32 columns = 1u << f.log2;
  columnRounds(tile, rounds);
  for (u32 i = t; i < columns; i += SRHT_THREADS) sums[i] = 0;
  __syncthreads();
  for (u32 i = t; i < f.count; i += SRHT_THREADS) sums[column(i, f.log2, rounds)] = coefficient(tile.codes, i, f.bits);
  __syncthreads();
  for (u32 stride = 1; stride < columns; stride *= 2) {
    for (u32 i = t; i < columns / 2; i += SRHT_THREADS) {
      u32 low = ((i & ~(stride - 1)) << 1) | (i & (stride - 1));
      i64 a = sums[low], b = sums[low + stride];
      sums[low] = a + b;
      sums[low + stride] = a - b;
    }
    __syncthreads();
  }
  for (u32 e = t; e < f.length; e += SRHT_THREADS) {
    u32 signs[4];
    signWords(tile, e / SIGN_BLOCK, signs);
    const u32 word = (e / 32) & 3;
    const u32 bits = word == 0 ? signs[0] : word == 1 ? signs[1] : word == 2 ? signs[2] : signs[3];
    i64 sum = sums[e & (columns - 1)];
    Out::store(g.out, tile.out + e, rounded((bits >> (e & 31)) & 1 ? -sum : sum, tile.scale, true), tile.multiplier);
  }
}
