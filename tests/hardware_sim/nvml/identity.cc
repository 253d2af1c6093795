// The simulated NVML: what a device is.
#include <algorithm>
#include <cstdio>
#include <string>

#include "absl/strings/ascii.h"
#include "tests/hardware_sim/nvml/call.h"

namespace nvml = muster::sim::nvml;
namespace v1 = muster::v1;
using muster::sim::Call;
using muster::sim::DeviceFacts;
using muster::sim::GiveText;

namespace {

nvml::Return GiveFact(const char* function, nvml::Device device, char* to, unsigned int size,
                      std::string (*fact)(const DeviceFacts&)) {
  const Call call(function, device);
  return call.result() == nvml::kSuccess ? GiveText(fact(call.facts()), to, size) : call.result();
}

template <typename Number>
nvml::Return GiveNumber(const char* function, nvml::Device device, Number* to, Number (*number)(const Call&)) {
  if (to == nullptr) return nvml::kInvalidArgument;
  const Call call(function, device);
  if (call.result() == nvml::kSuccess) *to = number(call);
  return call.result();
}

}  // namespace

SIMULATED_NVML nvml::Return nvmlDeviceGetName(nvml::Device device, char* to, unsigned int size) {
  return GiveFact(__func__, device, to, size, [](const DeviceFacts& facts) { return facts.device.model(); });
}
SIMULATED_NVML nvml::Return nvmlDeviceGetUUID(nvml::Device device, char* to, unsigned int size) {
  return GiveFact(__func__, device, to, size, [](const DeviceFacts& facts) { return facts.device.uuid(); });
}
SIMULATED_NVML nvml::Return nvmlDeviceGetSerial(nvml::Device device, char* to, unsigned int size) {
  return GiveFact(__func__, device, to, size, [](const DeviceFacts& facts) { return facts.device.serial(); });
}
SIMULATED_NVML nvml::Return nvmlDeviceGetVbiosVersion(nvml::Device device, char* to, unsigned int size) {
  return GiveFact(__func__, device, to, size, [](const DeviceFacts& facts) { return facts.device.vbios_version(); });
}
SIMULATED_NVML nvml::Return nvmlDeviceGetInforomImageVersion(nvml::Device device, char* to, unsigned int size) {
  return GiveFact(__func__, device, to, size, [](const DeviceFacts& facts) { return facts.device.firmware_version(); });
}

SIMULATED_NVML nvml::Return nvmlDeviceGetPciInfo_v3(nvml::Device device, nvml::PciInfo* info) {
  if (info == nullptr) return nvml::kInvalidArgument;
  const Call call(__func__, device);
  if (call.result() != nvml::kSuccess) return call.result();
  const v1::Device& fact = call.facts().device;
  *info = {};
  unsigned int function = 0;
  std::sscanf(fact.pci_address().c_str(), "%x:%x:%x.%x", &info->domain, &info->bus, &info->device, &function);
  info->pci_device_id = fact.pci_device_id() << 16 | fact.pci_vendor_id();
  info->pci_sub_system_id = info->pci_device_id;
  // NVML writes capitals, and eight digits for the domain but in the old form.
  const std::string tail = absl::AsciiStrToUpper(fact.pci_address().substr(4));
  std::snprintf(info->bus_id, sizeof(info->bus_id), "%08X%s", info->domain, tail.c_str());
  std::snprintf(info->bus_id_legacy, sizeof(info->bus_id_legacy), "%04X%s", info->domain & 0xFFFF, tail.c_str());
  return nvml::kSuccess;
}

SIMULATED_NVML nvml::Return nvmlDeviceGetIndex(nvml::Device device, unsigned int* index) {
  return GiveNumber<unsigned int>(__func__, device, index,
                                  [](const Call& call) { return static_cast<unsigned int>(call.place()); });
}
SIMULATED_NVML nvml::Return nvmlDeviceGetMinorNumber(nvml::Device device, unsigned int* minor) {
  return GiveNumber<unsigned int>(__func__, device, minor,
                                  [](const Call& call) { return static_cast<unsigned int>(call.place()); });
}
SIMULATED_NVML nvml::Return nvmlDeviceGetCudaComputeCapability(nvml::Device device, int* major, int* minor) {
  if (major == nullptr || minor == nullptr) return nvml::kInvalidArgument;
  const Call call(__func__, device);
  if (call.result() != nvml::kSuccess) return call.result();
  *major = call.facts().traits.compute_capability_major;
  *minor = call.facts().traits.compute_capability_minor;
  return nvml::kSuccess;
}
SIMULATED_NVML nvml::Return nvmlDeviceGetEccMode(nvml::Device device, int* current, int* pending) {
  if (current == nullptr || pending == nullptr) return nvml::kInvalidArgument;
  const Call call(__func__, device);
  if (call.result() != nvml::kSuccess) return call.result();
  if (!call.facts().model.ecc()) return nvml::kNotSupported;
  *current = *pending = nvml::kEnabled;
  return nvml::kSuccess;
}
SIMULATED_NVML nvml::Return nvmlDeviceGetPersistenceMode(nvml::Device device, int* mode) {
  return GiveNumber<int>(__func__, device, mode, [](const Call&) { return nvml::kEnabled; });
}
// NVML_COMPUTEMODE_DEFAULT.
SIMULATED_NVML nvml::Return nvmlDeviceGetComputeMode(nvml::Device device, int* mode) {
  return GiveNumber<int>(__func__, device, mode, [](const Call&) { return 0; });
}
SIMULATED_NVML nvml::Return nvmlDeviceGetMemoryBusWidth(nvml::Device device, unsigned int* bits) {
  return GiveNumber<unsigned int>(__func__, device, bits,
                                  [](const Call& call) { return call.facts().traits.memory_bus_bits; });
}
SIMULATED_NVML nvml::Return nvmlDeviceGetNumFans(nvml::Device device, unsigned int* count) {
  return GiveNumber<unsigned int>(__func__, device, count, [](const Call& call) { return call.facts().model.fans(); });
}
