#include "agent/inventory/nvml_library.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "agent/inventory/nvml_abi.h"
#include "agent/inventory/shared_library.h"
#include "base/clean_text.h"
#include "base/pci.h"
#include "base/status_macros.h"

namespace muster::agent {
namespace {

// One initialised NVML. Every symbol but those of Start() may be missing in an old driver: what it would tell is then
// not known.
class NvmlSession {
 public:
  explicit NvmlSession(const SharedLibrary& library) : library_(library) {}
  ~NvmlSession() {
    if (!started_) return;
    if (auto shutdown = library_.Find<nvml::InitFunction>("nvmlShutdown")) shutdown();
  }

  absl::Status Start() {
    const auto init = library_.Find<nvml::InitFunction>("nvmlInit_v2");
    if (init == nullptr)
      return absl::FailedPreconditionError("NVML has no nvmlInit_v2: expected a driver of 2013 or later");
    const nvml::Return result = init();
    if (result != nvml::kSuccess) {
      return absl::FailedPreconditionError(absl::StrCat("nvmlInit failed: ", ErrorText(result)));
    }
    started_ = true;
    return absl::OkStatus();
  }

  absl::StatusOr<GpuLibraryReport> List() const {
    const auto get_count = library_.Find<nvml::CountFunction>("nvmlDeviceGetCount_v2");
    const auto get_handle = library_.Find<nvml::HandleByIndexFunction>("nvmlDeviceGetHandleByIndex_v2");
    if (get_count == nullptr || get_handle == nullptr) {
      return absl::FailedPreconditionError("NVML lacks nvmlDeviceGetCount_v2 or nvmlDeviceGetHandleByIndex_v2");
    }
    unsigned int count = 0;
    if (const nvml::Return result = get_count(&count); result != nvml::kSuccess) {
      return absl::FailedPreconditionError(absl::StrCat("nvmlDeviceGetCount failed: ", ErrorText(result)));
    }
    GpuLibraryReport report;
    for (unsigned int i = 0; i < std::min<unsigned int>(count, kMaxLibraryDevices); ++i) {
      nvml::Device handle = nullptr;
      if (const nvml::Return result = get_handle(i, &handle); result != nvml::kSuccess) {
        report.notes.push_back(absl::StrCat("NVML counts ", count, " devices and does not open number ", i, ": ",
                                            ErrorText(result), ". See the kernel log for Xid messages."));
        continue;
      }
      report.devices.push_back(Describe(handle));
    }
    return report;
  }

 private:
  std::string ErrorText(nvml::Return result) const {
    const auto get = library_.Find<nvml::ErrorStringFunction>("nvmlErrorString");
    const char* text = get == nullptr ? nullptr : get(result);
    return absl::StrCat(base::CleanText(text == nullptr ? "no text" : text), " (", result, ")");
  }

  v1::Device Describe(nvml::Device handle) const {
    v1::Device device;
    device.set_vendor(v1::VENDOR_NVIDIA);
    device.set_model(Text(handle, "nvmlDeviceGetName"));
    device.set_uuid(Text(handle, "nvmlDeviceGetUUID"));
    device.set_serial(Text(handle, "nvmlDeviceGetSerial"));
    device.set_vbios_version(Text(handle, "nvmlDeviceGetVbiosVersion"));
    device.set_firmware_version(Text(handle, "nvmlDeviceGetInforomImageVersion"));
    device.set_driver_version(DriverVersion());
    SetPci(handle, device);
    SetMemory(handle, device);
    SetCapability(handle, device);
    device.set_ecc_mode(Ecc(handle));
    if (const auto minor = Number(handle, "nvmlDeviceGetMinorNumber"); minor && *minor < 65536) {
      device.add_device_nodes(absl::StrCat("/dev/nvidia", *minor));
      device.add_device_nodes("/dev/nvidiactl");
      device.add_device_nodes("/dev/nvidia-uvm");
    }
    return device;
  }

  std::string DriverVersion() const {
    const auto get = library_.Find<nvml::SystemTextFunction>("nvmlSystemGetDriverVersion");
    char text[base::kMaxText] = {};
    if (get == nullptr || get(text, sizeof(text)) != nvml::kSuccess) return std::string();
    return base::CleanText(absl::string_view(text, sizeof(text)));
  }

