// Generator 5: the coefficients are the elements.
#pragma once
#include "output.cuh"

#define IDENTITY_THREADS 256

template <typename Out>
__device__ __forceinline__ void identityTile(const Args& g) {
  const Tile tile = ::tile(g);
  const u32 e = (tile.index * IDENTITY_THREADS + threadIdx.x) * 4;
  if (e >= tile.factor.length) return;
  float v[4];
#pragma unroll
  for (int i = 0; i < 4; i++) {
    const u32 j = e + i < tile.factor.length ? e + i : e;
    v[i] = rounded(coefficient(tile.codes, j, tile.factor.bits), tile.scale, false);
  }
  storeElements<Out>(g, tile, e, v);
}
