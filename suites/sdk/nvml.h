// NVIDIA's management library, loaded at run time: a program that uses it starts and reports on a machine without it.
//
// Each call gives a Status of its own kind, so that a test can tell "this device has no such thing" (kUnimplemented)
// from "not allowed" (kPermissionDenied) and from "it failed" (kInternal, kUnavailable when the GPU is lost). Numbers
// are NVML's unless said. Any thread may call; one object serves the program.
#ifndef MUSTER_SUITES_SDK_NVML_H_
#define MUSTER_SUITES_SDK_NVML_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace muster::sdk {

class Nvml {
 public:
  using Handle = void*;

  // Of the two generations and widths, the current ones fall while the device idles.
  struct Link {
    uint32_t generation = 0;
    uint32_t width = 0;
    // What device and slot can do together.
    uint32_t max_generation = 0;
    uint32_t max_width = 0;
  };
  struct Ecc {
    bool enabled = false;
    // After the next reset.
    bool pending = false;
    uint64_t volatile_corrected = 0;
    uint64_t volatile_uncorrected = 0;
  };
  // A link of NVLink.
  struct NvLink {
    uint32_t number = 0;
    bool up = false;
    // 4 for NVLink 4; 0 when NVML gives a version that is not known here.
    uint32_t generation = 0;
    bool to_switch = false;
    // Of what is at its other end: "0000:41:00.0".
    std::string remote_pci_address;
  };
  // Of all links of a device since the driver was loaded; nothing where the device does not count.
  struct NvLinkErrors {
    std::optional<uint64_t> replays;
    std::optional<uint64_t> recoveries;
    std::optional<uint64_t> crc;
  };
  // What one device can do with another's memory; NVML's numbers.
  enum class PeerAbility { kRead = 0, kWrite = 1, kNvLink = 2, kAtomics = 3 };
  // Where the paths of two devices meet; NVML's numbers.
  enum class Meeting { kBoard = 0, kSwitch = 10, kSwitches = 20, kHostBridge = 30, kNumaNode = 40, kSystem = 50 };
  struct RemappedRows {
    uint32_t corrected = 0;
    uint32_t uncorrected = 0;
    bool pending = false;
    bool failed = false;
  };
  struct RetiredPages {
    uint32_t single_bit = 0;
    uint32_t double_bit = 0;
    bool pending = false;
  };

  // kNotFound without the library; NVML's own word when it cannot start (driver not loaded, versions differ).
  static absl::StatusOr<std::unique_ptr<Nvml>> Load();
  // The same, once for the program.
  static absl::StatusOr<Nvml*> Shared();
  ~Nvml();
  Nvml(const Nvml&) = delete;
  Nvml& operator=(const Nvml&) = delete;

  absl::StatusOr<std::string> DriverVersion() const;
  // Of the library itself: "13.580.159.04".
  absl::StatusOr<std::string> LibraryVersion() const;
  // 13000 for CUDA 13.0.
  absl::StatusOr<int> CudaVersion() const;

  // In the order of NVML's indices.
  absl::StatusOr<std::vector<Handle>> Devices() const;
  absl::StatusOr<Handle> DeviceByUuid(const std::string& uuid) const;

  absl::StatusOr<std::string> Name(Handle device) const;
  absl::StatusOr<std::string> Uuid(Handle device) const;
  absl::StatusOr<std::string> Serial(Handle device) const;
  // As muster.v1.Device has it: "0000:41:00.0".
  absl::StatusOr<std::string> PciAddress(Handle device) const;
  absl::StatusOr<uint64_t> MemoryBytes(Handle device) const;
  absl::StatusOr<uint32_t> MinorNumber(Handle device) const;
  // How much of the memory the host can reach at once.
  absl::StatusOr<uint64_t> Bar1Bytes(Handle device) const;
  absl::StatusOr<std::string> VbiosVersion(Handle device) const;
  absl::StatusOr<std::string> InforomVersion(Handle device) const;
  // OK when the InfoROM's checksums hold, DataLoss when they do not.
  absl::Status ValidateInforom(Handle device) const;
  // What the driver says must be done before the GPU is well: 0 nothing, 1 reset it, 2 restart the machine, 3 and 4
  // give it no new work.
  absl::StatusOr<uint32_t> RecoveryAction(Handle device) const;
  // Of the firmware that runs the GPU's own processor (GSP), and whether it does; the driver may do the work itself.
  absl::StatusOr<std::string> GspVersion(Handle device) const;
  absl::StatusOr<bool> GspEnabled(Handle device) const;

  absl::StatusOr<Link> PciLink(Handle device) const;
  // None when the device has none.
  absl::StatusOr<std::vector<NvLink>> NvLinks(Handle device) const;
  NvLinkErrors NvLinkErrorCounts(Handle device) const;
  absl::StatusOr<uint32_t> PcieReplays(Handle device) const;
  absl::StatusOr<bool> CanPeer(Handle device, Handle peer, PeerAbility ability) const;
  absl::StatusOr<Meeting> WherePathsMeet(Handle device, Handle peer) const;
  absl::StatusOr<Ecc> EccState(Handle device) const;
  absl::StatusOr<RemappedRows> Remapped(Handle device) const;
  absl::StatusOr<RetiredPages> Retired(Handle device) const;
  // Bits, as NvmlSensors::ClockReasons() names them (sensors_nvml.cc).
  absl::StatusOr<uint64_t> ClockEvents(Handle device) const;
  absl::StatusOr<uint32_t> TemperatureCelsius(Handle device) const;
  absl::StatusOr<uint32_t> MemoryTemperatureCelsius(Handle device) const;
  absl::StatusOr<uint32_t> SlowdownTemperatureCelsius(Handle device) const;
  absl::StatusOr<bool> PersistenceMode(Handle device) const;
  // 0 default, 2 prohibited, 3 one process.
  absl::StatusOr<uint32_t> ComputeMode(Handle device) const;
  absl::StatusOr<uint32_t> MaxMemoryClockMhz(Handle device) const;
  absl::StatusOr<uint32_t> MemoryClockMhz(Handle device) const;
  // Of the multiprocessors.
  absl::StatusOr<uint32_t> CoreClockMhz(Handle device) const;
  absl::StatusOr<uint32_t> MaxCoreClockMhz(Handle device) const;
  // Without the mean of a second that PowerMilliwatts() is from Hopper on.
  absl::StatusOr<uint32_t> InstantPowerMilliwatts(Handle device) const;
  absl::StatusOr<uint32_t> PowerMilliwatts(Handle device) const;
  absl::StatusOr<uint32_t> EnforcedPowerLimitMilliwatts(Handle device) const;
  // Since the driver was loaded.
  absl::StatusOr<uint64_t> EnergyMillijoules(Handle device) const;
  absl::StatusOr<uint32_t> BusyPercent(Handle device) const;

 private:
  explicit Nvml(void* library) : library_(library) {}
  template <typename... Args>
  absl::Status Call(const char* symbol, Args... args) const;
  template <typename T>
  absl::StatusOr<T> Get(const char* symbol, Handle device) const;
  absl::StatusOr<std::string> Text(const char* symbol, Handle device) const;
  absl::StatusOr<uint32_t> Field(unsigned id, Handle device) const;

  void* const library_;
};

}  // namespace muster::sdk

#endif  // MUSTER_SUITES_SDK_NVML_H_
