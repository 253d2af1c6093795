// Intel's records, through Level Zero's sysman; the PCI link from /sys, which knows the card's own switch.
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/clean_text.h"
#include "base/pci.h"
#include "base/status_macros.h"
#include "suites/driver/device_records.h"
#include "suites/driver/machine.h"
#include "suites/driver/requirement.h"

// The function of this name: an error without it, and for what it does not give.
#define MUSTER_SYSMAN(function, ...) \
  Call<decltype(&function)>(#function, [&](auto called) { return called(__VA_ARGS__); })

namespace muster::driver {
namespace {

constexpr uint32_t kMaxParts = 64;

absl::Status StatusOf(const char* function, ze_result_t result) {
  const std::string message = sdk::ZeError(function, result);
  switch (result) {
    case ZE_RESULT_SUCCESS:
      return absl::OkStatus();
    case ZE_RESULT_ERROR_UNSUPPORTED_FEATURE:
    // Of loaders with several drivers, for a function that this one lacks.
    case ZE_RESULT_ERROR_UNINITIALIZED:
      return absl::UnimplementedError(message);
    case ZE_RESULT_ERROR_INSUFFICIENT_PERMISSIONS:
      return absl::PermissionDeniedError(message);
    case ZE_RESULT_ERROR_DEVICE_LOST:
      return absl::UnavailableError(message);
    default:
      return absl::InternalError(message);
  }
}

class IntelRecords final : public DeviceRecords {
 public:
  explicit IntelRecords(const v1::Device& device)
      : found_(RequireLevelZero(device)), sysman_(found_.handles.sysman), address_(device.pci_address()) {}

  absl::StatusOr<EccMode> Ecc() const override {
    ze_bool_t available = 0;
    RETURN_IF_ERROR(MUSTER_SYSMAN(zesDeviceEccAvailable, sysman_, &available));
    if (!available) return absl::UnimplementedError("this GPU's memory has no ECC");
    zes_device_ecc_properties_t ecc = {};
    ecc.stype = ZES_STRUCTURE_TYPE_DEVICE_ECC_PROPERTIES;
    RETURN_IF_ERROR(MUSTER_SYSMAN(zesDeviceGetEccState, sysman_, &ecc));
    if (ecc.currentState == ZES_DEVICE_ECC_STATE_UNAVAILABLE) {
      return absl::UnimplementedError("this GPU's memory has no ECC");
    }
    return EccMode{.enabled = ecc.currentState == ZES_DEVICE_ECC_STATE_ENABLED,
                   .pending = ecc.pendingState == ZES_DEVICE_ECC_STATE_ENABLED};
  }

  absl::StatusOr<ErrorCounts> MemoryErrors() const override {
    ASSIGN_OR_RETURN(const auto sets, List<zes_ras_handle_t>("zesDeviceEnumRasErrorSets"));
    if (sets.empty()) return absl::UnimplementedError("the driver has no RAS counters of this GPU");
    ErrorCounts counts;
    for (const zes_ras_handle_t set : sets) {
      zes_ras_properties_t properties = {};
      properties.stype = ZES_STRUCTURE_TYPE_RAS_PROPERTIES;
      RETURN_IF_ERROR(MUSTER_SYSMAN(zesRasGetProperties, set, &properties));
      zes_ras_state_t state = {};
      state.stype = ZES_STRUCTURE_TYPE_RAS_STATE;
      // Never cleared: the counters are everybody's.
      RETURN_IF_ERROR(MUSTER_SYSMAN(zesRasGetState, set, 0, &state));
      const bool corrected = properties.type == ZES_RAS_ERROR_TYPE_CORRECTABLE;
      // Errors of programming and of the driver are software's, resets are nobody's; memory counts as non-compute.
      for (const int category :
           {ZES_RAS_ERROR_CAT_COMPUTE_ERRORS, ZES_RAS_ERROR_CAT_NON_COMPUTE_ERRORS, ZES_RAS_ERROR_CAT_CACHE_ERRORS}) {
        if (state.category[category] == UINT64_MAX) continue;
        (corrected ? counts.corrected : counts.uncorrected) += static_cast<double>(state.category[category]);
      }
    }
    return counts;
  }

  absl::StatusOr<Temperature> Heat() const override {
    ASSIGN_OR_RETURN(const auto sensors, List<zes_temp_handle_t>("zesDeviceEnumTemperatureSensors"));
    std::optional<Temperature> hottest;
    for (const zes_temp_handle_t sensor : sensors) {
      zes_temp_properties_t properties = {};
      properties.stype = ZES_STRUCTURE_TYPE_TEMP_PROPERTIES;
      RETURN_IF_ERROR(MUSTER_SYSMAN(zesTemperatureGetProperties, sensor, &properties));
      // The others give a minimum, or the memory's, whose limit is another.
      if (properties.type != ZES_TEMP_SENSORS_GLOBAL && properties.type != ZES_TEMP_SENSORS_GPU) continue;
      double celsius = 0;
      const absl::Status read = MUSTER_SYSMAN(zesTemperatureGetState, sensor, &celsius);
      if (absl::IsUnimplemented(read)) continue;
      RETURN_IF_ERROR(read);
      Temperature one = {.celsius = celsius};
      if (properties.maxTemperature > 0) one.slowdown_celsius = properties.maxTemperature;
      const auto rank = [](const Temperature& t) { return std::pair(t.slowdown_celsius.has_value(), t.celsius); };
      if (!hottest || rank(one) > rank(*hottest)) hottest = one;
    }
    if (!hottest) return absl::UnimplementedError("the driver has no temperature sensor of this GPU");
    return *hottest;
  }

  absl::StatusOr<v1::PciLink> Link() const override {
    return base::ReadPciLink(Root(), "/sys/bus/pci/devices/" + address_, base::kPciVendorIntel);
  }

  absl::StatusOr<std::vector<Firmware>> FlashedFirmware() const override {
    ASSIGN_OR_RETURN(const auto handles, List<zes_firmware_handle_t>("zesDeviceEnumFirmwares"));
    std::vector<Firmware> all;
    for (const zes_firmware_handle_t handle : handles) {
      zes_firmware_properties_t properties = {};
      properties.stype = ZES_STRUCTURE_TYPE_FIRMWARE_PROPERTIES;
      RETURN_IF_ERROR(MUSTER_SYSMAN(zesFirmwareGetProperties, handle, &properties));
      all.push_back({base::CleanText(properties.name, 64), base::CleanText(properties.version, 64)});
    }
    if (all.empty()) return absl::UnimplementedError("the driver lists no firmware (it asks the card's GSC, as root)");
    return all;
  }

  absl::StatusOr<std::string> NeedOfReset() const override {
    zes_device_state_t state = {};
    state.stype = ZES_STRUCTURE_TYPE_DEVICE_STATE;
    RETURN_IF_ERROR(MUSTER_SYSMAN(zesDeviceGetState, sysman_, &state));
    if ((state.reset & ZES_RESET_REASON_FLAG_WEDGED) != 0) return std::string("the GPU is wedged");
    if ((state.reset & ZES_RESET_REASON_FLAG_REPAIR) != 0) return std::string("a reset is needed to end a repair");
    return std::string();
  }

  absl::StatusOr<uint64_t> HostVisibleBytes() const override {
    ASSIGN_OR_RETURN(const auto bars, List<zes_pci_bar_properties_t>("zesDevicePciGetBars"));
    uint64_t largest = 0;
    for (const zes_pci_bar_properties_t& bar : bars) {
      if (bar.type == ZES_PCI_BAR_TYPE_MEM) largest = std::max(largest, bar.size);
    }
    if (largest == 0) return absl::UnimplementedError("the driver tells of no memory bar");
    return largest;
  }

 private:
  template <typename Function, typename Use>
  absl::Status Call(const char* name, const Use& use) const {
    if (sysman_ == nullptr) return absl::UnimplementedError("Level Zero's sysman does not start with this driver");
    const auto function = found_.level_zero.Function<Function>(name);
    if (function == nullptr) return absl::UnimplementedError(absl::StrCat("this Level Zero loader has no ", name));
    return StatusOf(name, use(function));
  }
  // Level Zero's way to list: once for the count, once for the entries.
  template <typename Entry>
  absl::StatusOr<std::vector<Entry>> List(const char* name) const {
    using Function = ze_result_t (*)(zes_device_handle_t, uint32_t*, Entry*);
    uint32_t count = 0;
    RETURN_IF_ERROR(Call<Function>(name, [&](auto list) { return list(sysman_, &count, nullptr); }));
    std::vector<Entry> entries(std::min(count, kMaxParts));
    count = static_cast<uint32_t>(entries.size());
    if (count > 0) {
      RETURN_IF_ERROR(Call<Function>(name, [&](auto list) { return list(sysman_, &count, entries.data()); }));
    }
    entries.resize(std::min<size_t>(count, entries.size()));
    return entries;
  }

  const sdk::LevelZeroDeviceHandles found_;
  const zes_device_handle_t sysman_;
  const std::string address_;
};

}  // namespace

std::unique_ptr<DeviceRecords> OpenIntelRecords(const v1::Device& device) {
  return std::make_unique<IntelRecords>(device);
}

}  // namespace muster::driver
