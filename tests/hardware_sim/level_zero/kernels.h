/* How a test or a suite gives the simulated Level Zero devices kernels to run: host functions, found by name.
 *
 * The simulated driver takes any SPIR-V module and runs none of it. Instead it loads each library of the colon list
 * MUSTER_SIM_KERNELS and asks its MusterSimKernels() for a table. zeKernelCreate looks a kernel up by its name there.
 * All memory of the simulated devices is memory of the process, so that a kernel reads and writes what its pointers
 * show.
 *
 * C, so that a library in any language can have kernels.
 */
#ifndef MUSTER_TESTS_HARDWARE_SIM_LEVEL_ZERO_KERNELS_H_
#define MUSTER_TESTS_HARDWARE_SIM_LEVEL_ZERO_KERNELS_H_

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define MUSTER_SIM_KERNELS_VERSION 1
/* Of MusterSimKernel.output_argument: the kernel writes no buffer that the table knows; the largest one that it is
 * given counts as its result. */
#define MUSTER_SIM_NO_OUTPUT_ARGUMENT (-1)

/* As zeKernelSetArgumentValue was given it. `value` is null for local memory of `size` bytes. Aligned for any type. */
typedef struct MusterSimArgument {
  const void* value;
  size_t size;
} MusterSimArgument;

/* One launch: group_count times group_size work items in each dimension. Valid during the call. */
typedef struct MusterSimLaunch {
  uint32_t group_size[3];
  uint32_t group_count[3];
  uint64_t global_size[3]; /* Work items: their product. */
  uint32_t argument_count;
  const MusterSimArgument* arguments;
} MusterSimLaunch;

typedef struct MusterSimKernel {
  const char* name;
  uint32_t argument_count;
  /* The pointer argument that the kernel writes its results to: where the scenario's wrong bits go. */
  int32_t output_argument;
  /* The whole launch in one call, on a thread of the driver's; launches of several queues run at the same time. */
  void (*run)(const MusterSimLaunch* launch);
} MusterSimKernel;

typedef struct MusterSimKernelTable {
  uint32_t version; /* MUSTER_SIM_KERNELS_VERSION. */
  uint32_t count;
  const MusterSimKernel* kernels;
} MusterSimKernelTable;

/* What a library of kernels exports. The table lives as long as the process. */
typedef const MusterSimKernelTable* (*MusterSimKernelsFunction)(void);
const MusterSimKernelTable* MusterSimKernels(void);

#ifdef __cplusplus
} /* extern "C" */

/* An argument as a value: MusterSimValue<float*>(launch, 0). */
template <typename Value>
Value MusterSimValue(const MusterSimLaunch* launch, uint32_t index) {
  return *static_cast<const Value*>(launch->arguments[index].value);
}
#endif

#endif /* MUSTER_TESTS_HARDWARE_SIM_LEVEL_ZERO_KERNELS_H_ */
