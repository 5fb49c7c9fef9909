// The kernels of src/main/cuda as a library for the CPU, which FiberKernelsTest loads.
#include "fibers.h"
#include "../../main/cuda/kernels.cuh"

#define CASE(kernel)                                                                        \
  if (!strcmp(name, #kernel)) {                                                             \
    fibers::run(gridX, gridY, threads, order, [&] { kernel(*(const Args*)arguments); });    \
    return 0;                                                                               \
  }
#define FACTOR_CASE(name, threads, body) CASE(name##_f32) CASE(name##_f16) CASE(name##_bf16)

// Launches a kernel. order is the seed of the order in which threads continue; 0 keeps it ascending.
extern "C" int nola_launch(const char* name, unsigned gridX, unsigned gridY, unsigned threads, uint64_t order,
                           const void* arguments) {
  FACTOR_KERNELS(FACTOR_CASE)
  return 1;
}
