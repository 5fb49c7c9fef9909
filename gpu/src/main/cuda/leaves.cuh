// Leaves of the reconstruction digest (SPEC.md section 8): SHA-256 over what names a layer and its factors, as f32. One hash
// cannot be divided among threads, so a thread computes one; many adapters at a time fill a GPU.
#pragma once
#include "layout.cuh"

#define LEAF_THREADS 32

// One layer. 40 bytes.
struct Leaf {
  u64 a, b;            // first elements of the factors in an adapter's output
  u64 head;            // offset of the bytes that come before the factors
  u32 aWords, bWords;  // elements of the factors; bWords is 0 in the direct form
  u32 headBytes;
  u32 unused;
};

struct LeavesArgs {
  const Leaf* leaves;
  const u8* heads;
  const u32* factors;  // as reconstruction wrote them
  u64 stride;          // elements from one adapter's factors to the next
  u8* digests;         // receives 32 bytes a leaf, of one adapter after the other
  u32 layers;
  u32 adapters;
};

__constant__ u32 SHA256_K[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01,
    0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc,
    0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147,
    0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116, 0x1e376c08,
    0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208,
    0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

__device__ __forceinline__ u32 rotated(u32 x, u32 n) { return __funnelshift_r(x, x, n); }

// One block of SHA-256 (FIPS 180-4); w are the message's words, and are used up.
__device__ __forceinline__ void sha256Block(u32 (&h)[8], u32 (&w)[16]) {
  u32 s[8];
#pragma unroll
  for (int i = 0; i < 8; i++) s[i] = h[i];
#pragma unroll
  for (int i = 0; i < 64; i++) {
    if (i >= 16) {
      const u32 x = w[(i + 1) & 15], y = w[(i + 14) & 15];
      w[i & 15] += (rotated(x, 7) ^ rotated(x, 18) ^ (x >> 3)) + w[(i + 9) & 15] + (rotated(y, 17) ^ rotated(y, 19) ^ (y >> 10));
    }
    const u32 choice = (s[4] & s[5]) ^ (~s[4] & s[6]), majority = (s[0] & s[1]) ^ (s[0] & s[2]) ^ (s[1] & s[2]);
    const u32 t1 = s[7] + (rotated(s[4], 6) ^ rotated(s[4], 11) ^ rotated(s[4], 25)) + choice + SHA256_K[i] + w[i & 15];
    const u32 t2 = (rotated(s[0], 2) ^ rotated(s[0], 13) ^ rotated(s[0], 22)) + majority;
#pragma unroll
    for (int j = 7; j > 0; j--) s[j] = s[j - 1];
    s[4] += t1;
    s[0] = t1 + t2;
  }
#pragma unroll
  for (int i = 0; i < 8; i++) h[i] += s[i];
}

// The bytes that a leaf hashes, padding included.
struct LeafMessage {
  const u8* head;
  const u32* a;
  const u32* b;
  u32 headBytes, aWords;
  u64 bytes;  // without padding

  __device__ __forceinline__ u32 word(u64 i) const { return i < aWords ? a[i] : b[i - aWords]; }

  __device__ __forceinline__ u32 byte(u64 p) const {
    if (p < headBytes) return head[p];
    if (p >= bytes) return p == bytes ? 0x80 : 0;
    const u64 offset = p - headBytes;
    return (word(offset / 4) >> (8 * (offset % 4))) & 255;
  }
};

__device__ __forceinline__ u32 bigEndian(u32 x) { return __byte_perm(x, 0, 0x0123); }

__device__ __forceinline__ void hashLeaf(const LeavesArgs& g) {
  const u32 id = blockIdx.x * LEAF_THREADS + threadIdx.x;
  if (id >= g.layers * g.adapters) return;
  const Leaf leaf = g.leaves[id % g.layers];
  const u32* factors = g.factors + id / g.layers * g.stride;
  LeafMessage message;
  message.head = g.heads + leaf.head;
  message.a = factors + leaf.a;
  message.b = factors + leaf.b;
  message.headBytes = leaf.headBytes;
  message.aWords = leaf.aWords;
  message.bytes = leaf.headBytes + 4 * ((u64)leaf.aWords + leaf.bWords);
  u32 h[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  const u64 blocks = (message.bytes + 9 + 63) / 64;
  // Elements lie across the message's words: all by the same number of bytes, since blocks have 64.
  const u32 shift = 8 * ((0u - leaf.headBytes) & 3);
  for (u64 block = 0; block < blocks; block++) {
    const u64 first = block * 64;
    u32 w[16];
    if (first >= leaf.headBytes && first + 64 <= message.bytes) {
      const u64 element = (first - leaf.headBytes) / 4;
      u32 low = message.word(element);
#pragma unroll
      for (int i = 0; i < 16; i++) {
        const u32 high = i < 15 || shift ? message.word(element + i + 1) : 0;
        w[i] = bigEndian(__funnelshift_r(low, high, shift));
        low = high;
      }
    } else {
#pragma unroll
      for (int i = 0; i < 16; i++) {
        u32 word = 0;
        for (int j = 0; j < 4; j++) word = word << 8 | message.byte(first + 4 * i + j);
        w[i] = word;
      }
      if (block == blocks - 1) {
        w[14] = (u32)(message.bytes >> 29);
        w[15] = (u32)(message.bytes << 3);
      }
    }
    sha256Block(h, w);
  }
#pragma unroll
  for (int i = 0; i < 8; i++) ((u32*)g.digests)[8 * (u64)id + i] = bigEndian(h[i]);
}
