// Codes in, rounded elements out.
#pragma once
#include "layout.cuh"

// Coefficient j, v = 2u - (2^bits - 1) (SPEC.md section 5.1). The bytes of a side may be followed by others' codes, never
// read beyond: a slot ends with padding.
__device__ __forceinline__ int coefficient(const u8* codes, u32 j, u32 bits) {
  u64 bit = (u64)j * bits;
  const u8* first = codes + (bit >> 3);
  u32 shift = (u32)bit & 7;
  u32 window = first[0];
  if (shift + bits > 8) window |= (u32)first[1] << 8;
  if (shift + bits > 16) window |= (u32)first[2] << 16;
  u32 highest = (1u << bits) - 1;
  return (int)(2 * ((window >> shift) & highest)) - (int)highest;
}

// The layer's scale stands in the codes section, at any offset.
__device__ __forceinline__ float scaleAt(const u8* section, u64 offset) {
  u32 bits = 0;
#pragma unroll
  for (int i = 0; i < 4; i++) bits |= (u32)section[offset + i] << (8 * i);
  return __uint_as_float(bits);
}

__device__ __forceinline__ Tile tile(const Args& g) {
  Tile tile;
  tile.factor = g.factors[g.tileFactor[blockIdx.x]];
  const Factor& f = tile.factor;
  const u8* slot = g.adapters + blockIdx.y * g.slotBytes;
  const u8* section = slot + SLOT_HEADER;
  tile.codes = section + f.codes;
  tile.scale = f.scale == NO_SCALE ? 1.0f : scaleAt(section, f.scale);
  tile.multiplier = f.side == 0 ? g.multiplierA : g.multiplierB;
  tile.key0 = ((const u32*)slot)[0];
  tile.key1 = ((const u32*)slot)[1];
  tile.index = blockIdx.x - f.firstTile;
  tile.out = blockIdx.y * g.outStride + f.out;
  return tile;
}

// The roundings of SPEC.md section 7.1: the product to f64, then to f32; the addition turns -0 into +0. Where the sum has
// at most 24 bits, its product with the scale has at most 48: f64 holds it exactly, and one multiplication in f32 rounds the
// same. That matters on cards whose f64 runs at a 64th of the rate.
__device__ __forceinline__ float rounded(int sum, float scale, bool wide) {
  if (!wide) return __fadd_rn(__fmul_rn(__int2float_rn(sum), scale), 0.0f);
  return __fadd_rn(__double2float_rn(__dmul_rn((double)sum, (double)scale)), 0.0f);
}

__device__ __forceinline__ float rounded(i64 sum, float scale, bool) {
  return __fadd_rn(__double2float_rn(__dmul_rn((double)sum, (double)scale)), 0.0f);
}

__device__ __forceinline__ u32 toBf16(float value) {
  u32 bits = __float_as_uint(value);
  return (bits + 0x7FFF + ((bits >> 16) & 1)) >> 16;
}

// The element types of the output.
struct F32 {
  static __device__ __forceinline__ void store(void* out, u64 e, float v, float) { ((float*)out)[e] = v; }
  static __device__ __forceinline__ void store4(void* out, u64 e, const float (&v)[4], float) {
    float4 packed;
    packed.x = v[0];
    packed.y = v[1];
    packed.z = v[2];
    packed.w = v[3];
    *(float4*)((float*)out + e) = packed;
  }
};

template <typename Type>
struct Half {
  static __device__ __forceinline__ void store(void* out, u64 e, float v, float multiplier) {
    ((u16*)out)[e] = (u16)Type::bits(__fmul_rn(v, multiplier));
  }
  static __device__ __forceinline__ void store4(void* out, u64 e, const float (&v)[4], float multiplier) {
    uint2 packed;
    packed.x = Type::bits(__fmul_rn(v[0], multiplier)) | Type::bits(__fmul_rn(v[1], multiplier)) << 16;
    packed.y = Type::bits(__fmul_rn(v[2], multiplier)) | Type::bits(__fmul_rn(v[3], multiplier)) << 16;
    *(uint2*)((u16*)out + e) = packed;
  }
};

struct F16 : Half<F16> {
  static __device__ __forceinline__ u32 bits(float v) { return toF16(v); }
};

struct BF16 : Half<BF16> {
  static __device__ __forceinline__ u32 bits(float v) { return toBf16(v); }
};

// Stores elements e to e + 3 of the tile's factor, of those inside it. e is a multiple of 4, and so is every factor's place
// in the output, so that four elements are always aligned.
template <typename Out>
__device__ __forceinline__ void storeElements(const Args& g, const Tile& tile, u32 e, const float (&v)[4]) {
  if (e + 3 < tile.factor.length) {
    Out::store4(g.out, tile.out + e, v, tile.multiplier);
  } else {
#pragma unroll
    for (int i = 0; i < 4; i++)
      if (e + i < tile.factor.length) Out::store(g.out, tile.out + e + i, v[i], tile.multiplier);
  }
}
