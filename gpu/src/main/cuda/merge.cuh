// W + w1 D1 + w2 D2 ... in f64 under the contract of SPEC.md section 7.3, with D = A B summed in ascending order of t (7.2).
#pragma once
#include "output.cuh"

#define MERGE_THREADS 128
#define MERGE_ROWS 8      // of a tile; a tile has 256 columns, two a thread
#define MERGE_COLUMNS 2
#define MERGE_RANKS 16    // of A in shared memory at a time
#define MERGE_TERMS 64    // the most adapters of a launch

// What one adapter adds. 32 bytes.
struct Term {
  const float* a;  // R x r, or R x C in the direct form
  const float* b;  // r x C
  double weight;
  u32 rank;        // r, or 0 in the direct form
  u32 unused;
};

// The adapted elements, a matrix of rows x cols, are stored in runs: element s is element
// start + s / run * pitch + s % run of the tensor. A whole tensor is one run.
struct MergeArgs {
  const void* weights;
  void* merged;   // may be the weights
  u64* overflow;  // receives the least index of an adapted element that does not stay finite
  u64 start, run, pitch;
  u32 termCount;
  u32 rows, cols;
  u32 unused;
  Term terms[MERGE_TERMS];  // by value: nothing must be uploaded before a launch
};

// The bits of a thread's two columns, in as few registers as they need.
struct TwoWords {
  u32 first, second;
  __device__ __forceinline__ void set(int c, u32 bits) { (c == 0 ? first : second) = bits; }
  __device__ __forceinline__ u32 get(int c) const { return c == 0 ? first : second; }
};

struct TwoHalves {
  u32 both;
  __device__ __forceinline__ void set(int c, u32 bits) { both = c == 0 ? bits : both | bits << 16; }
  __device__ __forceinline__ u32 get(int c) const { return c == 0 ? both & 0xFFFF : both >> 16; }
};

struct F32Weights {
  typedef u32 Bits;
  typedef TwoWords Pair;
  static const u32 EXPONENT = 0x7F800000;
  static __device__ __forceinline__ float value(u32 bits) { return __uint_as_float(bits); }
  static __device__ __forceinline__ u32 bits(float value) { return __float_as_uint(value); }
  static __device__ __forceinline__ bool finite(float value) { return (__float_as_uint(value) & EXPONENT) != EXPONENT; }
};

struct F16Weights {
  typedef u16 Bits;
  typedef TwoHalves Pair;
  static const u32 EXPONENT = 0x7C00;
  static __device__ __forceinline__ float value(u32 bits) { return fromF16(bits); }
  static __device__ __forceinline__ u32 bits(float value) { return toF16(value); }
};

struct BF16Weights {
  typedef u16 Bits;
  typedef TwoHalves Pair;
  static const u32 EXPONENT = 0x7F80;
  static __device__ __forceinline__ float value(u32 bits) { return __uint_as_float(bits << 16); }
  static __device__ __forceinline__ u32 bits(float value) { return toBf16(value); }
};

// One term's D of a thread's part of a tile.
__device__ __forceinline__ void delta(const MergeArgs& g, const Term& term, u32 row0, u32 col,
                                      double (&d)[MERGE_ROWS][MERGE_COLUMNS]) {
  __shared__ double left[MERGE_ROWS][MERGE_RANKS];
#pragma unroll
  for (int i = 0; i < MERGE_ROWS; i++)
#pragma unroll
    for (int c = 0; c < MERGE_COLUMNS; c++) d[i][c] = 0.0;
  if (term.rank == 0) {
#pragma unroll
    for (int i = 0; i < MERGE_ROWS; i++)
#pragma unroll
      for (int c = 0; c < MERGE_COLUMNS; c++)
        if (row0 + i < g.rows && col + c < g.cols) d[i][c] = (double)term.a[(u64)(row0 + i) * g.cols + col + c];
    return;
  }
  for (u32 first = 0; first < term.rank; first += MERGE_RANKS) {
    const u32 ranks = term.rank - first < MERGE_RANKS ? term.rank - first : MERGE_RANKS;
    __syncthreads();  // nobody reads the last ranks any more
    for (u32 i = threadIdx.x; i < MERGE_ROWS * ranks; i += MERGE_THREADS) {
      const u32 row = i / ranks, t = i % ranks;
      left[row][t] = row0 + row < g.rows ? (double)term.a[(u64)(row0 + row) * term.rank + first + t] : 0.0;
    }
    __syncthreads();
#pragma unroll 4
    for (u32 t = 0; t < ranks; t++) {
      double right[MERGE_COLUMNS];
#pragma unroll
      for (int c = 0; c < MERGE_COLUMNS; c++)
        right[c] = col + c < g.cols ? (double)term.b[(u64)(first + t) * g.cols + col + c] : 0.0;
#pragma unroll
      for (int i = 0; i < MERGE_ROWS; i++)
#pragma unroll
        for (int c = 0; c < MERGE_COLUMNS; c++) d[i][c] = __fma_rn(left[i][t], right[c], d[i][c]);
    }
  }
}

