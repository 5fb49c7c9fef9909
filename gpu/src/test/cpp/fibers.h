// Runs CUDA kernels on a CPU: one fiber per thread, one block after the other. At every barrier the threads of a block continue
// in another, random order, so that a missing barrier shows as a wrong result.
#pragma once
#include <ucontext.h>

#include <cmath>
#include <cstdint>
#include <cstring>
#include <functional>
#include <vector>

#define __device__
#define __global__
#define __forceinline__ inline
#define __launch_bounds__(...)
#define __shared__ static
#define __constant__ static const
#define __align__(n) __attribute__((aligned(n)))

struct float4 { float x, y, z, w; };
struct uint2 { unsigned x, y; };
struct uint4 { unsigned x, y, z, w; };
struct double2 { double x, y; };
struct Dim3 { unsigned x, y, z; };

static Dim3 threadIdx, blockIdx, blockDim, gridDim;

namespace fibers {
const size_t STACK_BYTES = 1 << 16;
const unsigned MAX_THREADS = 1024;

static ucontext_t scheduler;
static ucontext_t contexts[MAX_THREADS];
static bool finished[MAX_THREADS];
static unsigned current;
static std::function<void()> kernel;
static long long exchanged[MAX_THREADS];
static uint64_t randomState;

static unsigned random(unsigned bound) {
  randomState = randomState * 6364136223846793005ull + 1442695040888963407ull;
  return (unsigned)((randomState >> 33) % bound);
}

static void yield() {
  const unsigned self = current;
  swapcontext(&contexts[self], &scheduler);
  threadIdx.x = current = self;
}

static void enter() {
  kernel();
  finished[current] = true;
  swapcontext(&contexts[current], &scheduler);
}

static void run(unsigned gridX, unsigned gridY, unsigned threads, uint64_t seed, std::function<void()> body) {
  static std::vector<char> stacks(STACK_BYTES * MAX_THREADS);
  std::vector<unsigned> order(threads);
  for (unsigned i = 0; i < threads; i++) order[i] = i;
  randomState = seed;
  kernel = std::move(body);
  blockDim = {threads, 1, 1};
  gridDim = {gridX, gridY, 1};
  for (unsigned y = 0; y < gridY; y++)
    for (unsigned x = 0; x < gridX; x++) {
      blockIdx = {x, y, 0};
      for (unsigned i = 0; i < threads; i++) {
        finished[i] = false;
        getcontext(&contexts[i]);
        contexts[i].uc_stack.ss_sp = &stacks[i * STACK_BYTES];
        contexts[i].uc_stack.ss_size = STACK_BYTES;
        contexts[i].uc_link = nullptr;
        makecontext(&contexts[i], enter, 0);
      }
      for (unsigned left = threads; left > 0;) {
        if (seed != 0)
          for (unsigned i = threads - 1; i > 0; i--) std::swap(order[i], order[random(i + 1)]);
        for (unsigned i : order) {
          if (finished[i]) continue;
          threadIdx = {i, 0, 0};
          current = i;
          swapcontext(&scheduler, &contexts[i]);
          if (finished[i]) left--;
        }
      }
    }
}
}  // namespace fibers

static inline void __syncthreads() { fibers::yield(); }

// All threads of a block must take part, as they do in these kernels.
template <typename T>
static T __shfl_xor_sync(unsigned, T value, int mask) {
  fibers::exchanged[fibers::current] = (long long)value;
  fibers::yield();
  T other = (T)fibers::exchanged[fibers::current ^ mask];
  fibers::yield();
  return other;
}

template <typename To, typename From>
static inline To bitsOf(From value) {
  static_assert(sizeof(To) == sizeof(From), "");
  To to;
  memcpy(&to, &value, sizeof to);
  return to;
}

static inline int __popc(unsigned x) { return __builtin_popcount(x); }
static inline float __uint_as_float(unsigned u) { return bitsOf<float>(u); }
static inline unsigned __float_as_uint(float f) { return bitsOf<unsigned>(f); }
static inline float __int2float_rn(int i) { return (float)i; }
static inline float __fmul_rn(float a, float b) { return a * b; }
static inline float __fadd_rn(float a, float b) { return a + b; }
static inline double __dmul_rn(double a, double b) { return a * b; }
static inline double __dadd_rn(double a, double b) { return a + b; }
static inline double __fma_rn(double a, double b, double c) { return std::fma(a, b, c); }
// NVIDIA's GPUs have one NaN.
static inline float __double2float_rn(double d) { return d != d ? __uint_as_float(0x7FFFFFFF) : (float)d; }
static inline unsigned __funnelshift_r(unsigned low, unsigned high, unsigned shift) {
  return (unsigned)(((uint64_t)high << 32 | low) >> (shift & 31));
}

template <typename T>
static inline T atomicAdd(T* p, T v) {
  T before = *p;
  *p += v;
  return before;
}
template <typename T>
static inline T atomicMin(T* p, T v) {
  T before = *p;
  if (v < before) *p = v;
  return before;
}

static inline unsigned __byte_perm(unsigned a, unsigned b, unsigned selector) {
  const uint64_t bytes = a | (uint64_t)b << 32;
  unsigned result = 0;
  for (int i = 0; i < 4; i++) result |= (unsigned)(bytes >> (8 * ((selector >> (4 * i)) & 7)) & 255) << (8 * i);
  return result;
}

static inline int dotOfBytes(unsigned a, unsigned b, int sum) {
  for (int i = 0; i < 4; i++) sum += (int)(a >> (8 * i) & 255) * (int)(int8_t)(b >> (8 * i) & 255);
  return sum;
}

// f32 to f16, to nearest, ties to even.
static inline unsigned toF16(float value) {
  const unsigned bits = __float_as_uint(value), sign = bits >> 16 & 0x8000;
  const float magnitude = __uint_as_float(bits & 0x7FFFFFFF);
  if (magnitude != magnitude) return 0x7FFF;
  if (magnitude >= 65520.0f) return sign | 0x7C00;
  if (magnitude < 0x1p-14f)  // subnormal: the unit is 2^-24, and the sum with 0.5 is rounded to that unit
    return sign | (__float_as_uint(magnitude + 0.5f) - __float_as_uint(0.5f));
  const unsigned m = __float_as_uint(magnitude);
  return sign | ((m + 0xFFF + (m >> 13 & 1)) - (112u << 23)) >> 13;
}

static inline float fromF16(unsigned bits) {
  const unsigned sign = (bits & 0x8000) << 16, exponent = bits >> 10 & 31, fraction = bits & 0x3FF;
  if (exponent == 31) return __uint_as_float(sign | 0x7F800000 | fraction << 13);
  const float magnitude = exponent == 0 ? fraction * 0x1p-24f : __uint_as_float((exponent + 112) << 23 | fraction << 13);
  return sign ? -magnitude : magnitude;
}
