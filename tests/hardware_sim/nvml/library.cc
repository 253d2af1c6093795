// The simulated NVML: the library itself, its version, and which devices there are.
#include <string>

#include "absl/strings/str_cat.h"
#include "tests/hardware_sim/nvml/call.h"

namespace nvml = muster::sim::nvml;
using muster::sim::DeviceFacts;
using muster::sim::GiveText;

namespace {

constexpr int kCudaVersion = 13000;

std::string DriverVersion() {
  const std::vector<DeviceFacts> devices = muster::sim::NvidiaDevices();
  return devices.empty() ? std::string() : devices[0].device.driver_version();
}

// The first device for which this holds.
template <typename Predicate>
nvml::Return Find(const char* function, nvml::Device* handle, Predicate is_it) {
  if (handle == nullptr) return nvml::kInvalidArgument;
  if (const nvml::Return result = muster::sim::EnterLibrary(function); result != nvml::kSuccess) return result;
  const std::vector<DeviceFacts> devices = muster::sim::NvidiaDevices();
  for (size_t i = 0; i < devices.size(); ++i) {
    if (!is_it(i, devices[i])) continue;
    *handle = muster::sim::HandleOf(i);
    return muster::sim::Call(function, *handle).result();
  }
  return nvml::kNotFound;
}

}  // namespace

SIMULATED_NVML nvml::Return nvmlInit_v2() { return muster::sim::InitLibrary(__func__); }
SIMULATED_NVML nvml::Return nvmlInit() { return muster::sim::InitLibrary(__func__); }
SIMULATED_NVML nvml::Return nvmlInitWithFlags(unsigned int) { return muster::sim::InitLibrary(__func__); }
SIMULATED_NVML nvml::Return nvmlShutdown() { return muster::sim::ShutdownLibrary(); }

SIMULATED_NVML const char* nvmlErrorString(nvml::Return result) {
  switch (result) {
    case nvml::kSuccess:
      return "Success";
    case nvml::kUninitialized:
      return "Uninitialized";
    case nvml::kInvalidArgument:
      return "Invalid Argument";
    case nvml::kNotSupported:
      return "Not Supported";
    case nvml::kNoPermission:
      return "Insufficient Permissions";
    case nvml::kNotFound:
      return "Not Found";
    case nvml::kInsufficientSize:
      return "Insufficient Size";
    case nvml::kDriverNotLoaded:
      return "Driver Not Loaded";
    case nvml::kTimeout:
      return "Timeout";
    case nvml::kGpuIsLost:
      return "GPU is lost";
    case nvml::kVersionMismatch:
      return "Driver/library version mismatch";
    case nvml::kArgumentVersionMismatch:
      return "Argument version mismatch";
    default:
      return "Unknown Error";
  }
}

SIMULATED_NVML nvml::Return nvmlSystemGetDriverVersion(char* to, unsigned int size) {
  const nvml::Return result = muster::sim::EnterLibrary(__func__);
  return result == nvml::kSuccess ? GiveText(DriverVersion(), to, size) : result;
}
SIMULATED_NVML nvml::Return nvmlSystemGetNVMLVersion(char* to, unsigned int size) {
  const nvml::Return result = muster::sim::EnterLibrary(__func__);
  return result == nvml::kSuccess ? GiveText(absl::StrCat("13.", DriverVersion()), to, size) : result;
}
SIMULATED_NVML nvml::Return nvmlSystemGetCudaDriverVersion(int* version) {
  if (version == nullptr) return nvml::kInvalidArgument;
  *version = kCudaVersion;
  return nvml::kSuccess;
}
SIMULATED_NVML nvml::Return nvmlSystemGetCudaDriverVersion_v2(int* version) {
  return nvmlSystemGetCudaDriverVersion(version);
}

SIMULATED_NVML nvml::Return nvmlDeviceGetCount_v2(unsigned int* count) {
  if (count == nullptr) return nvml::kInvalidArgument;
  if (const nvml::Return result = muster::sim::EnterLibrary(__func__); result != nvml::kSuccess) return result;
  *count = static_cast<unsigned int>(muster::sim::NvidiaDevices().size());
  return nvml::kSuccess;
}
SIMULATED_NVML nvml::Return nvmlDeviceGetCount(unsigned int* count) { return nvmlDeviceGetCount_v2(count); }

// Lost devices are counted, and cannot be opened.
SIMULATED_NVML nvml::Return nvmlDeviceGetHandleByIndex_v2(unsigned int index, nvml::Device* handle) {
  const nvml::Return result = Find(__func__, handle, [&](size_t place, const DeviceFacts&) { return place == index; });
  return result == nvml::kNotFound ? nvml::kInvalidArgument : result;
}
SIMULATED_NVML nvml::Return nvmlDeviceGetHandleByUUID(const char* uuid, nvml::Device* handle) {
  if (uuid == nullptr) return nvml::kInvalidArgument;
  return Find(__func__, handle, [&](size_t, const DeviceFacts& facts) { return facts.device.uuid() == uuid; });
}
// "00000000:41:00.0" as NVML writes it, or "0000:41:00.0".
SIMULATED_NVML nvml::Return nvmlDeviceGetHandleByPciBusId_v2(const char* bus_id, nvml::Device* handle) {
  if (bus_id == nullptr) return nvml::kInvalidArgument;
  return Find(__func__, handle, [&](size_t, const DeviceFacts& facts) {
    const std::string& address = facts.device.pci_address();
    return address == bus_id || absl::StrCat("0000", address) == bus_id;
  });
}