  std::string Text(nvml::Device handle, const char* symbol) const {
    const auto get = library_.Find<nvml::DeviceTextFunction>(symbol);
    char text[base::kMaxText] = {};
    if (get == nullptr || get(handle, text, sizeof(text)) != nvml::kSuccess) return std::string();
    return base::CleanText(absl::string_view(text, sizeof(text)));
  }

  std::optional<unsigned int> Number(nvml::Device handle, const char* symbol) const {
    const auto get = library_.Find<nvml::DeviceNumberFunction>(symbol);
    unsigned int number = 0;
    if (get == nullptr || get(handle, &number) != nvml::kSuccess) return std::nullopt;
    return number;
  }

  void SetPci(nvml::Device handle, v1::Device& device) const {
    const auto get = library_.Find<nvml::DevicePciInfoFunction>("nvmlDeviceGetPciInfo_v3");
    if (nvml::PciInfo info = {}; get != nullptr && get(handle, &info) == nvml::kSuccess) {
      device.set_pci_address(
          base::NormalisePciAddress(base::CleanText(absl::string_view(info.bus_id, sizeof(info.bus_id)))));
      device.set_pci_vendor_id(info.pci_device_id & 0xFFFF);
      device.set_pci_device_id(info.pci_device_id >> 16);
    }
    // The maximum is already the lower of what the GPU and this machine can.
    v1::PciLink link;
    if (const auto value = Number(handle, "nvmlDeviceGetCurrPcieLinkGeneration")) link.set_generation(*value);
    if (const auto value = Number(handle, "nvmlDeviceGetCurrPcieLinkWidth")) link.set_width(*value);
    if (const auto value = Number(handle, "nvmlDeviceGetMaxPcieLinkGeneration")) link.set_max_generation(*value);
    if (const auto value = Number(handle, "nvmlDeviceGetMaxPcieLinkWidth")) link.set_max_width(*value);
    if (link.ByteSizeLong() > 0) *device.mutable_pci_link() = link;
  }

  void SetMemory(nvml::Device handle, v1::Device& device) const {
    const auto get = library_.Find<nvml::DeviceMemoryFunction>("nvmlDeviceGetMemoryInfo");
    if (nvml::Memory memory = {}; get != nullptr && get(handle, &memory) == nvml::kSuccess) {
      device.set_memory_bytes(memory.total);
    }
  }

  void SetCapability(nvml::Device handle, v1::Device& device) const {
    const auto get = library_.Find<nvml::DeviceCapabilityFunction>("nvmlDeviceGetCudaComputeCapability");
    int major = 0;
    int minor = 0;
    if (get != nullptr && get(handle, &major, &minor) == nvml::kSuccess) {
      device.set_compute_capability(absl::StrCat(major, ".", minor));
    }
  }

  v1::EccMode Ecc(nvml::Device handle) const {
    const auto get = library_.Find<nvml::DeviceEccFunction>("nvmlDeviceGetEccMode");
    int current = -1;
    int pending = -1;
    if (get == nullptr) return v1::ECC_MODE_UNSPECIFIED;
    const nvml::Return result = get(handle, &current, &pending);
    if (result == nvml::kNotSupported) return v1::ECC_MODE_UNSUPPORTED;
    if (result != nvml::kSuccess) return v1::ECC_MODE_UNSPECIFIED;
    if (current == nvml::kEnabled) return v1::ECC_MODE_ENABLED;
    return current == nvml::kDisabled ? v1::ECC_MODE_DISABLED : v1::ECC_MODE_UNSPECIFIED;
  }

  const SharedLibrary& library_;
  bool started_ = false;
};

}  // namespace

std::vector<std::string> NvmlCandidates() {
  return {"libnvidia-ml.so.1", "/run/opengl-driver/lib/libnvidia-ml.so.1", "/usr/local/nvidia/lib64/libnvidia-ml.so.1",
          "/usr/local/nvidia/lib/libnvidia-ml.so.1", "/usr/lib/wsl/lib/libnvidia-ml.so.1"};
}

absl::StatusOr<GpuLibraryReport> NvmlLibrary::List() {
  ASSIGN_OR_RETURN(const std::unique_ptr<SharedLibrary> library, SharedLibrary::Open(candidates_));
  NvmlSession session(*library);
  RETURN_IF_ERROR(session.Start());
  return session.List();
}

}  // namespace muster::agent
