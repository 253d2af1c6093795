#include "suites/physical/level_zero_gpu.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "absl/strings/str_cat.h"
#include "suites/sdk/outcome.h"

namespace muster::physical {
namespace {

using sdk::ZeCheck;

// Allocations beyond 4 GiB need kernels that reckon addresses in 64 bits throughout.
constexpr char kBuildFlags[] = "-ze-opt-greater-than-4GB-buffer-required";
constexpr double kMega = 1e6;
constexpr uint64_t kIntegratedPart = 8;
constexpr size_t kMaxLog = 2000;

template <typename F>
F Look(const sdk::LevelZero& library, const char* name) {
  F function = library.Function<F>(name);
  if (function == nullptr)
    throw sdk::ToolError(absl::StrCat("the Level Zero loader lacks ", name, "; install 1.8 or newer"));
  return function;
}

template <typename T>
T Properties(ze_structure_type_t type) {
  T properties = {};
  properties.stype = type;
  return properties;
}

// Level Zero's way to list.
template <typename Item, typename Function>
std::vector<Item> ListOf(const char* call, Function function, ze_device_handle_t device, Item blank) {
  uint32_t count = 0;
  ZeCheck(function(device, &count, nullptr), call);
  std::vector<Item> items(std::min(count, 64u), blank);
  count = static_cast<uint32_t>(items.size());
  if (count > 0) ZeCheck(function(device, &count, items.data()), call);
  items.resize(std::min<size_t>(count, items.size()));
  return items;
}

// One for each driver, for the process's life.
ze_context_handle_t ContextOf(const ZeCalls& ze, ze_driver_handle_t driver) {
  static auto& contexts = *new std::map<ze_driver_handle_t, ze_context_handle_t>;
  ze_context_handle_t& context = contexts[driver];
  if (context != nullptr) return context;
  const auto desc = Properties<ze_context_desc_t>(ZE_STRUCTURE_TYPE_CONTEXT_DESC);
  ZeCheck(ze.zeContextCreate(driver, &desc, &context), "zeContextCreate");
  return context;
}

// Taken from the driver; gone with it.
std::string TakeLog(const ZeCalls& ze, ze_module_build_log_handle_t log) {
  if (log == nullptr) return "";
  size_t size = 0;
  std::string text;
  if (ze.zeModuleBuildLogGetString(log, &size, nullptr) == ZE_RESULT_SUCCESS && size > 0) {
    text.resize(size);
    if (ze.zeModuleBuildLogGetString(log, &size, text.data()) != ZE_RESULT_SUCCESS) text.clear();
    text = text.substr(0, std::min(text.find('\0'), kMaxLog));
  }
  ze.zeModuleBuildLogDestroy(log);
  return text;
}

}  // namespace

#define MUSTER_ZE_LOOK(function) function = Look<decltype(&::function)>(library, #function);
ZeCalls::ZeCalls(const sdk::LevelZero& library){MUSTER_ZE_CALLS(MUSTER_ZE_LOOK)}
#undef MUSTER_ZE_LOOK

LevelZeroGpu& LevelZeroGpu::Of(const sdk::LevelZero& library, const sdk::LevelZero::DeviceHandles& handles) {
  static std::mutex& mutex = *new std::mutex;
  static auto& gpus = *new std::map<ze_device_handle_t, LevelZeroGpu*>;
  std::lock_guard lock(mutex);
  LevelZeroGpu*& gpu = gpus[handles.core];
  if (gpu == nullptr) gpu = new LevelZeroGpu(library, handles);
  return *gpu;
}

LevelZeroGpu::LevelZeroGpu(const sdk::LevelZero& library, const sdk::LevelZero::DeviceHandles& handles)
    : ze_(library), handles_(handles), context_(ContextOf(ze_, handles.driver)) {
  // Since 1.2 of the API: the clock's resolution in ticks a second.
  properties_.stype = ZE_STRUCTURE_TYPE_DEVICE_PROPERTIES_1_2;
  ZeCheck(ze_.zeDeviceGetProperties(device(), &properties_), "zeDeviceGetProperties");
  const auto groups =
      ListOf("zeDeviceGetCommandQueueGroupProperties", ze_.zeDeviceGetCommandQueueGroupProperties, device(),
             Properties<ze_command_queue_group_properties_t>(ZE_STRUCTURE_TYPE_COMMAND_QUEUE_GROUP_PROPERTIES));
  const auto compute = std::find_if(groups.begin(), groups.end(), [](const auto& group) {
    return (group.flags & ZE_COMMAND_QUEUE_GROUP_PROPERTY_FLAG_COMPUTE) != 0;
  });
  if (compute == groups.end()) throw sdk::ToolError("expected a queue for kernels on the device, found none");
  queue_group_ = static_cast<uint32_t>(compute - groups.begin());
  queues_ = std::max(1u, compute->numQueues);
  ReadTraits();
}

void LevelZeroGpu::ReadTraits() {
  auto compute = Properties<ze_device_compute_properties_t>(ZE_STRUCTURE_TYPE_DEVICE_COMPUTE_PROPERTIES);
  ZeCheck(ze_.zeDeviceGetComputeProperties(device(), &compute), "zeDeviceGetComputeProperties");
  auto modules = Properties<ze_device_module_properties_t>(ZE_STRUCTURE_TYPE_DEVICE_MODULE_PROPERTIES);
  ZeCheck(ze_.zeDeviceGetModuleProperties(device(), &modules), "zeDeviceGetModuleProperties");
  traits_.name = properties_.name;
  traits_.units = std::max(1u, properties_.numSlices * properties_.numSubslicesPerSlice);
  for (uint32_t i = 0; i < std::min<uint32_t>(compute.numSubGroupSizes, ZE_SUBGROUPSIZE_COUNT); ++i)
    traits_.subgroup_size = std::max(traits_.subgroup_size, compute.subGroupSizes[i]);
  traits_.local_memory_bytes = compute.maxSharedLocalMemory;
  traits_.fp64 = (modules.flags & ZE_DEVICE_MODULE_FLAG_FP64) != 0;
  for (const auto& cache :
       ListOf("zeDeviceGetCacheProperties", ze_.zeDeviceGetCacheProperties, device(),
              Properties<ze_device_cache_properties_t>(ZE_STRUCTURE_TYPE_DEVICE_CACHE_PROPERTIES))) {
    traits_.last_cache_bytes = std::max<uint64_t>(traits_.last_cache_bytes, cache.cacheSize);
  }
  ReadMemory();
  // Operations of the vector engines: each lane of each has a multiply-add, which is two.
  const double lanes = double{1} * properties_.numEUsPerSubslice * properties_.physicalEUSimdWidth;
  traits_.figures.model = properties_.name;
  traits_.figures.multiprocessors = static_cast<int>(traits_.units);
  traits_.figures.clock_hz = properties_.coreClockRate * kMega;
  traits_.figures.fp32_per_clock = 2 * lanes;
}

// The bandwidth as the driver or sysman says it. Of width and clock nothing: Intel's driver gives its address bits as
// the width of the bus, and nobody says how many transfers its memory clock stands for.
void LevelZeroGpu::ReadMemory() {
  auto blank = Properties<ze_device_memory_properties_t>(ZE_STRUCTURE_TYPE_DEVICE_MEMORY_PROPERTIES);
  auto more = Properties<ze_device_memory_ext_properties_t>(ZE_STRUCTURE_TYPE_DEVICE_MEMORY_EXT_PROPERTIES);
  auto memories = ListOf("zeDeviceGetMemoryProperties", ze_.zeDeviceGetMemoryProperties, device(), blank);
  for (const auto& memory : memories) memory_bytes_ += memory.totalSize;
  // Of the machine's memory, which all else needs too, a small part.
  if ((properties_.flags & ZE_DEVICE_PROPERTY_FLAG_INTEGRATED) != 0) memory_bytes_ /= kIntegratedPart;
  blank.pNext = &more;
  uint32_t one = 1;
  if (memories.size() == 1 && ze_.zeDeviceGetMemoryProperties(device(), &one, &blank) == ZE_RESULT_SUCCESS &&
      more.bandwidthUnit == ZE_BANDWIDTH_UNIT_BYTES_PER_NANOSEC) {
    traits_.figures.memory_bandwidth = more.readBandwidth * 1e9;
  }
  if (traits_.figures.memory_bandwidth > 0) return;
  for (const zes_mem_handle_t memory : SysmanMemories()) {
    zes_mem_bandwidth_t bandwidth = {};
    if (ze_.zesMemoryGetBandwidth(memory, &bandwidth) == ZE_RESULT_SUCCESS)
      traits_.figures.memory_bandwidth += static_cast<double>(bandwidth.maxBandwidth);
  }
}

double LevelZeroGpu::SecondsBetween(uint64_t begin, uint64_t end, double about) const {
  const uint32_t bits = properties_.timestampValidBits;
  const uint64_t mask = bits == 0 || bits >= 64 ? ~uint64_t{0} : (uint64_t{1} << bits) - 1;
  const auto ticks_per_second = static_cast<double>(properties_.timerResolution);
  if (ticks_per_second <= 0) throw sdk::ToolError("expected the resolution of the device's clock, found 0");
  const double seconds = static_cast<double>((end - begin) & mask) / ticks_per_second;
  if (mask == ~uint64_t{0}) return seconds;
  const double period = (static_cast<double>(mask) + 1) / ticks_per_second;
  return seconds + period * std::max(0.0, std::round((about - seconds) / period));
}

ze_command_queue_desc_t LevelZeroGpu::NextQueue() {
  auto desc = Properties<ze_command_queue_desc_t>(ZE_STRUCTURE_TYPE_COMMAND_QUEUE_DESC);
  desc.ordinal = queue_group_;
  desc.index = next_queue_++ % queues_;
  desc.mode = ZE_COMMAND_QUEUE_MODE_ASYNCHRONOUS;
  return desc;
}

// A module with double precision also holds the kernels that it includes: the plainest module with the kernel counts.
ze_kernel_handle_t LevelZeroGpu::CreateKernel(const std::string& name) {
  std::lock_guard lock(mutex_);
  const std::vector<SpirvModule> modules = SpirvModules();
  const SpirvModule* found = nullptr;
  for (const SpirvModule& module : modules) {
    const std::vector<std::string> kernels = KernelNames(module);
    if (std::find(kernels.begin(), kernels.end(), name) == kernels.end()) continue;
    if (found == nullptr || (NeedsDoublePrecision(*found) && !NeedsDoublePrecision(module))) found = &module;
  }
  if (found == nullptr) throw sdk::ToolError(absl::StrCat("no kernel ", name));
  return CreateKernel(Compiled(*found), name);
}

ze_kernel_handle_t LevelZeroGpu::CreateKernel(ze_module_handle_t module, const std::string& name) const {
  auto desc = Properties<ze_kernel_desc_t>(ZE_STRUCTURE_TYPE_KERNEL_DESC);
  desc.pKernelName = name.c_str();
  ze_kernel_handle_t kernel = nullptr;
  ZeCheck(ze_.zeKernelCreate(module, &desc, &kernel), absl::StrCat("zeKernelCreate ", name));
  return kernel;
}

std::string LevelZeroGpu::NativeImage(const std::string& module) {
  std::lock_guard lock(mutex_);
  for (const SpirvModule& one : SpirvModules()) {
    if (module != one.name) continue;
    const ze_module_handle_t compiled = Compiled(one);
    size_t size = 0;
    ZeCheck(ze_.zeModuleGetNativeBinary(compiled, &size, nullptr), "zeModuleGetNativeBinary");
    std::string image(size, '\0');
    ZeCheck(ze_.zeModuleGetNativeBinary(compiled, &size, reinterpret_cast<uint8_t*>(image.data())),
            "zeModuleGetNativeBinary");
    return image;
  }
  throw sdk::ToolError(absl::StrCat("no module ", module));
}

ze_module_handle_t LevelZeroGpu::LoadNative(const std::string& image) const {
  auto desc = Properties<ze_module_desc_t>(ZE_STRUCTURE_TYPE_MODULE_DESC);
  desc.format = ZE_MODULE_FORMAT_NATIVE;
  desc.inputSize = image.size();
  desc.pInputModule = reinterpret_cast<const uint8_t*>(image.data());
  ze_module_handle_t module = nullptr;
  const ze_result_t result = ze_.zeModuleCreate(context_, device(), &desc, &module, nullptr);
  if (result == ZE_RESULT_ERROR_DEVICE_LOST) ZeCheck(result, "zeModuleCreate");
  if (result != ZE_RESULT_SUCCESS) return nullptr;
  uint32_t kernels = 0;
  if (ze_.zeModuleGetKernelNames(module, &kernels, nullptr) == ZE_RESULT_SUCCESS && kernels > 0) return module;
  ze_.zeModuleDestroy(module);
  return nullptr;
}

ze_module_handle_t LevelZeroGpu::Compiled(const SpirvModule& module) {
  ze_module_handle_t& compiled = modules_[module.name];
  if (compiled == nullptr) compiled = Compile(module);
  return compiled;
}

ze_module_handle_t LevelZeroGpu::Compile(const SpirvModule& module) const {
  if (NeedsDoublePrecision(module) && !traits_.fp64) throw sdk::DeviceSkipped("this GPU has no double precision");
  auto desc = Properties<ze_module_desc_t>(ZE_STRUCTURE_TYPE_MODULE_DESC);
  desc.format = ZE_MODULE_FORMAT_IL_SPIRV;
  desc.inputSize = module.words.size_bytes();
  desc.pInputModule = reinterpret_cast<const uint8_t*>(module.words.data());
  desc.pBuildFlags = kBuildFlags;
  ze_module_handle_t compiled = nullptr;
  ze_module_build_log_handle_t log = nullptr;
  const ze_result_t result = ze_.zeModuleCreate(context_, device(), &desc, &compiled, &log);
  const std::string said = TakeLog(ze_, log);
  ZeCheck(result, absl::StrCat("zeModuleCreate of ", module.name, said.empty() ? "" : ", whose compiler said: ", said));
  return compiled;
}

std::vector<zes_mem_handle_t> LevelZeroGpu::SysmanMemories() const {
  uint32_t count = 0;
  if (handles_.sysman == nullptr) return {};
  if (ze_.zesDeviceEnumMemoryModules(handles_.sysman, &count, nullptr) != ZE_RESULT_SUCCESS) return {};
  std::vector<zes_mem_handle_t> memories(std::min(count, 64u));
  count = static_cast<uint32_t>(memories.size());
  if (ze_.zesDeviceEnumMemoryModules(handles_.sysman, &count, memories.data()) != ZE_RESULT_SUCCESS) return {};
  std::vector<zes_mem_handle_t> of_device;
  for (const zes_mem_handle_t memory : memories) {
    zes_mem_properties_t properties = {};
    properties.stype = ZES_STRUCTURE_TYPE_MEM_PROPERTIES;
    if (ze_.zesMemoryGetProperties(memory, &properties) != ZE_RESULT_SUCCESS) return {};
    if (properties.location == ZES_MEM_LOC_DEVICE) of_device.push_back(memory);
  }
  return of_device;
}

uint64_t LevelZeroGpu::FreeBytes() const {
  const uint64_t taken = taken_bytes_;
  const uint64_t not_taken = memory_bytes_ > taken ? memory_bytes_ - taken : 0;
  uint64_t free = 0;
  for (const zes_mem_handle_t memory : SysmanMemories()) {
    zes_mem_state_t state = {};
    state.stype = ZES_STRUCTURE_TYPE_MEM_STATE;
    if (ze_.zesMemoryGetState(memory, &state) != ZE_RESULT_SUCCESS) return not_taken;
    free += state.free;
  }
  return free == 0 ? not_taken : std::min(free, not_taken);
}

}  // namespace muster::physical
