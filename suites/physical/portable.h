// One kernel source for CUDA C++, OpenCL C and plain C++: the words in which they differ.
//
// A kernel file (*.kernels.h) is written in what the three share, C with these macros, and included by one file for
// each (all_kernels.h: cuda_kernels.cu, host_device.cc), and compiled as it is with `clang -x cl`. A kernel's
// parameters are its buffers and then one struct of arguments by value, which holds no pointer. On the host a kernel
// runs one work item after the other (host_device.h).
//
// A kernel whose work items exchange values has LOCAL_PARAMETER after its last parameter, without a comma, begins with
// LOCAL_POINTER(name) and may BARRIER, which all work items of the group must reach; name is a LOCAL u32*, of
// KernelLaunch.local_bytes, aligned to 16 bytes. On the host each work item of such a group is a
// context of its own (host_group.h).
//
// ATOMIC_ADD_ACROSS adds 32 bits where other devices add at the same time.
//
// FLOAT_TO_INT and DOUBLE_TO_INT cut off the fraction; what is too large becomes the largest. Of what is no number
// FLOAT_TO_INT makes 0, DOUBLE_TO_INT does so in OpenCL and on the host, and CUDA's makes the smallest (PTX, "cvt").
//
// UNIT_ID: which multiprocessor the work item runs on, where DeviceTraits.names_units. CLOCK_NS: a clock of the device
// in nanoseconds, where HAS_CLOCK. PAUSE: a short rest of a work item that waits.
#ifndef MUSTER_SUITES_PHYSICAL_PORTABLE_H_
#define MUSTER_SUITES_PHYSICAL_PORTABLE_H_

#if defined(__OPENCL_C_VERSION__)

typedef uint u32;
typedef ulong u64;
typedef long i64;  // "long long" has 128 bits here.
typedef uint4 u32x4;
// In two halves: 64-bit atomics are an extension, which spirv-val refuses in OpenCL's environment. Sums come out whole;
// of the value before only the lower half is known.
static inline u64 atomic_add_halves(volatile __global u64* to, u64 value) {
  volatile __global u32* const halves = (volatile __global u32*)to;
  const u32 low = (u32)value;
  const u32 before = atomic_add(halves, low);
  const u32 high = (u32)(value >> 32) + (before + low < low ? 1u : 0u);
  if (high != 0) atomic_add(halves + 1, high);
  return before;
}
#define KERNEL __kernel void
#define GLOBAL __global
#define DEVICE_FUNCTION static inline
#define GROUP_ID ((u64)get_group_id(0))
#define GROUPS ((u64)get_num_groups(0))
#define LOCAL_ID ((u64)get_local_id(0))
#define GROUP_SIZE ((u64)get_local_size(0))
#define MAKE_U32X4(a, b, c, d) ((u32x4)((a), (b), (c), (d)))
#define LOAD_STREAMING(p) (*(p))
#define STORE_STREAMING(p, v) (*(p) = (v))
#define LOAD_PAST_CACHES(p) (*(volatile GLOBAL u32x4*)(p))
#define ATOMIC_INCREMENT(p) atomic_add_halves((p), 1)
#define ATOMIC_ADD(p, v) ((void)atomic_add_halves((p), (v)))
#define ATOMIC_ADD_ACROSS(p, v) ((void)atomic_add((p), (v)))
#define ATOMIC_INCREMENT_U32(p) atomic_inc(p)
#define FLOAT_TO_INT(f) convert_int_sat_rtz(f)
#define DOUBLE_TO_INT(f) convert_int_sat_rtz(f)
#define AS_FLOAT(u) as_float(u)
#define AS_DOUBLE(u) as_double(u)
#define FLOAT_BITS(f) as_uint(f)
#define DOUBLE_BITS(f) as_ulong(f)
#define UNROLL _Pragma("unroll")
#define LOCAL __local
#define LOCAL_PARAMETER , __local u32x4* local_memory
#define LOCAL_POINTER(name) __local u32* const name = (__local u32*)local_memory
#define BARRIER barrier(CLK_LOCAL_MEM_FENCE | CLK_GLOBAL_MEM_FENCE)
#define UNIT_ID 0u
#define HAS_CLOCK 0
#define CLOCK_NS ((u64)0)
#define PAUSE

#elif defined(__CUDACC__)

