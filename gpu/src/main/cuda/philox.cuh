// Philox4x32-10 (SPEC.md section 6): a bijection of 128-bit counters, ten rounds of two multiplications.
#pragma once
#include "layout.cuh"

#define PHILOX_M0 0xD2511F53u
#define PHILOX_M1 0xCD9E8D57u
#define PHILOX_W0 0x9E3779B9u
#define PHILOX_W1 0xBB67AE85u

// Rounds FIRST to 9 of a counter c; k0 and k1 are the key before round 0.
template <int FIRST>
__device__ __forceinline__ void philoxRounds(u32 (&c)[4], u32 k0, u32 k1) {
#pragma unroll
  for (int round = FIRST; round < 10; round++) {
    u64 p = (u64)PHILOX_M0 * c[0];
    u64 q = (u64)PHILOX_M1 * c[2];
    c[0] = (u32)(q >> 32) ^ c[1] ^ (k0 + PHILOX_W0 * round);
    c[1] = (u32)q;
    c[2] = (u32)(p >> 32) ^ c[3] ^ (k1 + PHILOX_W1 * round);
    c[3] = (u32)p;
  }
}

__device__ __forceinline__ void philox(u32 c0, u32 c1, u32 c2, u32 c3, u32 k0, u32 k1, u32 (&x)[4]) {
  x[0] = c0;
  x[1] = c1;
  x[2] = c2;
  x[3] = c3;
  philoxRounds<0>(x, k0, k1);
}

// Sums over a basis need the blocks (block, i, stream, tag) for every pair of a thread's block and an index i. The first
// two rounds mix the two so little that each pair costs one exclusive or: everything else depends on the index alone,
// and is computed once a thread block, or on the block alone, and is computed once a thread.
struct IndexHalf {
  u32 high, low;  // of the second round's product with counter word 0
};

__device__ __forceinline__ IndexHalf indexHalf(u32 index, u32 stream, u32 k0) {
  u64 q = (u64)PHILOX_M1 * stream;
  u64 p = (u64)PHILOX_M0 * ((u32)(q >> 32) ^ index ^ k0);
  IndexHalf half;
  half.high = (u32)(p >> 32);
  half.low = (u32)p;
  return half;
}

struct BlockHalf {
  u32 c0, c1, c2;  // the counter after two rounds; c2 lacks the exclusive or with IndexHalf.high
  u32 k0, k1;

  __device__ __forceinline__ BlockHalf(u32 block, u32 stream, u32 tag, u32 key0, u32 key1) {
    u64 p = (u64)PHILOX_M0 * block;
    u64 q = (u64)PHILOX_M1 * ((u32)(p >> 32) ^ tag ^ key1);
    c0 = (u32)(q >> 32) ^ (u32)((u64)PHILOX_M1 * stream) ^ (key0 + PHILOX_W0);
    c1 = (u32)q;
    c2 = (u32)p ^ (key1 + PHILOX_W1);
    k0 = key0;
    k1 = key1;
  }

  __device__ __forceinline__ void words(IndexHalf index, u32 (&x)[4]) const {
    x[0] = c0;
    x[1] = c1;
    x[2] = c2 ^ index.high;
    x[3] = index.low;
    philoxRounds<2>(x, k0, k1);
  }
};
