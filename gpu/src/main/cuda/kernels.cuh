// The kernels, for CUDA and for src/test/cpp.
//
// Those that compute factors, each for three types of output: NAME_f32, NAME_f16, NAME_bf16. Which of them computes a
// factor is decided by dev.nola.gpu.FactorKernel.
#pragma once
#include "identity.cuh"
#include "independent.cuh"
#include "leaves.cuh"
#include "merge.cuh"
#include "project.cuh"
#include "srht.cuh"

// X(name, threads, body): body<Out>(g) computes a tile. The srht kernels need N >= 4,096; srht16 sums within +-32,767 and
// N >= 8,192; srht32 and uniform8 and uniform8Word sums below 2^31; uniform8 coefficients within +-127; rademacher4 and
// rademacher8 coefficients of at most that many bits, and count (2^width - 1) < 2^16.
#define FACTOR_KERNELS(X)                                                      \
  X(srht16, SRHT_THREADS, (srhtTile<int, 2, Out>(g)))                          \
  X(srht32, SRHT_THREADS, (srhtTile<int, 1, Out>(g)))                          \
  X(srht64, SRHT_THREADS, (srhtTile<i64, 1, Out>(g)))                          \
  X(srhtSmall, SRHT_THREADS, (srhtSmallTile<Out>(g)))                          \
  X(uniform24, THREADS, (independentTile<Uniform24Sums, Out>(g, 1)))           \
  X(uniform8, THREADS, (independentTile<Uniform8ByteSums, Out>(g, 2)))         \
  X(uniform8Word, THREADS, (independentTile<Uniform8Sums<int>, Out>(g, 2)))    \
  X(uniform8Long, THREADS, (independentTile<Uniform8Sums<i64>, Out>(g, 2)))    \
  X(rademacher4, THREADS, (independentTile<RademacherPlanes<4>, Out>(g, 3)))   \
  X(rademacher8, THREADS, (independentTile<RademacherPlanes<8>, Out>(g, 3)))   \
  X(rademacherLong, THREADS, (independentTile<RademacherSums, Out>(g, 3)))     \
  X(identity, IDENTITY_THREADS, (identityTile<Out>(g)))

#define UNPACK(...) __VA_ARGS__
#define FACTOR_KERNEL(name, threads, body)                                                                  \
  extern "C" __global__ void __launch_bounds__(threads) name##_f32(Args g) { typedef F32 Out; UNPACK body; } \
  extern "C" __global__ void __launch_bounds__(threads) name##_f16(Args g) { typedef F16 Out; UNPACK body; } \
  extern "C" __global__ void __launch_bounds__(threads) name##_bf16(Args g) { typedef BF16 Out; UNPACK body; }

FACTOR_KERNELS(FACTOR_KERNEL)

extern "C" __global__ void __launch_bounds__(LEAF_THREADS) leaves(LeavesArgs g) { hashLeaf(g); }

// Those that merge: one adapter, several, and either into a slice whose elements are not contiguous.
#define MERGE_KERNEL(name, Type)                                                                                 \
  extern "C" __global__ void __launch_bounds__(MERGE_THREADS) merge_##name(MergeArgs g) {                         \
    mergeTile<Type, true, true>(g);                                                                              \
  }                                                                                                              \
  extern "C" __global__ void __launch_bounds__(MERGE_THREADS) mergeMany_##name(MergeArgs g) {                     \
    mergeTile<Type, false, true>(g);                                                                             \
  }                                                                                                              \
  extern "C" __global__ void __launch_bounds__(MERGE_THREADS) mergeSlice_##name(MergeArgs g) {                    \
    mergeTile<Type, false, false>(g);                                                                            \
  }

MERGE_KERNEL(f32, F32Weights)
MERGE_KERNEL(f16, F16Weights)
MERGE_KERNEL(bf16, BF16Weights)

extern "C" __global__ void __launch_bounds__(SRHT_THREADS) projectSrhtTile(ProjectArgs g) { transformGradient(g); }
extern "C" __global__ void __launch_bounds__(SRHT_THREADS) projectSrhtColumns(ProjectArgs g) { selectColumns(g); }
extern "C" __global__ void __launch_bounds__(SRHT_THREADS) projectSrhtSmall(ProjectArgs g) { projectSmall(g); }
extern "C" __global__ void __launch_bounds__(PROJECT_THREADS) projectUniform24(ProjectArgs g) { projectVectors<1, 4>(g); }
extern "C" __global__ void __launch_bounds__(PROJECT_THREADS) projectUniform8(ProjectArgs g) { projectVectors<2, 16>(g); }
extern "C" __global__ void __launch_bounds__(PROJECT_THREADS) projectRademacher(ProjectArgs g) { projectVectors<3, 128>(g); }
extern "C" __global__ void __launch_bounds__(IDENTITY_THREADS) projectIdentity(ProjectArgs g) { projectElements(g); }