#include <cstdint>
typedef uint32_t u32;
typedef unsigned long long u64;
typedef long long i64;
typedef uint4 u32x4;
#define KERNEL extern "C" __global__ void __launch_bounds__(512)
#define GLOBAL
#define DEVICE_FUNCTION static __device__ __forceinline__
#define GROUP_ID ((u64)blockIdx.x)
#define GROUPS ((u64)gridDim.x)
#define LOCAL_ID ((u64)threadIdx.x)
#define GROUP_SIZE ((u64)blockDim.x)
#define MAKE_U32X4(a, b, c, d) make_uint4((a), (b), (c), (d))
#define LOAD_STREAMING(p) __ldcs(p)
#define STORE_STREAMING(p, v) __stcs((p), (v))
#define LOAD_PAST_CACHES(p) __ldcv(p)
#define ATOMIC_INCREMENT(p) atomicAdd((p), 1ull)
#define ATOMIC_ADD(p, v) atomicAdd((p), (v))
#define ATOMIC_ADD_ACROSS(p, v) atomicAdd_system((p), (v))
#define ATOMIC_INCREMENT_U32(p) atomicAdd((p), 1u)
#define FLOAT_TO_INT(f) __float2int_rz(f)
#define DOUBLE_TO_INT(f) __double2int_rz(f)
#define AS_FLOAT(u) __uint_as_float(u)
#define AS_DOUBLE(u) __longlong_as_double((long long)(u))
#define FLOAT_BITS(f) __float_as_uint(f)
#define DOUBLE_BITS(f) ((u64)__double_as_longlong(f))
#define UNROLL _Pragma("unroll")
#define LOCAL
#define LOCAL_PARAMETER
#define LOCAL_POINTER(name)                    \
  extern __shared__ u32x4 cuda_local_memory[]; \
  u32* const name = (u32*)cuda_local_memory
#define BARRIER __syncthreads()
DEVICE_FUNCTION u32 cuda_unit_id() {
  u32 unit;
  asm volatile("mov.u32 %0, %%smid;" : "=r"(unit));
  return unit;
}
#define UNIT_ID cuda_unit_id()
#define HAS_CLOCK 1
DEVICE_FUNCTION u64 cuda_clock_ns() {
  u64 now;
  asm volatile("mov.u64 %0, %%globaltimer;" : "=l"(now));
  return now;
}
#define CLOCK_NS cuda_clock_ns()
#define PAUSE __nanosleep(200)

#else

#include <atomic>
#include <bit>
#include <cstdint>
typedef uint32_t u32;
typedef unsigned long long u64;
typedef long long i64;
struct u32x4 {
  u32 x, y, z, w;
};
// As a GPU converts: what is too large becomes the largest, what is no number becomes zero.
inline int HostToInt(double number) {
  if (number != number) return 0;
  return number >= 2147483647.0 ? 2147483647 : number <= -2147483648.0 ? -2147483647 - 1 : static_cast<int>(number);
}
// Which work item runs; set by HostDevice.
struct HostWorkItem {
  u64 group, groups, local, group_size;
};
inline thread_local HostWorkItem host_work_item;
// Of the group with local memory that runs.
inline thread_local void* host_local_memory = nullptr;
// Lets the other work items of the group come as far.
inline thread_local void (*host_barrier)() = nullptr;
// Marks a kernel with local memory.
struct HostLocalMemory {};
template <typename Number>
Number HostAtomicAdd(Number* to, Number value) {
  return std::atomic_ref<Number>(*to).fetch_add(value, std::memory_order_relaxed);
}
#define KERNEL inline void
#define GLOBAL
#define DEVICE_FUNCTION static inline
#define GROUP_ID (host_work_item.group)
#define GROUPS (host_work_item.groups)
#define LOCAL_ID (host_work_item.local)
#define GROUP_SIZE (host_work_item.group_size)
#define MAKE_U32X4(a, b, c, d) (u32x4{(a), (b), (c), (d)})
#define LOAD_STREAMING(p) (*(p))
#define STORE_STREAMING(p, v) (*(p) = (v))
#define LOAD_PAST_CACHES(p) (*(p))
#define ATOMIC_INCREMENT(p) HostAtomicAdd<u64>((p), 1)
#define ATOMIC_ADD(p, v) ((void)HostAtomicAdd<u64>((p), (v)))
#define ATOMIC_ADD_ACROSS(p, v) ((void)HostAtomicAdd<u32>((p), (v)))
#define ATOMIC_INCREMENT_U32(p) HostAtomicAdd<u32>((p), 1)
#define FLOAT_TO_INT(f) HostToInt(f)
#define DOUBLE_TO_INT(f) HostToInt(f)
#define AS_FLOAT(u) std::bit_cast<float>(static_cast<u32>(u))
#define AS_DOUBLE(u) std::bit_cast<double>(static_cast<u64>(u))
#define FLOAT_BITS(f) std::bit_cast<u32>(static_cast<float>(f))
#define DOUBLE_BITS(f) std::bit_cast<u64>(static_cast<double>(f))
#define UNROLL
#define LOCAL
#define LOCAL_PARAMETER , HostLocalMemory
#define LOCAL_POINTER(name) u32* const name = static_cast<u32*>(host_local_memory)
#define BARRIER host_barrier()
// As many as HostDevice says that it has.
#define HOST_UNITS 4
#define UNIT_ID ((u32)(host_work_item.group % HOST_UNITS))
#define HAS_CLOCK 0
#define CLOCK_NS ((u64)0)
#define PAUSE

#endif

// Every input its own output (a multiplication by an odd number and x ^ x >> n both turn round); the constants are
// those of the "lowbias32" search by C. Wellons (public domain).
DEVICE_FUNCTION u32 mix_bits(u32 x) {
  x ^= x >> 16;
  x *= 0x7feb352du;
  x ^= x >> 15;
  x *= 0x846ca68bu;
  return x ^ (x >> 16);
}

#endif  // MUSTER_SUITES_PHYSICAL_PORTABLE_H_
