// A driver without a GPU: the functions of libcuda.so.1 that dev.nola.gpu.Driver calls, with memory of the host and kernels
// that run on fibers. Tests load it in place of NVIDIA's, and let it fail as that one would.
#include <chrono>
#include <cstdlib>
#include <map>
#include <mutex>
#include <set>
#include <string>

#include "fibers.h"
#include "../../main/cuda/kernels.cuh"

namespace {
const int SUCCESS = 0, INVALID_VALUE = 1, OUT_OF_MEMORY = 2, NO_DEVICE = 100, INVALID_DEVICE = 101, INVALID_CONTEXT = 201,
          NO_BINARY = 209, NOT_FOUND = 500, OUT_OF_RESOURCES = 701;

struct Settings {
  long version = 13000, devices = 1, memory = 4l << 30, order = 0, capability = 90, launchError = 0, refuseCubins = 0,
       initError = 0, kernelError = 0, failAfter = -1;
} settings;

struct Kernel {
  const char* name;
  void (*run)(unsigned gridX, unsigned gridY, unsigned threads, const void* argument);
};

#define KERNEL(name, Argument)                                                                                  \
  {#name, [](unsigned gridX, unsigned gridY, unsigned threads, const void* argument) {                          \
     fibers::run(gridX, gridY, threads, (uint64_t)settings.order, [=] { name(*(const Argument*)argument); });   \
   }},
#define FACTOR(name, threads, body) KERNEL(name##_f32, Args) KERNEL(name##_f16, Args) KERNEL(name##_bf16, Args)

const Kernel KERNELS[] = {
    FACTOR_KERNELS(FACTOR)
    KERNEL(leaves, LeavesArgs)
    KERNEL(merge_f32, MergeArgs) KERNEL(merge_f16, MergeArgs) KERNEL(merge_bf16, MergeArgs)
    KERNEL(mergeMany_f32, MergeArgs) KERNEL(mergeMany_f16, MergeArgs) KERNEL(mergeMany_bf16, MergeArgs)
    KERNEL(mergeSlice_f32, MergeArgs) KERNEL(mergeSlice_f16, MergeArgs) KERNEL(mergeSlice_bf16, MergeArgs)
    KERNEL(projectSrhtTile, ProjectArgs) KERNEL(projectSrhtColumns, ProjectArgs) KERNEL(projectSrhtSmall, ProjectArgs)
    KERNEL(projectUniform24, ProjectArgs) KERNEL(projectUniform8, ProjectArgs) KERNEL(projectRademacher, ProjectArgs)
    KERNEL(projectIdentity, ProjectArgs)};

// Bytes after each allocation that nothing may write.
const size_t GUARD = 64;
const unsigned char GUARD_BYTE = 0xA5;

struct Event {
  std::chrono::steady_clock::time_point time;
};

std::mutex lock;
std::map<uint64_t, size_t> allocations;
std::map<std::string, long> launches;
std::set<Event*> events;
std::set<void*> hostMemory;
std::set<void*> modules;
int contexts;
size_t allocated;
int lost;  // the error of the kernel that lost the context
int failing;  // the error of a kernel that was launched and fails while it runs
int context;
thread_local void* current;

// Whether an allocation contains a range.
bool inside(uint64_t address, size_t bytes) {
  auto next = allocations.upper_bound(address);
  if (next == allocations.begin()) return false;
  auto found = std::prev(next);
  return address + bytes <= found->first + found->second;
}

// Whether an allocation contains a range, or another library manages it, whose memory is the host's too.
bool usable(uint64_t address, size_t bytes) {
  auto next = allocations.upper_bound(address);
  bool foreign = next == allocations.begin() || address >= std::prev(next)->first + std::prev(next)->second + GUARD;
  return foreign || inside(address, bytes);
}

void deleteEvents() {
  for (Event* event : events) delete event;
  events.clear();
}

// Whether this call is the one that fails for no reason.
bool injected() { return settings.failAfter >= 0 && settings.failAfter-- == 0; }

// Fails as a kernel does that loses the context, and all memory with it.
int lose(int error) {
  for (auto& allocation : allocations) free((void*)allocation.first);
  allocations.clear();
  allocated = 0;
  for (void* memory : hostMemory) free(memory);
  hostMemory.clear();
  for (void* module : modules) free(module);
  modules.clear();
  deleteEvents();
  return lost = error;
}

int check() { return lost ? lost : current ? SUCCESS : INVALID_CONTEXT; }

