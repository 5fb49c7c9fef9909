// Transposed products, products[i] = sum over e of b_i[e] g[e], which training needs: in f64, in the order that
// dev.nola.kernel.Kernel.project fixes, so that every backend trains alike.
#pragma once
#include "srht.cuh"

#define PROJECT_THREADS 512
#define PARTIAL_SUMS 16
#define LANES (PROJECT_THREADS / PARTIAL_SUMS)

// One launch covers factors of one kernel; gridDim.x is the number of tiles.
struct ProjectArgs {
  const Factor* factors;     // .out is the factor's first element in the gradient; codes and scale are not used
  const u32* tileFactor;
  const u64* scratchStart;   // for each factor, where its N doubles begin in scratch
  const u64* productStart;   // for each factor, where its products begin
  const float* gradient;
  double* scratch;
  double* products;
  u64 seed;
};

__device__ __forceinline__ Tile projectTile(const ProjectArgs& g, u32& factorIndex) {
  Tile tile;
  factorIndex = g.tileFactor[blockIdx.x];
  tile.factor = g.factors[factorIndex];
  tile.index = blockIdx.x - tile.factor.firstTile;
  tile.key0 = (u32)g.seed;
  tile.key1 = (u32)(g.seed >> 32);
  return tile;
}

__device__ __forceinline__ double signedValue(double value, u32 negative) { return negative & 1 ? -value : value; }

// ---- generators 1 to 3: a warp a partial sum, a lane a coefficient ----------------------------------------------------------

template <int ID, int PER_BLOCK>
__device__ __forceinline__ void projectVectors(const ProjectArgs& g) {
  __shared__ double partial[PARTIAL_SUMS][LANES];
  u32 fi;
  const Tile tile = projectTile(g, fi);
  const Factor& f = tile.factor;
  const u32 lane = threadIdx.x % LANES, part = threadIdx.x / LANES;
  const u32 i = tile.index * LANES + lane;
  const float* gradient = g.gradient + f.out;
  const u32 blocks = (f.length - 1) / PER_BLOCK + 1;
  double sum = 0.0;
  if (i < f.count) {
    for (u32 block = part; block < blocks; block += PARTIAL_SUMS) {
      u32 x[4];
      philox(block, i, f.stream, f.side + 2 * ID, tile.key0, tile.key1, x);
      const u32 first = block * PER_BLOCK;
#pragma unroll
      for (int w = 0; w < 4; w++)
#pragma unroll
        for (int j = 0; j < PER_BLOCK / 4; j++) {
          const u32 e = first + w * (PER_BLOCK / 4) + j;
          if (e >= f.length) break;
          const double value = (double)gradient[e];
          // 24 bits times 24 bits: the product is exact, so only the sums round.
          if (ID == 1) sum = __fma_rn((double)(2 * (int)(x[w] >> 8) - ((1 << 24) - 1)), value, sum);
          if (ID == 2) sum = __fma_rn((double)(2 * (int)((x[w] >> (8 * j)) & 255) - 255), value, sum);
          if (ID == 3) sum = __dadd_rn(sum, signedValue(value, x[w] >> j));
        }
    }
  }
  partial[part][lane] = sum;
  __syncthreads();
#pragma unroll
  for (u32 half = PARTIAL_SUMS / 2; half > 0; half /= 2) {
    if (part < half) partial[part][lane] = __dadd_rn(partial[part][lane], partial[part + half][lane]);
    __syncthreads();
  }
  if (part == 0 && i < f.count) g.products[g.productStart[fi] + i] = partial[0][lane];
}

// ---- generator 4: the transform of the signed gradient, strides ascending --------------------------------------------------

// One double of padding after 16.
#define WIDE_CELL(i) ((i) + ((i) >> 4))

template <int STRIDE>
__device__ __forceinline__ void fourWideLevels(double* cells, u32 first, double (&r)[16]) {
#pragma unroll
  for (int i = 0; i < 16; i++) r[i] = cells[WIDE_CELL(first + i * STRIDE)];
#pragma unroll
  for (int stride = 1; stride < 16; stride *= 2)
#pragma unroll
    for (int i = 0; i < 16; i++)
      if (!(i & stride)) {
        const double a = r[i], b = r[i + stride];
        r[i] = __dadd_rn(a, b);
        r[i + stride] = __dadd_rn(a, -b);
      }
}

// The signed gradient of element m, and of the one N further that is added to it.
__device__ __forceinline__ double foldedGradient(const ProjectArgs& g, const Tile& tile, u32 m, u32 block0[4], u32 block1[4]) {
  const Factor& f = tile.factor;
  const u32 word = (m / 32) & 3, bit = m & 31, second = m + (1u << f.log2);
  double sum = __dadd_rn(0.0, signedValue((double)g.gradient[f.out + m], block0[word] >> bit));
  if (second < f.length) {
    // Of a factor with less than 128 columns the second element's sign is in another place of the block.
    const u32 word1 = (second / 32) & 3, bit1 = second & 31;
    sum = __dadd_rn(sum, signedValue((double)g.gradient[f.out + second], block1[word1] >> bit1));
  }
  return sum;
}

