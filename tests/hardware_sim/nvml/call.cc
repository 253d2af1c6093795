#include "tests/hardware_sim/nvml/call.h"

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include "tests/hardware_sim/scenario_file.h"

namespace muster::sim {
namespace {

constexpr std::chrono::milliseconds kHangSlice(20);

// Not ended at exit: a thread may still hang in a call.
std::mutex& LibraryMutex() {
  static auto& mutex = *new std::mutex;
  return mutex;
}
int init_count = 0;         // Under LibraryMutex().
LiveWorld* live = nullptr;  // Under LibraryMutex(); made once and kept.

LiveWorld* Library() {
  const std::lock_guard<std::mutex> lock(LibraryMutex());
  return init_count > 0 ? live : nullptr;
}

bool IsNvidia(const DeviceFacts& facts) { return facts.model.pci_vendor_id() == kNvidia; }

// One byte for each device: its address is the handle.
std::array<char, kMaxDevices> handles;

// The device that a handle means, by its place in the world; nothing for one that never was.
std::optional<size_t> FindDevice(const World& world, size_t place) {
  for (size_t i = 0; i < world.devices().size(); ++i) {
    if (IsNvidia(world.devices()[i]) && place-- == 0) return i;
  }
  return std::nullopt;
}

// kSuccess once no fault holds the call up any more.
nvml::Return SufferFaults(LiveWorld& library, size_t device, const char* function) {
  while (true) {
    const std::shared_ptr<const World> world = library.world();
    if (device >= world->devices().size()) return nvml::kSuccess;
    const std::optional<CallFault> fault = world->FaultOfCall(device, function, library.now());
    if (!fault.has_value()) return nvml::kSuccess;
    if (!fault->hangs) return static_cast<nvml::Return>(fault->result);
    std::this_thread::sleep_for(kHangSlice);
  }
}

// Those of all the machine's devices.
nvml::Return SufferAllFaults(LiveWorld& library, const char* function) {
  const size_t count = library.world()->devices().size();
  for (size_t i = 0; i < count; ++i) {
    if (const nvml::Return result = SufferFaults(library, i, function); result != nvml::kSuccess) return result;
  }
  return nvml::kSuccess;
}

}  // namespace

nvml::Return InitLibrary(const char* function) {
  LiveWorld* library = nullptr;
  {
    const std::lock_guard<std::mutex> lock(LibraryMutex());
    if (live == nullptr) {
      absl::StatusOr<std::unique_ptr<LiveWorld>> made = LiveWorld::FromEnvironment();
      if (!made.ok()) {
        std::fprintf(stderr, "simulated NVML: %s\n", std::string(made.status().message()).c_str());
        return nvml::kDriverNotLoaded;
      }
      live = made->release();
    }
    library = live;
  }
  if (const nvml::Return result = SufferAllFaults(*library, function); result != nvml::kSuccess) return result;
  // A machine without NVIDIA's GPUs has no driver of theirs.
  if (!FindDevice(*library->world(), 0).has_value()) return nvml::kDriverNotLoaded;
  const std::lock_guard<std::mutex> lock(LibraryMutex());
  ++init_count;
  return nvml::kSuccess;
}

nvml::Return ShutdownLibrary() {
  const std::lock_guard<std::mutex> lock(LibraryMutex());
  if (init_count == 0) return nvml::kUninitialized;
  --init_count;
  return nvml::kSuccess;
}

nvml::Return EnterLibrary(const char* function) {
  LiveWorld* library = Library();
  return library == nullptr ? nvml::kUninitialized : SufferAllFaults(*library, function);
}

std::vector<DeviceFacts> NvidiaDevices() {
  std::vector<DeviceFacts> devices;
  LiveWorld* library = Library();
  if (library == nullptr) return devices;
  for (const DeviceFacts& facts : library->world()->devices()) {
    if (IsNvidia(facts)) devices.push_back(facts);
  }
  return devices;
}

nvml::Device HandleOf(size_t place) { return &handles.at(place); }

Call::Call(const char* function, nvml::Device handle) { result_ = Enter(function, handle); }

nvml::Return Call::Enter(const char* function, nvml::Device handle) {
  LiveWorld* library = Library();
  if (library == nullptr) return nvml::kUninitialized;
  // Wraps round for what lies before.
  place_ = reinterpret_cast<uintptr_t>(handle) - reinterpret_cast<uintptr_t>(handles.data());
  if (place_ >= handles.size()) return nvml::kInvalidArgument;
  const std::optional<size_t> before = FindDevice(*library->world(), place_);
  if (!before.has_value()) return nvml::kInvalidArgument;
  const nvml::Return fault = SufferFaults(*library, *before, function);
  if (fault != nvml::kSuccess) return fault;
  // After a hang the scenario may be another.
  world_ = library->world();
  now_ = library->now();
  const std::optional<size_t> index = FindDevice(*world_, place_);
  if (!index.has_value()) return nvml::kInvalidArgument;
  index_ = *index;
  return world_->IsLost(index_, now_) ? nvml::kGpuIsLost : nvml::kSuccess;
}

nvml::Return Call::Read(v1::TelemetryField field, const std::vector<std::string>& labels, double& value) const {
  const v1::Reading reading = world_->Read(index_, field, labels, now_);
  switch (reading.absence()) {
    case v1::ABSENCE_UNSPECIFIED:
      value = reading.value();
      return nvml::kSuccess;
    case v1::ABSENCE_UNSUPPORTED:
      return nvml::kNotSupported;
    case v1::ABSENCE_NOT_PERMITTED:
      return nvml::kNoPermission;
    default:
      return nvml::kUnknown;
  }
}

bool Call::Has(v1::TelemetryField field, const std::vector<std::string>& labels) const {
  double value = 0;
  return Read(field, labels, value) != nvml::kNotSupported;
}

nvml::Return GiveText(const std::string& text, char* to, unsigned int size) {
  if (to == nullptr) return nvml::kInvalidArgument;
  if (text.size() >= size) return nvml::kInsufficientSize;
  std::memcpy(to, text.c_str(), text.size() + 1);
  return nvml::kSuccess;
}

}  // namespace muster::sim
