// One kernel source for CUDA C++, OpenCL C and plain C++: the words in which they differ.
//
// A kernel file (*.kernels.h) is written in what the three share, C with these macros, and included by one file for
// each: NAME_cuda.cu, NAME_host.cc, and compiled as it is with `clang -x cl`. A kernel's parameters are its buffers and
// then one struct of arguments by value, which holds no pointer. On the host a kernel runs one work item after the
// other (host_device.h).
#ifndef MUSTER_SUITES_PHYSICAL_PORTABLE_H_
#define MUSTER_SUITES_PHYSICAL_PORTABLE_H_

#if defined(__OPENCL_C_VERSION__)

#pragma OPENCL EXTENSION cl_khr_int64_base_atomics : enable
typedef uint u32;
typedef ulong u64;
typedef uint4 u32x4;
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
#define ATOMIC_INCREMENT(p) atom_inc(p)
#define UNROLL _Pragma("unroll")

#elif defined(__CUDACC__)

#include <cstdint>
typedef uint32_t u32;
typedef unsigned long long u64;
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
#define UNROLL _Pragma("unroll")

#else

#include <cstdint>
typedef uint32_t u32;
typedef unsigned long long u64;
struct u32x4 {
  u32 x, y, z, w;
};
// Which work item runs; set by HostDevice.
struct HostWorkItem {
  u64 group, groups, local, group_size;
};
inline thread_local HostWorkItem host_work_item;
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
#define ATOMIC_INCREMENT(p) ((*(p))++)
#define UNROLL

#endif

#endif  // MUSTER_SUITES_PHYSICAL_PORTABLE_H_
