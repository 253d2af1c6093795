#include "suites/sdk/nvml.h"

#include <dlfcn.h>

#include <array>
#include <iterator>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/status_macros.h"

namespace muster::sdk {
namespace {

// NVML's return codes that mean something of their own here.
constexpr int kSuccess = 0;
constexpr int kInvalidArgument = 2;
constexpr int kNotSupported = 3;
constexpr int kNoPermission = 4;
constexpr int kNotFound = 6;
constexpr int kCorruptedInforom = 14;
constexpr int kGpuIsLost = 15;

constexpr int kVolatile = 0;
constexpr int kCorrected = 0;
constexpr int kUncorrected = 1;
constexpr int kRetiredSingleBit = 0;
constexpr int kRetiredDoubleBit = 1;
constexpr int kThresholdSlowdown = 1;
constexpr int kSensorGpu = 0;
constexpr int kClockSm = 1;
constexpr int kClockMemory = 2;
// Of nvmlDeviceGetFieldValues.
constexpr unsigned kFieldRecoveryAction = 230;
constexpr unsigned kFieldMemoryTemperature = 82;
constexpr unsigned kFieldLinkReplays = 161;
constexpr unsigned kFieldLinkRecoveries = 162;
constexpr unsigned kFieldLinkCrcErrors = 163;
constexpr unsigned kFieldPowerInstant = 186;
// nvmlValueType_t's of 32 bits; the links' counters have 64 otherwise.
constexpr unsigned kTypeUnsigned = 1;

constexpr unsigned kMaxLinks = 36;
constexpr unsigned kRemoteIsSwitch = 2;
// nvmlNvlinkVersion_enum: 1.0, 2.0, 2.2, 3.0, 3.1, 4.0, 5.0.
constexpr uint32_t kLinkGenerations[] = {0, 1, 2, 2, 3, 3, 4, 5};

// nvmlPciInfo_t of version 3.
struct PciInfo {
  char legacy_bus_id[16];
  unsigned domain;
  unsigned bus;
  unsigned device;
  unsigned pci_device_id;
  unsigned pci_subsystem_id;
  char bus_id[32];
};
// nvmlFieldValue_t.
struct FieldValue {
  unsigned id;
  unsigned scope;
  long long timestamp_us;
  long long latency_us;
  unsigned type;
  int result;
  union {
    unsigned word;
    unsigned long long whole;
  } value;
};
static_assert(sizeof(FieldValue) == 40);
// nvmlUtilization_t.
struct Utilization {
  unsigned gpu;
  unsigned memory;
};
// nvmlMemory_t; nvmlBAR1Memory_t begins with the same total.
struct MemoryInfo {
  unsigned long long total;
  unsigned long long free;
  unsigned long long used;
};

std::string AddressOf(const PciInfo& info) {
  return absl::StrFormat("%04x:%02x:%02x.0", info.domain, info.bus, info.device);
}

absl::StatusCode CodeOf(int result) {
  switch (result) {
    case kNotSupported:
      return absl::StatusCode::kUnimplemented;
    case kNoPermission:
      return absl::StatusCode::kPermissionDenied;
    case kNotFound:
    case kInvalidArgument:
      return absl::StatusCode::kNotFound;
    case kCorruptedInforom:
      return absl::StatusCode::kDataLoss;
    case kGpuIsLost:
      return absl::StatusCode::kUnavailable;
    default:
      return absl::StatusCode::kInternal;
  }
}

}  // namespace

template <typename... Args>
absl::Status Nvml::Call(const char* symbol, Args... args) const {
  const auto function = reinterpret_cast<int (*)(Args...)>(dlsym(library_, symbol));
  if (function == nullptr) return absl::UnimplementedError(absl::StrCat("this libnvidia-ml has no ", symbol));
  const int result = function(args...);
  if (result == kSuccess) return absl::OkStatus();
  const auto describe = reinterpret_cast<const char* (*)(int)>(dlsym(library_, "nvmlErrorString"));
  return absl::Status(CodeOf(result),
                      absl::StrCat(symbol, ": ", describe == nullptr ? "" : describe(result), " (", result, ")"));
}

template <typename T>
absl::StatusOr<T> Nvml::Get(const char* symbol, Handle device) const {
  T value{};
  RETURN_IF_ERROR(Call(symbol, device, &value));
  return value;
}

absl::StatusOr<std::string> Nvml::Text(const char* symbol, Handle device) const {
  std::array<char, 128> text{};
  RETURN_IF_ERROR(Call(symbol, device, text.data(), static_cast<unsigned>(text.size())));
  return std::string(text.data());
}

// Each field has a result of its own.
absl::StatusOr<uint32_t> Nvml::Field(unsigned id, Handle device) const {
  FieldValue field{};
  field.id = id;
  RETURN_IF_ERROR(Call("nvmlDeviceGetFieldValues", device, 1, &field));
  if (field.result == kSuccess) return field.value.word;
  return absl::Status(CodeOf(field.result), absl::StrCat("NVML's field ", id, ": error ", field.result));
}

absl::StatusOr<std::unique_ptr<Nvml>> Nvml::Load() {
  void* library = dlopen("libnvidia-ml.so.1", RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) return absl::NotFoundError(absl::StrCat("cannot load NVML: ", dlerror()));
  std::unique_ptr<Nvml> nvml(new Nvml(library));
  RETURN_IF_ERROR(nvml->Call("nvmlInit_v2"));
  return nvml;
}

absl::StatusOr<Nvml*> Nvml::Shared() {
  static const auto& shared = *new absl::StatusOr<std::unique_ptr<Nvml>>(Load());
  if (!shared.ok()) return shared.status();
  return shared->get();
}

// The library stays mapped: its threads may outlive a dlclose.
Nvml::~Nvml() { Call("nvmlShutdown").IgnoreError(); }

absl::StatusOr<std::string> Nvml::DriverVersion() const {
  std::array<char, 128> text{};
  RETURN_IF_ERROR(Call("nvmlSystemGetDriverVersion", text.data(), static_cast<unsigned>(text.size())));
  return std::string(text.data());
}

absl::StatusOr<std::string> Nvml::LibraryVersion() const {
  std::array<char, 128> text{};
  RETURN_IF_ERROR(Call("nvmlSystemGetNVMLVersion", text.data(), static_cast<unsigned>(text.size())));
  return std::string(text.data());
}

absl::StatusOr<int> Nvml::CudaVersion() const {
  int version = 0;
  RETURN_IF_ERROR(Call("nvmlSystemGetCudaDriverVersion_v2", &version));
  return version;
}

absl::StatusOr<std::vector<Nvml::Handle>> Nvml::Devices() const {
  unsigned count = 0;
  RETURN_IF_ERROR(Call("nvmlDeviceGetCount_v2", &count));
  std::vector<Handle> devices(count);
  for (unsigned i = 0; i < count; ++i) RETURN_IF_ERROR(Call("nvmlDeviceGetHandleByIndex_v2", i, &devices[i]));
  return devices;
}

absl::StatusOr<Nvml::Handle> Nvml::DeviceByUuid(const std::string& uuid) const {
  Handle device = nullptr;
  RETURN_IF_ERROR(Call("nvmlDeviceGetHandleByUUID", uuid.c_str(), &device));
  return device;
}

absl::StatusOr<std::string> Nvml::Name(Handle device) const { return Text("nvmlDeviceGetName", device); }
absl::StatusOr<std::string> Nvml::Uuid(Handle device) const { return Text("nvmlDeviceGetUUID", device); }
absl::StatusOr<std::string> Nvml::Serial(Handle device) const { return Text("nvmlDeviceGetSerial", device); }

absl::StatusOr<std::string> Nvml::PciAddress(Handle device) const {
  ASSIGN_OR_RETURN(const PciInfo info, Get<PciInfo>("nvmlDeviceGetPciInfo_v3", device));
  return AddressOf(info);
}

absl::StatusOr<uint64_t> Nvml::MemoryBytes(Handle device) const {
  ASSIGN_OR_RETURN(const MemoryInfo info, Get<MemoryInfo>("nvmlDeviceGetMemoryInfo", device));
  return info.total;
}

absl::StatusOr<uint32_t> Nvml::MinorNumber(Handle device) const {
  return Get<unsigned>("nvmlDeviceGetMinorNumber", device);
}

absl::StatusOr<uint64_t> Nvml::Bar1Bytes(Handle device) const {
  ASSIGN_OR_RETURN(const MemoryInfo info, Get<MemoryInfo>("nvmlDeviceGetBAR1MemoryInfo", device));
  return info.total;
}

absl::StatusOr<std::string> Nvml::VbiosVersion(Handle device) const {
  return Text("nvmlDeviceGetVbiosVersion", device);
}

absl::StatusOr<std::string> Nvml::InforomVersion(Handle device) const {
  return Text("nvmlDeviceGetInforomImageVersion", device);
}

absl::Status Nvml::ValidateInforom(Handle device) const { return Call("nvmlDeviceValidateInforom", device); }

absl::StatusOr<uint32_t> Nvml::RecoveryAction(Handle device) const { return Field(kFieldRecoveryAction, device); }

// NVML writes 64 bytes at most, and is not told how many there are.
absl::StatusOr<std::string> Nvml::GspVersion(Handle device) const {
  std::array<char, 128> text{};
  RETURN_IF_ERROR(Call("nvmlDeviceGetGspFirmwareVersion", device, text.data()));
  return std::string(text.data());
}

absl::StatusOr<bool> Nvml::GspEnabled(Handle device) const {
  unsigned enabled = 0;
  unsigned by_default = 0;
  RETURN_IF_ERROR(Call("nvmlDeviceGetGspFirmwareMode", device, &enabled, &by_default));
  return enabled != 0;
}

absl::StatusOr<Nvml::Link> Nvml::PciLink(Handle device) const {
  Link link;
  ASSIGN_OR_RETURN(link.generation, Get<unsigned>("nvmlDeviceGetCurrPcieLinkGeneration", device));
  ASSIGN_OR_RETURN(link.width, Get<unsigned>("nvmlDeviceGetCurrPcieLinkWidth", device));
  ASSIGN_OR_RETURN(link.max_generation, Get<unsigned>("nvmlDeviceGetMaxPcieLinkGeneration", device));
  ASSIGN_OR_RETURN(link.max_width, Get<unsigned>("nvmlDeviceGetMaxPcieLinkWidth", device));
  return link;
}

absl::StatusOr<std::vector<Nvml::NvLink>> Nvml::NvLinks(Handle device) const {
  std::vector<NvLink> links;
  for (unsigned number = 0; number < kMaxLinks; ++number) {
    int up = 0;
    const absl::Status status = Call("nvmlDeviceGetNvLinkState", device, number, &up);
    // Of a link that there is not.
    if (absl::IsNotFound(status) || absl::IsUnimplemented(status)) break;
    RETURN_IF_ERROR(status);
    NvLink link{.number = number, .up = up != 0};
    unsigned version = 0;
    unsigned kind = 0;
    PciInfo remote{};
    if (link.up) {
      RETURN_IF_ERROR(Call("nvmlDeviceGetNvLinkVersion", device, number, &version));
      if (version < std::size(kLinkGenerations)) link.generation = kLinkGenerations[version];
      if (Call("nvmlDeviceGetNvLinkRemoteDeviceType", device, number, &kind).ok()) {
        link.to_switch = kind == kRemoteIsSwitch;
      }
      if (Call("nvmlDeviceGetNvLinkRemotePciInfo_v2", device, number, &remote).ok()) {
        link.remote_pci_address = AddressOf(remote);
      }
    }
    links.push_back(std::move(link));
  }
  return links;
}

Nvml::NvLinkErrors Nvml::NvLinkErrorCounts(Handle device) const {
  const auto links = NvLinks(device);
  const auto sum = [&](unsigned field) -> std::optional<uint64_t> {
    std::optional<uint64_t> total;
    for (unsigned i = 0; links.ok() && i < links->size(); ++i) {
      FieldValue value{.id = field, .scope = (*links)[i].number};
      if (!Call("nvmlDeviceGetFieldValues", device, 1, &value).ok() || value.result != kSuccess) continue;
      total = total.value_or(0) + (value.type == kTypeUnsigned ? value.value.word : value.value.whole);
    }
    return total;
  };
  return {.replays = sum(kFieldLinkReplays), .recoveries = sum(kFieldLinkRecoveries), .crc = sum(kFieldLinkCrcErrors)};
}

absl::StatusOr<uint32_t> Nvml::PcieReplays(Handle device) const {
  return Get<unsigned>("nvmlDeviceGetPcieReplayCounter", device);
}

absl::StatusOr<bool> Nvml::CanPeer(Handle device, Handle peer, PeerAbility ability) const {
  int status = 0;
  RETURN_IF_ERROR(Call("nvmlDeviceGetP2PStatus", device, peer, static_cast<int>(ability), &status));
  return status == 0;
}

absl::StatusOr<Nvml::Meeting> Nvml::WherePathsMeet(Handle device, Handle peer) const {
  int level = 0;
  RETURN_IF_ERROR(Call("nvmlDeviceGetTopologyCommonAncestor", device, peer, &level));
  return static_cast<Meeting>(level);
}

absl::StatusOr<Nvml::Ecc> Nvml::EccState(Handle device) const {
  int current = 0;
  int pending = 0;
  RETURN_IF_ERROR(Call("nvmlDeviceGetEccMode", device, &current, &pending));
  Ecc ecc{.enabled = current != 0, .pending = pending != 0};
  if (!ecc.enabled) return ecc;
  unsigned long long corrected = 0;
  unsigned long long uncorrected = 0;
  RETURN_IF_ERROR(Call("nvmlDeviceGetTotalEccErrors", device, kCorrected, kVolatile, &corrected));
  RETURN_IF_ERROR(Call("nvmlDeviceGetTotalEccErrors", device, kUncorrected, kVolatile, &uncorrected));
  ecc.volatile_corrected = corrected;
  ecc.volatile_uncorrected = uncorrected;
  return ecc;
}

absl::StatusOr<Nvml::RemappedRows> Nvml::Remapped(Handle device) const {
  unsigned corrected = 0;
  unsigned uncorrected = 0;
  unsigned pending = 0;
  unsigned failed = 0;
  RETURN_IF_ERROR(Call("nvmlDeviceGetRemappedRows", device, &corrected, &uncorrected, &pending, &failed));
  return RemappedRows{corrected, uncorrected, pending != 0, failed != 0};
}

absl::StatusOr<Nvml::RetiredPages> Nvml::Retired(Handle device) const {
  // With a null list and a count of 0 NVML answers "insufficient size" (7) and the number: ask with room for all it can
  // retire.
  std::array<unsigned long long, 512> addresses;
  unsigned single_bit = addresses.size();
  unsigned double_bit = addresses.size();
  int pending = 0;
  RETURN_IF_ERROR(Call("nvmlDeviceGetRetiredPages", device, kRetiredSingleBit, &single_bit, addresses.data()));
  RETURN_IF_ERROR(Call("nvmlDeviceGetRetiredPages", device, kRetiredDoubleBit, &double_bit, addresses.data()));
  RETURN_IF_ERROR(Call("nvmlDeviceGetRetiredPagesPendingStatus", device, &pending));
  return RetiredPages{single_bit, double_bit, pending != 0};
}

absl::StatusOr<uint64_t> Nvml::ClockEvents(Handle device) const {
  auto reasons = Get<unsigned long long>("nvmlDeviceGetCurrentClocksEventReasons", device);
  // The name before driver 535.
  if (!reasons.ok()) reasons = Get<unsigned long long>("nvmlDeviceGetCurrentClocksThrottleReasons", device);
  if (!reasons.ok()) return reasons.status();
  return *reasons;
}

absl::StatusOr<uint32_t> Nvml::TemperatureCelsius(Handle device) const {
  unsigned celsius = 0;
  RETURN_IF_ERROR(Call("nvmlDeviceGetTemperature", device, kSensorGpu, &celsius));
  return celsius;
}

absl::StatusOr<uint32_t> Nvml::MemoryTemperatureCelsius(Handle device) const {
  return Field(kFieldMemoryTemperature, device);
}

absl::StatusOr<uint32_t> Nvml::SlowdownTemperatureCelsius(Handle device) const {
  unsigned celsius = 0;
  RETURN_IF_ERROR(Call("nvmlDeviceGetTemperatureThreshold", device, kThresholdSlowdown, &celsius));
  return celsius;
}

absl::StatusOr<bool> Nvml::PersistenceMode(Handle device) const {
  ASSIGN_OR_RETURN(const int mode, Get<int>("nvmlDeviceGetPersistenceMode", device));
  return mode != 0;
}

absl::StatusOr<uint32_t> Nvml::ComputeMode(Handle device) const {
  return Get<unsigned>("nvmlDeviceGetComputeMode", device);
}

absl::StatusOr<uint32_t> Nvml::MaxMemoryClockMhz(Handle device) const {
  unsigned mhz = 0;
  RETURN_IF_ERROR(Call("nvmlDeviceGetMaxClockInfo", device, kClockMemory, &mhz));
  return mhz;
}

absl::StatusOr<uint32_t> Nvml::MemoryClockMhz(Handle device) const {
  unsigned mhz = 0;
  RETURN_IF_ERROR(Call("nvmlDeviceGetClockInfo", device, kClockMemory, &mhz));
  return mhz;
}

absl::StatusOr<uint32_t> Nvml::CoreClockMhz(Handle device) const {
  unsigned mhz = 0;
  RETURN_IF_ERROR(Call("nvmlDeviceGetClockInfo", device, kClockSm, &mhz));
  return mhz;
}

absl::StatusOr<uint32_t> Nvml::MaxCoreClockMhz(Handle device) const {
  unsigned mhz = 0;
  RETURN_IF_ERROR(Call("nvmlDeviceGetMaxClockInfo", device, kClockSm, &mhz));
  return mhz;
}

absl::StatusOr<uint32_t> Nvml::InstantPowerMilliwatts(Handle device) const { return Field(kFieldPowerInstant, device); }

absl::StatusOr<uint32_t> Nvml::PowerMilliwatts(Handle device) const {
  return Get<unsigned>("nvmlDeviceGetPowerUsage", device);
}

absl::StatusOr<uint32_t> Nvml::EnforcedPowerLimitMilliwatts(Handle device) const {
  return Get<unsigned>("nvmlDeviceGetEnforcedPowerLimit", device);
}

absl::StatusOr<uint64_t> Nvml::EnergyMillijoules(Handle device) const {
  return Get<unsigned long long>("nvmlDeviceGetTotalEnergyConsumption", device);
}

absl::StatusOr<uint32_t> Nvml::BusyPercent(Handle device) const {
  ASSIGN_OR_RETURN(const Utilization utilization, Get<Utilization>("nvmlDeviceGetUtilizationRates", device));
  return utilization.gpu;
}

}  // namespace muster::sdk
