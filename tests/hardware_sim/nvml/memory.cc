// The simulated NVML: device memory and its errors.
#include <string>

#include "tests/hardware_sim/nvml/call.h"

namespace nvml = muster::sim::nvml;
namespace v1 = muster::v1;
using muster::sim::Call;
using muster::sim::Give;

namespace {

nvml::Return ReadBytes(const Call& call, v1::TelemetryField field, unsigned long long& to) {
  double value = 0;
  const nvml::Return result = call.Read(field, {}, value);
  if (result == nvml::kSuccess) to = static_cast<unsigned long long>(value);
  return result;
}

// One moment's figures: they add up to the total.
nvml::Return ReadMemory(const Call& call, nvml::MemoryV2& memory) {
  nvml::Return result = ReadBytes(call, v1::MEMORY_SIZE, memory.total);
  if (result == nvml::kSuccess) result = ReadBytes(call, v1::MEMORY_USED, memory.used);
  if (result == nvml::kSuccess) result = ReadBytes(call, v1::MEMORY_FREE, memory.free);
  if (result == nvml::kSuccess) result = ReadBytes(call, v1::MEMORY_RESERVED, memory.reserved);
  return result;
}

const char* KindOf(int kind) { return kind == nvml::kCorrected ? "corrected" : "uncorrected"; }
const char* LifetimeOf(int lifetime) { return lifetime == nvml::kVolatile ? "volatile" : "aggregate"; }

bool AreErrorNumbers(int kind, int lifetime) { return kind >= 0 && kind <= 1 && lifetime >= 0 && lifetime <= 1; }

}  // namespace

SIMULATED_NVML nvml::Return nvmlDeviceGetMemoryInfo_v2(nvml::Device device, nvml::MemoryV2* memory) {
  if (memory == nullptr) return nvml::kInvalidArgument;
  if (memory->version != nvml::kMemoryV2) return nvml::kArgumentVersionMismatch;
  const Call call(__func__, device);
  return call.result() == nvml::kSuccess ? ReadMemory(call, *memory) : call.result();
}
// In the first version what is reserved counts as used.
SIMULATED_NVML nvml::Return nvmlDeviceGetMemoryInfo(nvml::Device device, nvml::Memory* memory) {
  if (memory == nullptr) return nvml::kInvalidArgument;
  const Call call(__func__, device);
  if (call.result() != nvml::kSuccess) return call.result();
  nvml::MemoryV2 newer = {};
  if (const nvml::Return result = ReadMemory(call, newer); result != nvml::kSuccess) return result;
  *memory = {.total = newer.total, .free = newer.free, .used = newer.used + newer.reserved};
  return nvml::kSuccess;
}

SIMULATED_NVML nvml::Return nvmlDeviceGetTotalEccErrors(nvml::Device device, int kind, int lifetime,
                                                        unsigned long long* count) {
  if (!AreErrorNumbers(kind, lifetime)) return nvml::kInvalidArgument;
  return Give(__func__, device, count, v1::ECC_ERRORS, {KindOf(kind), "total", LifetimeOf(lifetime)});
}
SIMULATED_NVML nvml::Return nvmlDeviceGetMemoryErrorCounter(nvml::Device device, int kind, int lifetime, int location,
                                                            unsigned long long* count) {
  // In the order of nvmlMemoryLocation_t.
  constexpr const char* kLocations[] = {"l1", "l2", "dram", "register", "texture", "shared", "cbu", "sram"};
  if (!AreErrorNumbers(kind, lifetime) || location < 0 || location > nvml::kLocationSram) return nvml::kInvalidArgument;
  return Give(__func__, device, count, v1::ECC_ERRORS, {KindOf(kind), kLocations[location], LifetimeOf(lifetime)});
}

SIMULATED_NVML nvml::Return nvmlDeviceGetRemappedRows(nvml::Device device, unsigned int* corrected,
                                                      unsigned int* uncorrected, unsigned int* pending,
                                                      unsigned int* failed) {
  nvml::Return result = Give(__func__, device, corrected, v1::ROW_REMAPS, {"corrected"});
  if (result == nvml::kSuccess) result = Give(__func__, device, uncorrected, v1::ROW_REMAPS, {"uncorrected"});
  if (result == nvml::kSuccess) result = Give(__func__, device, pending, v1::ROW_REMAP_PENDING, {});
  if (result == nvml::kSuccess) result = Give(__func__, device, failed, v1::ROW_REMAP_FAILED, {});
  return result;
}
// Of the pages only the number is simulated: their addresses are 0.
SIMULATED_NVML nvml::Return nvmlDeviceGetRetiredPages(nvml::Device device, int cause, unsigned int* count,
                                                      unsigned long long* addresses) {
  if (count == nullptr || cause < 0 || cause > 1) return nvml::kInvalidArgument;
  const unsigned int room = *count;
  const nvml::Return result =
      Give(__func__, device, count, v1::RETIRED_PAGES, {cause == 0 ? "single_bit" : "double_bit"});
  if (result != nvml::kSuccess) return result;
  if (room < *count) return nvml::kInsufficientSize;
  for (unsigned int i = 0; i < *count && addresses != nullptr; ++i) addresses[i] = 0;
  return nvml::kSuccess;
}
SIMULATED_NVML nvml::Return nvmlDeviceGetRetiredPagesPendingStatus(nvml::Device device, int* pending) {
  return Give(__func__, device, pending, v1::RETIRED_PAGES_PENDING, {});
}
