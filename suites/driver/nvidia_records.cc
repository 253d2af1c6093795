// NVIDIA's records, through NVML.
#include "base/status_macros.h"
#include "suites/driver/device_records.h"
#include "suites/driver/requirement.h"

namespace muster::driver {
namespace {

class NvidiaRecords final : public DeviceRecords {
 public:
  explicit NvidiaRecords(const v1::Device& device) : found_(RequireNvml(device)) {}

  absl::StatusOr<EccMode> Ecc() const override {
    ASSIGN_OR_RETURN(const sdk::Nvml::Ecc ecc, found_.nvml.EccState(found_.handle));
    return EccMode{.enabled = ecc.enabled, .pending = ecc.pending};
  }
  absl::StatusOr<ErrorCounts> MemoryErrors() const override {
    ASSIGN_OR_RETURN(const sdk::Nvml::Ecc ecc, found_.nvml.EccState(found_.handle));
    if (!ecc.enabled) return absl::UnimplementedError("ECC is off: memory errors are not counted");
    return ErrorCounts{.corrected = static_cast<double>(ecc.volatile_corrected),
                       .uncorrected = static_cast<double>(ecc.volatile_uncorrected)};
  }
  absl::StatusOr<Temperature> Heat() const override {
    ASSIGN_OR_RETURN(const uint32_t celsius, found_.nvml.TemperatureCelsius(found_.handle));
    ASSIGN_OR_RETURN(const uint32_t slowdown, found_.nvml.SlowdownTemperatureCelsius(found_.handle));
    return Temperature{.celsius = static_cast<double>(celsius), .slowdown_celsius = slowdown};
  }
  absl::StatusOr<v1::PciLink> Link() const override {
    ASSIGN_OR_RETURN(const sdk::Nvml::Link now, found_.nvml.PciLink(found_.handle));
    v1::PciLink link;
    link.set_generation(now.generation);
    link.set_width(now.width);
    link.set_max_generation(now.max_generation);
    link.set_max_width(now.max_width);
    return link;
  }
  absl::StatusOr<std::vector<Firmware>> FlashedFirmware() const override {
    std::vector<Firmware> all;
    ASSIGN_OR_RETURN(std::string vbios, found_.nvml.VbiosVersion(found_.handle));
    all.push_back({"vbios", std::move(vbios)});
    // Boards for desktops have none.
    if (auto inforom = found_.nvml.InforomVersion(found_.handle); inforom.ok()) all.push_back({"inforom", *inforom});
    return all;
  }
  absl::StatusOr<std::string> NeedOfReset() const override {
    ASSIGN_OR_RETURN(const uint32_t action, found_.nvml.RecoveryAction(found_.handle));
    // NVML's NVML_GPU_RECOVERY_ACTION_…; the others only ask that no new work begins.
    if (action == 1) return std::string("the GPU must be reset");
    if (action == 2) return std::string("the machine must be restarted");
    return std::string();
  }
  absl::StatusOr<uint64_t> HostVisibleBytes() const override { return found_.nvml.Bar1Bytes(found_.handle); }

 private:
  const NvmlDevice found_;
};

}  // namespace

std::unique_ptr<DeviceRecords> OpenNvidiaRecords(const v1::Device& device) {
  return std::make_unique<NvidiaRecords>(device);
}

}  // namespace muster::driver
