// More words of portable.h: what work items of a group do to each other's values.
//
// Shuffles reach `width` neighbours, a power of two: DeviceTraits.shuffle_width; for CUDA always the whole warp. SPIR-V
// has them by the extension SPV_INTEL_subgroups; how large a sub-group is the device's compiler says, 8 at least on all
// of Intel's. C++ and pocl have none (HAS_SHUFFLES 0).
#ifndef MUSTER_SUITES_PHYSICAL_PORTABLE_EXCHANGE_H_
#define MUSTER_SUITES_PHYSICAL_PORTABLE_EXCHANGE_H_

#include "suites/physical/portable.h"

// Atomics that give the value before, in local and in global memory: u32 everywhere, u64 where HAS_ATOMICS_64 (an
// extension of OpenCL that its environment for SPIR-V refuses).
#if defined(__OPENCL_C_VERSION__)

#define HAS_ATOMICS_64 0
#define ATOMIC_FETCH_ADD(p, v) atomic_add((p), (v))
#define ATOMIC_FETCH_MIN(p, v) atomic_min((p), (v))
#define ATOMIC_FETCH_MAX(p, v) atomic_max((p), (v))
#define ATOMIC_FETCH_AND(p, v) atomic_and((p), (v))
#define ATOMIC_FETCH_OR(p, v) atomic_or((p), (v))
#define ATOMIC_FETCH_XOR(p, v) atomic_xor((p), (v))
#define ATOMIC_EXCHANGE(p, v) atomic_xchg((p), (v))
#define ATOMIC_COMPARE_EXCHANGE(p, expected, v) atomic_cmpxchg((p), (expected), (v))

#elif defined(__CUDACC__)

#define HAS_ATOMICS_64 1
#define ATOMIC_FETCH_ADD(p, v) atomicAdd((p), (v))
#define ATOMIC_FETCH_MIN(p, v) atomicMin((p), (v))
#define ATOMIC_FETCH_MAX(p, v) atomicMax((p), (v))
#define ATOMIC_FETCH_AND(p, v) atomicAnd((p), (v))
#define ATOMIC_FETCH_OR(p, v) atomicOr((p), (v))
#define ATOMIC_FETCH_XOR(p, v) atomicXor((p), (v))
#define ATOMIC_EXCHANGE(p, v) atomicExch((p), (v))
#define ATOMIC_COMPARE_EXCHANGE(p, expected, v) atomicCAS((p), (expected), (v))

#else

#define HAS_ATOMICS_64 1
// Gives the value before.
template <typename Number, typename Change>
Number HostAtomicChange(Number* place, const Change& change) {
  std::atomic_ref<Number> word(*place);
  Number before = word.load();
  while (!word.compare_exchange_weak(before, change(before))) {
  }
  return before;
}
#define HOST_ATOMIC(p, result) HostAtomicChange((p), [&](auto held) -> decltype(held) { return (result); })
#define ATOMIC_FETCH_ADD(p, v) HOST_ATOMIC(p, held + (v))
#define ATOMIC_FETCH_MIN(p, v) HOST_ATOMIC(p, held < (v) ? held : (v))
#define ATOMIC_FETCH_MAX(p, v) HOST_ATOMIC(p, held > (v) ? held : (v))
#define ATOMIC_FETCH_AND(p, v) HOST_ATOMIC(p, held&(v))
#define ATOMIC_FETCH_OR(p, v) HOST_ATOMIC(p, held | (v))
#define ATOMIC_FETCH_XOR(p, v) HOST_ATOMIC(p, held ^ (v))
#define ATOMIC_EXCHANGE(p, v) HOST_ATOMIC(p, (void(held), (v)))
#define ATOMIC_COMPARE_EXCHANGE(p, expected, v) HOST_ATOMIC(p, held == (expected) ? (v) : held)

#endif

#if defined(__CUDACC__)

#define HAS_SHUFFLES 1
#define EVERY_LANE 0xffffffffu
DEVICE_FUNCTION u32 shuffle(u32 width, u32 value, u32 from) { return __shfl_sync(EVERY_LANE, value, (int)from); }
DEVICE_FUNCTION u32 shuffle_xor(u32 width, u32 value, u32 mask) {
  return __shfl_xor_sync(EVERY_LANE, value, (int)mask);
}
DEVICE_FUNCTION u32 shuffle_up(u32 width, u32 value, u32 by) { return __shfl_up_sync(EVERY_LANE, value, by); }
DEVICE_FUNCTION u32 shuffle_down(u32 width, u32 value, u32 by) { return __shfl_down_sync(EVERY_LANE, value, by); }
DEVICE_FUNCTION u32 ballot(u32 width, u32 vote) { return __ballot_sync(EVERY_LANE, (int)vote); }
DEVICE_FUNCTION u32 any_vote(u32 width, u32 vote) { return __any_sync(EVERY_LANE, (int)vote) != 0; }
DEVICE_FUNCTION u32 all_votes(u32 width, u32 vote) { return __all_sync(EVERY_LANE, (int)vote) != 0; }

#elif defined(__SPIR__)

#define HAS_SHUFFLES 1
#pragma OPENCL EXTENSION cl_khr_subgroups : enable
// clang's headers have it for OpenCL's own extensions alone.
uint __attribute__((overloadable)) intel_sub_group_shuffle(uint value, uint from);
uint __attribute__((overloadable)) intel_sub_group_shuffle_xor(uint value, uint mask);
DEVICE_FUNCTION u32 shuffle(u32 width, u32 value, u32 from) {
  return intel_sub_group_shuffle(value, (get_sub_group_local_id() & ~(width - 1)) | from);
}
DEVICE_FUNCTION u32 shuffle_xor(u32 width, u32 value, u32 mask) { return intel_sub_group_shuffle_xor(value, mask); }
DEVICE_FUNCTION u32 shuffle_up(u32 width, u32 value, u32 by) {
  const u32 lane = get_sub_group_local_id() & (width - 1);
  return shuffle(width, value, lane < by ? lane : lane - by);
}
DEVICE_FUNCTION u32 shuffle_down(u32 width, u32 value, u32 by) {
  const u32 lane = get_sub_group_local_id() & (width - 1);
  return shuffle(width, value, lane + by < width ? lane + by : lane);
}
// Ballots are of SPIR-V 1.3; the sum of a bit for each lane is the same.
DEVICE_FUNCTION u32 ballot(u32 width, u32 vote) {
  const u32 lane = get_sub_group_local_id();
  const u32 votes = sub_group_reduce_add((u32)(vote != 0) << (lane & 31));
  return (votes >> (lane & 31 & ~(width - 1))) & (0xffffffffu >> (32 - width));
}
DEVICE_FUNCTION u32 any_vote(u32 width, u32 vote) { return ballot(width, vote) != 0; }
DEVICE_FUNCTION u32 all_votes(u32 width, u32 vote) { return ballot(width, vote) == 0xffffffffu >> (32 - width); }

#else

#define HAS_SHUFFLES 0

#endif

#endif  // MUSTER_SUITES_PHYSICAL_PORTABLE_EXCHANGE_H_
