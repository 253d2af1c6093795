#include "suites/physical/level_zero_device.h"

#include <algorithm>
#include <chrono>
#include <exception>
#include <fstream>
#include <iterator>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "suites/sdk/outcome.h"

namespace muster::physical {
namespace {

constexpr size_t kAlignment = 256;
constexpr uint64_t kSecond = 1'000'000'000;

bool IsTooMuch(ze_result_t result) {
  return result == ZE_RESULT_ERROR_OUT_OF_DEVICE_MEMORY || result == ZE_RESULT_ERROR_OUT_OF_HOST_MEMORY ||
         result == ZE_RESULT_ERROR_UNSUPPORTED_SIZE;
}

}  // namespace

LevelZeroDevice::LevelZeroDevice(LevelZeroGpu& gpu)
    : gpu_(gpu), ze_(gpu.ze()), queue_(gpu.NextQueue()), done_(std::make_shared<LevelZeroEvent>(gpu)) {
  stamps_ = static_cast<uint64_t*>(AllocateHost(2 * sizeof(uint64_t)));
  if (stamps_ == nullptr) throw sdk::ToolError("expected a few bytes of page-locked memory, found none");
  const ze_result_t result = ze_.zeCommandListCreateImmediate(gpu_.context(), gpu_.device(), &queue_, &list_);
  if (result != ZE_RESULT_SUCCESS) ze_.zeMemFree(gpu_.context(), stamps_);
  Check(result, "zeCommandListCreateImmediate");
}

LevelZeroDevice::~LevelZeroDevice() {
  if (!Settle()) {
    // The device may still write to them.
    new std::vector<std::shared_ptr<LevelZeroEvent>>(std::move(held_));
    new std::shared_ptr<LevelZeroEvent>(std::move(done_));
    return;
  }
  for (const auto& [name, kernel] : kernels_) ze_.zeKernelDestroy(kernel);
  ze_.zeMemFree(gpu_.context(), stamps_);
  ze_.zeCommandListDestroy(list_);
}

std::unique_ptr<ComputeDevice> LevelZeroDevice::OpenQueue() { return std::make_unique<LevelZeroDevice>(gpu_); }

void LevelZeroDevice::Check(ze_result_t result, const char* call) {
  if (result == ZE_RESULT_ERROR_DEVICE_LOST) gone_ = true;
  sdk::ZeCheck(result, call);
}

void LevelZeroDevice::Queued(ze_result_t result, const char* call) {
  Check(result, call);
  Check(ze_.zeCommandListAppendBarrier(list_, nullptr, 0, nullptr), "zeCommandListAppendBarrier");
}

// Never more than is free: Intel's drivers move what does not fit to the host's memory.
void* LevelZeroDevice::Allocate(uint64_t bytes) {
  if (bytes > gpu_.FreeBytes()) return nullptr;
  ze_relaxed_allocation_limits_exp_desc_t relaxed = {};
  relaxed.stype = ZE_STRUCTURE_TYPE_RELAXED_ALLOCATION_LIMITS_EXP_DESC;
  relaxed.flags = ZE_RELAXED_ALLOCATION_LIMITS_EXP_FLAG_MAX_SIZE;
  ze_device_mem_alloc_desc_t desc = {};
  desc.stype = ZE_STRUCTURE_TYPE_DEVICE_MEM_ALLOC_DESC;
  const bool large = bytes > gpu_.largest_allocation();
  if (large) desc.pNext = &relaxed;
  void* memory = nullptr;
  const ze_result_t result = ze_.zeMemAllocDevice(gpu_.context(), &desc, bytes, kAlignment, gpu_.device(), &memory);
  // A driver that does not know the wish for more may answer with any error.
  if (IsTooMuch(result) || (large && result != ZE_RESULT_SUCCESS && result != ZE_RESULT_ERROR_DEVICE_LOST))
    return nullptr;
  Check(result, "zeMemAllocDevice");
  pieces_[memory] = bytes;
  gpu_.Took(bytes);
  return memory;
}

void LevelZeroDevice::Free(void* memory) {
  const auto piece = pieces_.find(memory);
  if (piece == pieces_.end() || !Settle()) return;
  ze_.zeMemFree(gpu_.context(), memory);
  gpu_.Gave(piece->second);
  pieces_.erase(piece);
}

void* LevelZeroDevice::AllocateHost(uint64_t bytes) {
  ze_host_mem_alloc_desc_t desc = {};
  desc.stype = ZE_STRUCTURE_TYPE_HOST_MEM_ALLOC_DESC;
  void* memory = nullptr;
  const ze_result_t result = ze_.zeMemAllocHost(gpu_.context(), &desc, bytes, kAlignment, &memory);
  if (IsTooMuch(result)) return nullptr;
  Check(result, "zeMemAllocHost");
  return memory;
}

void LevelZeroDevice::FreeHost(void* memory) {
  if (memory != nullptr && Settle()) ze_.zeMemFree(gpu_.context(), memory);
}

ze_kernel_handle_t LevelZeroDevice::KernelOf(const KernelLaunch& launch) {
  if (launch.module != nullptr) return dynamic_cast<const LevelZeroModule&>(*launch.module).Find(launch.kernel);
  const auto known = kernels_.find(launch.kernel);
  if (known != kernels_.end()) return known->second;
  return kernels_[launch.kernel] = gpu_.CreateKernel(launch.kernel);
}

void LevelZeroDevice::Launch(const KernelLaunch& launch) {
  if (launch.groups > std::numeric_limits<uint32_t>::max()) {
    throw sdk::ToolError(absl::StrCat(launch.kernel, ": expected fewer than 2^32 groups, found ", launch.groups));
  }
  const ze_kernel_handle_t kernel = KernelOf(launch);
  uint32_t index = 0;
  for (void* const buffer : launch.buffers)
    Check(ze_.zeKernelSetArgumentValue(kernel, index++, sizeof(buffer), &buffer), "zeKernelSetArgumentValue");
  Check(ze_.zeKernelSetArgumentValue(kernel, index++, launch.arguments_size, launch.arguments),
        "zeKernelSetArgumentValue");
  if (launch.local_bytes != 0)
    Check(ze_.zeKernelSetArgumentValue(kernel, index, launch.local_bytes, nullptr), "zeKernelSetArgumentValue");
  Check(ze_.zeKernelSetGroupSize(kernel, launch.group_size, 1, 1), "zeKernelSetGroupSize");
  const ze_group_count_t groups = {static_cast<uint32_t>(launch.groups), 1, 1};
  Queued(ze_.zeCommandListAppendLaunchKernel(list_, kernel, &groups, nullptr, 0, nullptr),
         "zeCommandListAppendLaunchKernel");
}

void LevelZeroDevice::Zero(void* memory, uint64_t bytes) {
  const unsigned char zero = 0;
  Queued(ze_.zeCommandListAppendMemoryFill(list_, memory, &zero, sizeof(zero), bytes, nullptr, 0, nullptr),
         "zeCommandListAppendMemoryFill");
}

bool LevelZeroDevice::IsPlainHostMemory(const void* memory) {
  ze_memory_allocation_properties_t properties = {};
  properties.stype = ZE_STRUCTURE_TYPE_MEMORY_ALLOCATION_PROPERTIES;
  Check(ze_.zeMemGetAllocProperties(gpu_.context(), memory, &properties, nullptr), "zeMemGetAllocProperties");
  return properties.type == ZE_MEMORY_TYPE_UNKNOWN;
}

void LevelZeroDevice::Copy(void* to, const void* from, uint64_t bytes) {
  Queued(ze_.zeCommandListAppendMemoryCopy(list_, to, from, bytes, nullptr, 0, nullptr),
         "zeCommandListAppendMemoryCopy");
  // The caller may change or free plain memory when the call has returned.
  if (IsPlainHostMemory(to) || IsPlainHostMemory(from)) Wait();
}

void LevelZeroDevice::ReadBack(void* host, const void* memory, uint64_t bytes) {
  Queued(ze_.zeCommandListAppendMemoryCopy(list_, host, memory, bytes, nullptr, 0, nullptr),
         "zeCommandListAppendMemoryCopy");
  Wait();
}

bool LevelZeroDevice::WaitSlices(uint64_t slices, uint64_t slice_ns) {
  Check(ze_.zeCommandListAppendBarrier(list_, done_->handle(), 0, nullptr), "zeCommandListAppendBarrier");
  ze_result_t result = ZE_RESULT_NOT_READY;
  for (uint64_t i = 0; i < slices && result == ZE_RESULT_NOT_READY; ++i)
    result = ze_.zeEventHostSynchronize(done_->handle(), slice_ns);
  if (result == ZE_RESULT_NOT_READY) {
    held_.push_back(std::exchange(done_, std::make_shared<LevelZeroEvent>(gpu_)));
    return false;
  }
  Check(result, "zeEventHostSynchronize");
  Check(ze_.zeEventHostReset(done_->handle()), "zeEventHostReset");
  held_.clear();
  return true;
}

void LevelZeroDevice::Wait() {
  if (WaitSlices(kWaitLimitSeconds, kSecond)) return;
  gone_ = true;
  throw sdk::DeviceFailure(absl::StrCat("the device hangs: expected its queue to end within ", kWaitLimitSeconds,
                                        " s, found it at work; look for i915 or xe lines in the kernel log"));
}

bool LevelZeroDevice::WaitAtMost(double seconds) {
  return WaitSlices(1, static_cast<uint64_t>(std::max(0.0, seconds) * kSecond));
}

std::unique_ptr<QueueEvent> LevelZeroDevice::Record() {
  auto event = std::make_shared<LevelZeroEvent>(gpu_);
  held_.push_back(event);
  Check(ze_.zeCommandListAppendBarrier(list_, event->handle(), 0, nullptr), "zeCommandListAppendBarrier");
  return std::make_unique<LevelZeroQueueEvent>(event);
}

void LevelZeroDevice::WaitFor(const QueueEvent& event) {
  held_.push_back(dynamic_cast<const LevelZeroQueueEvent&>(event).event);
  ze_event_handle_t handle = held_.back()->handle();
  Queued(ze_.zeCommandListAppendWaitOnEvents(list_, 1, &handle), "zeCommandListAppendWaitOnEvents");
}

std::unique_ptr<QueuedWork> LevelZeroDevice::Capture(const std::function<void()>& queue) {
  auto work = std::make_unique<LevelZeroQueuedWork>(gpu_, queue_, list_, [this] { return Settle(); });
  const ze_command_list_handle_t immediate = std::exchange(list_, work->list());
  try {
    queue();
  } catch (...) {
    list_ = immediate;
    throw;
  }
  list_ = immediate;
  work->Close();
  return work;
}

std::unique_ptr<KernelModule> LevelZeroDevice::LoadModule(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  const ze_module_handle_t module = gpu_.LoadNative(std::string(std::istreambuf_iterator<char>(file), {}));
  if (module == nullptr) return nullptr;
  return std::make_unique<LevelZeroModule>(gpu_, module);
}

bool LevelZeroDevice::Settle() {
  if (gone_) return false;
  try {
    Wait();
    return true;
  } catch (const std::exception&) {
    return false;
  }
}

bool LevelZeroDevice::ReachPeer(ComputeDevice& peer) {
  const auto* const other = dynamic_cast<const LevelZeroDevice*>(&peer);
  if (other == nullptr || other->gpu_.context() != gpu_.context()) return false;
  if (&other->gpu_ == &gpu_) return true;
  ze_bool_t reaches = 0;
  Check(ze_.zeDeviceCanAccessPeer(gpu_.device(), other->gpu_.device(), &reaches), "zeDeviceCanAccessPeer");
  return reaches != 0;
}

void LevelZeroDevice::Stamp(uint64_t* place) {
  Queued(ze_.zeCommandListAppendWriteGlobalTimestamp(list_, place, nullptr, 0, nullptr),
         "zeCommandListAppendWriteGlobalTimestamp");
}

double LevelZeroDevice::Seconds(const std::function<void()>& queue) {
  const auto start = std::chrono::steady_clock::now();
  Stamp(&stamps_[0]);
  queue();
  Stamp(&stamps_[1]);
  Wait();
  const double about = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return gpu_.SecondsBetween(stamps_[0], stamps_[1], about);
}

}  // namespace muster::physical