// Walks down a column of the adapted elements: where each of its rows is in the tensor, without a division a row.
template <bool WHOLE>
struct Walk {
  u64 run, offset;  // which run a row's element is in, and where

  __device__ __forceinline__ Walk(const MergeArgs& g, u64 s) : run(s / g.run), offset(s % g.run) {}

  __device__ __forceinline__ u64 element(const MergeArgs& g, u32 c) const {
    const bool next = offset + c >= g.run;
    return g.start + (next ? (run + 1) * g.pitch + offset + c - g.run : run * g.pitch + offset + c);
  }

  // Goes on by the cols elements of a row: runs and rest, which the caller has divided.
  __device__ __forceinline__ void next(const MergeArgs& g, u64 runs, u64 rest) {
    run += runs;
    offset += rest;
    if (offset >= g.run) {
      offset -= g.run;
      run++;
    }
  }
};

// All adapted elements are one run.
template <>
struct Walk<true> {
  u64 e;

  __device__ __forceinline__ Walk(const MergeArgs& g, u64 s) : e(g.start + s) {}
  __device__ __forceinline__ u64 element(const MergeArgs&, u32 c) const { return e + c; }
  __device__ __forceinline__ void next(const MergeArgs& g, u64, u64) { e += g.cols; }
};

// gridDim.x tiles of columns, gridDim.y tiles of rows (further ones in a loop). ONE says that there is one term, whose sums
// then need no registers of their own; WHOLE that the adapted elements are one run.
template <typename Type, bool ONE, bool WHOLE>
__device__ __forceinline__ void mergeTile(const MergeArgs& g) {
  typedef typename Type::Bits Bits;
  const Bits* weights = (const Bits*)g.weights;
  Bits* merged = (Bits*)g.merged;
  const u32 col = (blockIdx.x * MERGE_THREADS + threadIdx.x) * MERGE_COLUMNS;
  const u64 runs = WHOLE ? 0 : g.cols / g.run, rest = WHOLE ? 0 : g.cols % g.run;
  for (u32 row0 = blockIdx.y * MERGE_ROWS; row0 < g.rows; row0 += gridDim.y * MERGE_ROWS) {
    const Walk<WHOLE> start(g, (u64)row0 * g.cols + col);
    // All weights are read before any is written: the compiler must assume that both are the same memory, and would wait for
    // each read otherwise.
    typename Type::Pair before[MERGE_ROWS];
    Walk<WHOLE> walk = start;
#pragma unroll
    for (int i = 0; i < MERGE_ROWS; i++) {
#pragma unroll
      for (int c = 0; c < MERGE_COLUMNS; c++)
        before[i].set(c, row0 + i < g.rows && col + c < g.cols ? weights[walk.element(g, c)] : 0);
      walk.next(g, runs, rest);
    }
    double d[MERGE_ROWS][MERGE_COLUMNS];
    double sums[MERGE_ROWS][MERGE_COLUMNS];
    for (u32 n = 0; n < (ONE ? 1 : g.termCount); n++) {
      const Term& term = g.terms[n];
      delta(g, term, row0, col, d);
#pragma unroll
      for (int i = 0; i < MERGE_ROWS; i++)
#pragma unroll
        for (int c = 0; c < MERGE_COLUMNS; c++) {
          const double sum = ONE || n == 0 ? (double)Type::value(before[i].get(c)) : sums[i][c];
          sums[i][c] = __dadd_rn(sum, __dmul_rn(term.weight, d[i][c]));
        }
    }
    walk = start;
#pragma unroll
    for (int i = 0; i < MERGE_ROWS; i++) {
#pragma unroll
      for (int c = 0; c < MERGE_COLUMNS; c++) {
        if (row0 + i >= g.rows || col + c >= g.cols) continue;
        const u32 bits = before[i].get(c);
        const float sum = __double2float_rn(sums[i][c]);
        u32 result = Type::bits(sum);
        if ((bits & Type::EXPONENT) == Type::EXPONENT) {
          result = bits;
        } else if ((result & Type::EXPONENT) == Type::EXPONENT || !F32Weights::finite(sum)) {
          atomicMin(g.overflow, (u64)(row0 + i) * g.cols + col + c);
        }
        merged[walk.element(g, c)] = (Bits)result;
      }
      walk.next(g, runs, rest);
    }
  }
}