// Waits for what was launched, which is when the error of a kernel shows.
int wait() {
  if (!failing) return SUCCESS;
  int error = failing;
  failing = 0;
  return lose(error);
}
}  // namespace

#define REQUIRE_CONTEXT()                    \
  std::lock_guard<std::mutex> guard(lock);   \
  if (int error = check()) return error
// Of functions that acquire or use something.
#define REQUIRE_SUCCESS() \
  REQUIRE_CONTEXT();      \
  if (injected()) return INVALID_VALUE
#define WAIT() \
  if (int error = wait()) return error

extern "C" {
// Sets what the next calls do.
int standin_set(const char* name, long value) {
#define SET(field) if (!strcmp(name, #field)) { settings.field = value; return 0; }
  SET(version) SET(devices) SET(memory) SET(order) SET(capability) SET(launchError) SET(refuseCubins)
  SET(initError) SET(kernelError) SET(failAfter)
  return 1;
}

// Returns the number of things of a kind that were not freed.
int standin_held(const char* kind) {
  if (!strcmp(kind, "allocations")) return (int)allocations.size();
  if (!strcmp(kind, "host memory")) return (int)hostMemory.size();
  if (!strcmp(kind, "events")) return (int)events.size();
  if (!strcmp(kind, "modules")) return (int)modules.size();
  if (!strcmp(kind, "contexts")) return contexts;
  return -1;
}

// Returns how often a kernel was launched.
long standin_launches(const char* name) { return launches[name]; }

int cuInit(unsigned) {
  lost = failing = 0;
  if (settings.initError) return (int)settings.initError;
  return settings.devices ? SUCCESS : NO_DEVICE;
}
int cuDriverGetVersion(int* version) { *version = (int)settings.version; return SUCCESS; }
int cuDeviceGetCount(int* count) { *count = (int)settings.devices; return SUCCESS; }
int cuDeviceGet(int* device, int ordinal) {
  *device = ordinal;
  return ordinal < settings.devices ? SUCCESS : INVALID_DEVICE;
}
int cuDeviceGetName(char* name, int length, int) { strncpy(name, "Fibers", length); return SUCCESS; }
int cuDeviceGetAttribute(int* value, int attribute, int) {
  *value = attribute == 75 ? (int)settings.capability / 10 : attribute == 76 ? (int)settings.capability % 10 : 1;
  return SUCCESS;
}
int cuDevicePrimaryCtxRetain(void** retained, int) {
  if (injected()) return INVALID_VALUE;
  contexts++;
  *retained = &context;
  return SUCCESS;
}
int cuDevicePrimaryCtxRelease_v2(int) {
  contexts--;
  return injected() ? INVALID_VALUE : SUCCESS;
}
int cuCtxSetCurrent(void* context) { current = context; return lost; }
int cuCtxSynchronize() { REQUIRE_SUCCESS(); WAIT(); return SUCCESS; }
int cuModuleLoadData(void** module, const char* image) {
  REQUIRE_SUCCESS();
  if (settings.refuseCubins && !strncmp(image, "\177ELF", 4)) return NO_BINARY;
  modules.insert(*module = malloc(1));
  return SUCCESS;
}
int cuModuleUnload(void* module) {
  REQUIRE_CONTEXT();
  if (!modules.erase(module)) return INVALID_VALUE;
  free(module);
  return injected() ? INVALID_VALUE : SUCCESS;
}
int cuModuleGetFunction(const Kernel** function, void*, const char* name) {
  REQUIRE_SUCCESS();
  for (const Kernel& kernel : KERNELS)
    if (!strcmp(kernel.name, name)) { *function = &kernel; return SUCCESS; }
  return NOT_FOUND;
}
int cuMemAlloc_v2(uint64_t* address, size_t bytes) {
  REQUIRE_SUCCESS();
  if (bytes == 0) return INVALID_VALUE;
  if (allocated + bytes > (size_t)settings.memory) return OUT_OF_MEMORY;
  unsigned char* memory = (unsigned char*)aligned_alloc(256, (bytes + GUARD + 255) / 256 * 256);
  memset(memory, 0xCC, bytes);
  memset(memory + bytes, GUARD_BYTE, GUARD);
  *address = (uint64_t)memory;
  allocations[*address] = bytes;
  allocated += bytes;
  return SUCCESS;
}
int cuMemFree_v2(uint64_t address) {
  REQUIRE_CONTEXT();
  WAIT();
  auto found = allocations.find(address);
  if (found == allocations.end()) return INVALID_VALUE;
  const unsigned char* end = (const unsigned char*)address + found->second;
  bool intact = true;
  for (size_t i = 0; i < GUARD; i++) intact &= end[i] == GUARD_BYTE;
  allocated -= found->second;
  allocations.erase(found);
  free((void*)address);
  return intact && !injected() ? SUCCESS : INVALID_VALUE;
}
int cuMemGetInfo_v2(size_t* free, size_t* total) {
  REQUIRE_CONTEXT();
  *free = settings.memory - allocated;
  *total = settings.memory;
  return SUCCESS;
}
int cuMemsetD8_v2(uint64_t address, int value, size_t bytes) {
  REQUIRE_SUCCESS();
  if (!inside(address, bytes)) return INVALID_VALUE;
  memset((void*)address, value, bytes);
  return SUCCESS;
}
int cuMemHostAlloc(void** memory, size_t bytes, int) {
  REQUIRE_SUCCESS();
  hostMemory.insert(*memory = malloc(bytes));
  return SUCCESS;
}
int cuMemFreeHost(void* memory) {
  REQUIRE_CONTEXT();
  if (!hostMemory.erase(memory)) return INVALID_VALUE;
  free(memory);
  return injected() ? INVALID_VALUE : SUCCESS;
}
int cuMemcpyHtoD_v2(uint64_t target, const void* source, size_t bytes) {
  REQUIRE_SUCCESS();
  WAIT();
  if (!inside(target, bytes)) return INVALID_VALUE;
  memcpy((void*)target, source, bytes);
  return SUCCESS;
}
int cuMemcpyDtoH_v2(void* target, uint64_t source, size_t bytes) {
  REQUIRE_SUCCESS();
  WAIT();
  if (!inside(source, bytes)) return INVALID_VALUE;
  memcpy(target, (const void*)source, bytes);
  return SUCCESS;
}
int cuMemcpyDtoD_v2(uint64_t target, uint64_t source, size_t bytes) {
  REQUIRE_SUCCESS();
  bool known = inside(target, bytes) || inside(source, bytes);
  if (!known || !usable(target, bytes) || !usable(source, bytes)) return INVALID_VALUE;
  memcpy((void*)target, (const void*)source, bytes);
  return SUCCESS;
}
int cuLaunchKernel(const Kernel* kernel, unsigned gridX, unsigned gridY, unsigned gridZ, unsigned threads, unsigned threadsY,
                   unsigned threadsZ, unsigned shared, void* stream, void** parameters, void** extra) {
  REQUIRE_SUCCESS();
  if (!gridX || !gridY || gridY > 65535 || gridZ != 1 || threadsY != 1 || threadsZ != 1 || shared || stream || extra)
    return INVALID_VALUE;
  if (settings.launchError == OUT_OF_RESOURCES) return OUT_OF_RESOURCES;
  if (settings.launchError) return lose((int)settings.launchError);
  launches[kernel->name]++;
  if (settings.kernelError) failing = (int)settings.kernelError;
  kernel->run(gridX, gridY, threads, parameters[0]);
  return SUCCESS;
}
int cuEventCreate(Event** event, int) {
  REQUIRE_SUCCESS();
  events.insert(*event = new Event());
  return SUCCESS;
}
int cuEventRecord(Event* event, void*) {
  REQUIRE_SUCCESS();
  event->time = std::chrono::steady_clock::now();
  return SUCCESS;
}
int cuEventSynchronize(Event*) { REQUIRE_SUCCESS(); WAIT(); return SUCCESS; }
int cuEventElapsedTime(float* milliseconds, const Event* start, const Event* end) {
  *milliseconds = std::chrono::duration<float, std::milli>(end->time - start->time).count();
  return SUCCESS;
}
int cuEventDestroy_v2(Event* event) {
  REQUIRE_CONTEXT();
  if (!events.erase(event)) return INVALID_VALUE;
  delete event;
  return injected() ? INVALID_VALUE : SUCCESS;
}
int cuGetErrorString(int error, const char** text) {
  switch (error) {
    case OUT_OF_MEMORY: *text = "out of memory"; break;
    case NO_DEVICE: *text = "no CUDA-capable device is detected"; break;
    case 34: *text = "CUDA driver is a stub library"; break;
    case 214: *text = "uncorrectable ECC error encountered"; break;
    case 700: *text = "an illegal memory access was encountered"; break;
    case OUT_OF_RESOURCES: *text = "too many resources requested for launch"; break;
    case NO_BINARY: *text = "no kernel image is available for execution on the device"; break;
    default: return INVALID_VALUE;
  }
  return SUCCESS;
}
}