// The lowest twelve levels of 4,096 elements.
__device__ __forceinline__ void transformGradient(const ProjectArgs& g) {
  __shared__ double cells[PADDED_CELLS];
  __shared__ u32 signs[2][CELLS / SIGN_BLOCK][4];
  const u32 t = threadIdx.x;
  u32 fi;
  const Tile tile = projectTile(g, fi);
  const Factor& f = tile.factor;
  if (t < 2 * CELLS / SIGN_BLOCK) {
    const u32 copy = t / (CELLS / SIGN_BLOCK), block = t % (CELLS / SIGN_BLOCK);
    signWords(tile, ((copy << f.log2) + tile.index * CELLS) / SIGN_BLOCK + block, signs[copy][block]);
  }
  __syncthreads();
#pragma unroll
  for (int i = 0; i < 16; i++) {
    const u32 in = i * SRHT_THREADS + t;
    cells[WIDE_CELL(in)] =
        foldedGradient(g, tile, tile.index * CELLS + in, signs[0][in / SIGN_BLOCK], signs[1][in / SIGN_BLOCK]);
  }
  __syncthreads();
  double r[16];
  fourWideLevels<1>(cells, t * 16, r);
#pragma unroll
  for (int i = 0; i < 16; i++) cells[WIDE_CELL(t * 16 + i)] = r[i];
  __syncthreads();
  const u32 middle = ((t >> 4) << 8) + (t & 15);
  fourWideLevels<16>(cells, middle, r);
#pragma unroll
  for (int i = 0; i < 16; i++) cells[WIDE_CELL(middle + i * 16)] = r[i];
  __syncthreads();
  fourWideLevels<256>(cells, t, r);
  double* scratch = g.scratch + g.scratchStart[fi] + (u64)tile.index * CELLS;
#pragma unroll
  for (int i = 0; i < 16; i++) scratch[i * 256 + t] = r[i];
}

// The other levels, of the columns that are needed: pairs are added along a binary tree, by a stack of one value a level.
__device__ __forceinline__ void selectColumns(const ProjectArgs& g) {
  __shared__ u32 rounds[8];
  u32 fi;
  const Tile tile = projectTile(g, fi);
  const Factor& f = tile.factor;
  columnRounds(tile, rounds);
  __syncthreads();
  const u32 i = tile.index * SRHT_THREADS + threadIdx.x;
  if (i >= f.count) return;
  const u32 c = column(i, f.log2, rounds);
  const u32 parts = 1u << (f.log2 - CELL_BITS);
  const double* scratch = g.scratch + g.scratchStart[fi] + (c & (CELLS - 1));
  double stack[19];
  for (u32 part = 0; part < parts; part++) {
    double value = scratch[(u64)part * CELLS];
    u32 level = 0;
    for (; (part >> level) & 1; level++) {
      value = __dadd_rn(stack[level], signedValue(value, c >> (CELL_BITS + level)));
    }
    stack[level] = value;
  }
  g.products[g.productStart[fi] + i] = stack[f.log2 - CELL_BITS];
}

// Factors of less than 4,096 columns: a block each.
__device__ __forceinline__ void projectSmall(const ProjectArgs& g) {
  __shared__ double cells[CELLS / 2];
  __shared__ u32 rounds[8];
  const u32 t = threadIdx.x;
  u32 fi;
  const Tile tile = projectTile(g, fi);
  const Factor& f = tile.factor;
  const u32 columns = 1u << f.log2;
  columnRounds(tile, rounds);
  for (u32 m = t; m < columns; m += SRHT_THREADS) {
    u32 block0[4], block1[4];
    signWords(tile, m / SIGN_BLOCK, block0);
    signWords(tile, (m + columns) / SIGN_BLOCK, block1);
    cells[m] = foldedGradient(g, tile, m, block0, block1);
  }
  __syncthreads();
  for (u32 stride = 1; stride < columns; stride *= 2) {
    for (u32 i = t; i < columns / 2; i += SRHT_THREADS) {
      const u32 low = ((i & ~(stride - 1)) << 1) | (i & (stride - 1));
      const double a = cells[low], b = cells[low + stride];
      cells[low] = __dadd_rn(a, b);
      cells[low + stride] = __dadd_rn(a, -b);
    }
    __syncthreads();
  }
  for (u32 i = t; i < f.count; i += SRHT_THREADS) g.products[g.productStart[fi] + i] = cells[column(i, f.log2, rounds)];
}

// ---- generator 5 ------------------------------------------------------------------------------------------------------------

__device__ __forceinline__ void projectElements(const ProjectArgs& g) {
  u32 fi;
  const Tile tile = projectTile(g, fi);
  const u32 i = tile.index * IDENTITY_THREADS + threadIdx.x;
  if (i < tile.factor.count)
    g.products[g.productStart[fi] + i] = __dadd_rn((double)g.gradient[tile.factor.out + i], 0.0);
}
