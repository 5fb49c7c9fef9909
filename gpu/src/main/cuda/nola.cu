// What the kernels take from the device and CUDA has no name for, and the kernels. `gpu/build-ptx` compiles this file.
typedef unsigned int u32;

static __device__ __forceinline__ u32 toF16(float value) {
  unsigned short bits;
  asm("cvt.rn.f16.f32 %0, %1;" : "=h"(bits) : "f"(value));
  return bits;
}

static __device__ __forceinline__ float fromF16(u32 bits) {
  float value;
  asm("cvt.f32.f16 %0, %1;" : "=f"(value) : "h"((unsigned short)bits));
  return value;
}

// Adds the products of four unsigned bytes of a and four signed ones of b.
static __device__ __forceinline__ int dotOfBytes(u32 a, u32 b, int sum) {
  int result;
  asm("dp4a.u32.s32 %0, %1, %2, %3;" : "=r"(result) : "r"(a), "r"(b), "r"(sum));
  return result;
}

#include "kernels.cuh"
