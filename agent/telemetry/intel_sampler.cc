#include "agent/telemetry/intel_sampler.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <map>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "agent/inventory/level_zero_library.h"
#include "agent/telemetry/intel_fields.h"
#include "agent/telemetry/sysman_sampler.h"
#include "base/pci.h"
#include "base/root_folder.h"

namespace muster::agent {
namespace {

// PCI is looked through for new devices once in so many turns.
constexpr int kTurnsBetweenScans = 60;

int64_t UnixMs() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
}

int64_t SteadyUs() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::microseconds>(now).count();
}

class IntelSampler final : public Sampler {
 public:
  IntelSampler(std::string root, CallMarker& marker, IntelSources sources)
      : root_path_(std::move(root)),
        root_(root_path_),
        marker_(marker),
        sources_(std::move(sources)),
        drm_(root_, marker, sources_.now_us, sources_.read_line) {}

  absl::Status Start() override {
    const absl::Status scanned = Scan();
    if (scanned.ok() && devices_.empty()) return absl::NotFoundError("no Intel GPU on this machine's PCI bus");
    const absl::Status started = StartSysman();
    if (started.ok()) return absl::OkStatus();
    sysman_ = nullptr;
    // Without a bus to look at there is nothing else to read.
    if (!scanned.ok()) return absl::NotFoundError(started.message());
    std::fprintf(stderr, "intel sampler: reads the kernel's files alone, without Level Zero: %s\n",
                 std::string(started.message()).c_str());
    return absl::OkStatus();
  }

  absl::StatusOr<std::vector<v1::DeviceSample>> Sample(const std::vector<std::string>& skip) override {
    if (++turn_ % kTurnsBetweenScans == 0) Scan().IgnoreError();
    const auto is_skipped = [&](const std::string& address) {
      return std::find(skip.begin(), skip.end(), address) != skip.end();
    };
    bool counters_are_new = false;
    for (const auto& [address, device] : devices_) {
      if (is_skipped(address)) continue;
      counters_are_new |= sysman_ != nullptr && sysman_->Prepare(address);
      counters_are_new |= drm_.Prepare(address);
    }
    if (counters_are_new) sources_.pause();
    std::vector<v1::DeviceSample> samples;
    for (const auto& [address, device] : devices_) {
      if (!is_skipped(address)) samples.push_back(SampleDevice(address, device));
    }
    return samples;
  }

 private:
  struct Device {
    std::vector<std::string> nodes;
    bool on_bus = true;
  };

  // Adds what PCI shows.
  absl::Status Scan() {
    marker_.Enter("", "read /sys/bus/pci");
    const auto gpus = base::PciGpus(root_);
    marker_.Leave();
    if (!gpus.ok()) return gpus.status();
    for (const v1::Device& gpu : *gpus) {
      if (gpu.vendor() != v1::VENDOR_INTEL) continue;
      devices_[gpu.pci_address()].nodes = {gpu.device_nodes().begin(), gpu.device_nodes().end()};
    }
    return absl::OkStatus();
  }

  absl::Status StartSysman() {
    const absl::StatusOr<SysmanCalls> calls = sources_.sysman();
    if (!calls.ok()) return calls.status();
    sysman_ = std::make_unique<SysmanSampler>(*calls, marker_, sources_.now_us);
    if (const absl::Status started = sysman_->Start(); !started.ok()) return started;
    // A sandbox may show the devices and hide the bus.
    if (devices_.empty()) {
      for (const std::string& address : sysman_->Devices()) devices_[address].on_bus = false;
    }
    return absl::OkStatus();
  }

  v1::DeviceSample SampleDevice(const std::string& address, const Device& device) {
    const int64_t start_us = sources_.now_us();
    v1::DeviceSample sample;
    sample.set_pci_address(address);
    sample.set_time_unix_ms(UnixMs());
    ReadingSet readings;
    if (device.on_bus && !IsThere(address)) {
      AddAbsentFields(readings, v1::ABSENCE_FAILING);
    } else {
      if (sysman_ != nullptr) readings = sysman_->Read(address);
      if (device.on_bus) readings.Merge(drm_.Read(address, readings));
      AddAbsentFields(readings, MissingFieldsAbsence(device));
    }
    if (sysman_ != nullptr) sample.set_uuid(sysman_->Uuid(address));
    readings.AppendTo(sample);
    sample.set_duration_us(sources_.now_us() - start_us);
    return sample;
  }

  bool IsThere(const std::string& address) const {
    return access(absl::StrCat(root_path_, "/sys/bus/pci/devices/", address).c_str(), F_OK) == 0;
  }

  // Without sysman: a user who may not open the device does not know what it would give.
  v1::Absence MissingFieldsAbsence(const Device& device) const {
    if (sysman_ != nullptr) return v1::ABSENCE_UNSUPPORTED;
    for (const std::string& node : device.nodes) {
      if (!absl::StartsWith(node, "/dev/dri/renderD")) continue;
      if (access((root_path_ + node).c_str(), R_OK | W_OK) != 0 && errno == EACCES) return v1::ABSENCE_NOT_PERMITTED;
    }
    return v1::ABSENCE_UNSUPPORTED;
  }

  const std::string root_path_;
  const base::RootFolder root_;
  CallMarker& marker_;
  const IntelSources sources_;
  DrmSampler drm_;
  std::unique_ptr<SysmanSampler> sysman_;
  std::map<std::string, Device> devices_;  // By PCI address; none ever leaves.
  int turn_ = 0;
};

absl::StatusOr<SysmanCalls> InstalledSysman() {
  // Never unloaded.
  const auto library = SharedLibrary::Open(LevelZeroCandidates());
  if (!library.ok()) return library.status();
  return FindSysmanCalls(**library);
}

}  // namespace

std::unique_ptr<Sampler> MakeIntelSampler(std::string root, CallMarker& marker) {
  return MakeIntelSampler(std::move(root), marker, {.sysman = InstalledSysman, .now_us = SteadyUs, .pause = [] {
                                                      std::this_thread::sleep_for(std::chrono::milliseconds(100));
                                                    }});
}

std::unique_ptr<Sampler> MakeIntelSampler(std::string root, CallMarker& marker, IntelSources sources) {
  return std::make_unique<IntelSampler>(std::move(root), marker, std::move(sources));
}

}  // namespace muster::agent
