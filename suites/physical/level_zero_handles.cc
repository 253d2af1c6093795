#include "suites/physical/level_zero_handles.h"

namespace muster::physical {

LevelZeroEvent::LevelZeroEvent(LevelZeroGpu& gpu) : ze_(gpu.ze()) {
  ze_event_pool_desc_t pool = {};
  pool.stype = ZE_STRUCTURE_TYPE_EVENT_POOL_DESC;
  pool.flags = ZE_EVENT_POOL_FLAG_HOST_VISIBLE;
  pool.count = 1;
  ze_device_handle_t device = gpu.device();
  sdk::ZeCheck(ze_.zeEventPoolCreate(gpu.context(), &pool, 1, &device, &pool_), "zeEventPoolCreate");
  ze_event_desc_t event = {};
  event.stype = ZE_STRUCTURE_TYPE_EVENT_DESC;
  event.signal = ZE_EVENT_SCOPE_FLAG_HOST;
  event.wait = ZE_EVENT_SCOPE_FLAG_HOST;
  const ze_result_t result = ze_.zeEventCreate(pool_, &event, &event_);
  if (result == ZE_RESULT_SUCCESS) return;
  ze_.zeEventPoolDestroy(pool_);
  sdk::ZeCheck(result, "zeEventCreate");
}

LevelZeroEvent::~LevelZeroEvent() {
  ze_.zeEventDestroy(event_);
  ze_.zeEventPoolDestroy(pool_);
}

LevelZeroModule::~LevelZeroModule() {
  for (const auto& [name, kernel] : kernels_) gpu_.ze().zeKernelDestroy(kernel);
  gpu_.ze().zeModuleDestroy(module_);
}

ze_kernel_handle_t LevelZeroModule::Find(const std::string& kernel) const {
  const auto known = kernels_.find(kernel);
  if (known != kernels_.end()) return known->second;
  return kernels_[kernel] = gpu_.CreateKernel(module_, kernel);
}

}  // namespace muster::physical
