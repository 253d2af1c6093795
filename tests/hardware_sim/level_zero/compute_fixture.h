// What the tests of the core side share: a context, memory, queues and lists of the simulated devices.
#ifndef MUSTER_TESTS_HARDWARE_SIM_LEVEL_ZERO_COMPUTE_FIXTURE_H_
#define MUSTER_TESTS_HARDWARE_SIM_LEVEL_ZERO_COMPUTE_FIXTURE_H_

#include <string>
#include <vector>

#include "tests/hardware_sim/level_zero/level_zero_fixture.h"

namespace muster::sim::ze {

class ComputeTest : public LevelZeroTest {
 protected:
  // Start(), and a context.
  void StartContext();

  void* Allocate(size_t bytes, size_t device = 0);
  void* AllocateHost(size_t bytes);
  ze_command_queue_handle_t MakeQueue(ze_command_queue_mode_t mode = ZE_COMMAND_QUEUE_MODE_ASYNCHRONOUS,
                                      size_t device = 0);
  ze_command_list_handle_t MakeList(size_t device = 0);
  ze_command_list_handle_t MakeImmediateList(ze_command_queue_mode_t mode = ZE_COMMAND_QUEUE_MODE_ASYNCHRONOUS,
                                             size_t device = 0);
  // Each of a pool of its own, with time stamps.
  ze_event_handle_t MakeEvent();
  // A module of the smallest SPIR-V there is, which names no entry points, and a kernel of it.
  ze_module_handle_t MakeModule(size_t device = 0);
  ze_kernel_handle_t MakeKernel(const char* name, size_t device = 0);
  template <typename Value>
  static void SetArgument(ze_kernel_handle_t kernel, uint32_t index, const Value& value) {
    ASSERT_EQ(zeKernelSetArgumentValue(kernel, index, sizeof(value), &value), ZE_RESULT_SUCCESS);
  }

  // fill_with_hash of `count` numbers on the device, copied back; and the same by the host.
  std::vector<uint32_t> HashOnDevice(uint32_t count, uint32_t seed, size_t device = 0);
  static std::vector<uint32_t> HashOnHost(uint32_t count, uint32_t seed);

  ze_context_handle_t context_ = nullptr;
};

}  // namespace muster::sim::ze

#endif  // MUSTER_TESTS_HARDWARE_SIM_LEVEL_ZERO_COMPUTE_FIXTURE_H_
