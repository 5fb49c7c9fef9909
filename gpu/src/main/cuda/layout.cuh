// What the host passes to the kernels. dev.nola.gpu.FactorPlan writes these structures: change both together.
#pragma once

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef long long i64;

// One factor of one layer (SPEC.md section 6). 56 bytes.
struct Factor {
  u64 out;        // its first element in the output
  u64 codes;      // offset of its side's codes in the codes section
  u64 scale;      // offset of its layer's scale in the codes section; NO_SCALE for side B
  u32 length;
  u32 log2;       // floor(log2(length)), p in SPEC.md
  u32 stream;
  u32 side;       // 0 for A, 1 for B
  u32 count;      // number of coefficients
  u32 bits;       // width of a code
  u32 firstTile;  // number of its first block in this launch
  u32 wide;       // 1 if a sum may exceed 2^24, so that its two roundings must be done in f64
};

#define NO_SCALE (~0ull)

// Arguments of a launch: gridDim.x is the number of tiles, gridDim.y the number of adapters. 56 bytes.
struct Args {
  const Factor* factors;
  const u32* tileFactor;  // for each tile, the index of its factor
  const u8* adapters;     // a slot an adapter: the seed, u64, eight unused bytes, and the file's codes section
  u64 slotBytes;
  void* out;
  u64 outStride;          // elements of the output from one adapter to the next
  float multiplierA;      // powers of two that bring factors into the range of f16; 1 otherwise
  float multiplierB;
};

#define SLOT_HEADER 16

// What a block computes.
struct Tile {
  Factor factor;
  const u8* codes;    // of the factor's side
  float scale;        // the layer's for side A, 1 for side B
  float multiplier;
  u32 key0, key1;     // the seed
  u32 index;          // number of the tile within its factor
  u64 out;            // the factor's first element in the output
};
