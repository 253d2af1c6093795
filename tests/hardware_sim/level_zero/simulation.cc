#include "tests/hardware_sim/level_zero/simulation.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <set>
#include <thread>

#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"

namespace muster::sim::ze {
namespace {

// How often a hanging call looks whether its fault still stands.
constexpr auto kHangPoll = std::chrono::milliseconds(20);

// The telemetry fields whose labels are the components of a part.
struct PartField {
  Part part;
  v1::TelemetryField field;
};
constexpr PartField kPartFields[] = {
    {Part::kTemperature, v1::TEMPERATURE},
    {Part::kPower, v1::ENERGY},
    {Part::kPower, v1::POWER},
    {Part::kFrequency, v1::CLOCK},
    {Part::kEngine, v1::ENGINE_ACTIVE_SECONDS},
    {Part::kRas, v1::RAS_ERRORS},
    {Part::kFan, v1::FAN_SPEED_RPM},
    {Part::kFan, v1::FAN_SPEED_RATIO},
    {Part::kFabricPort, v1::LINK_UP},
};

ze_result_t ResultOfAbsence(v1::Absence absence) {
  switch (absence) {
    case v1::ABSENCE_NOT_PERMITTED:
      return ZE_RESULT_ERROR_INSUFFICIENT_PERMISSIONS;
    case v1::ABSENCE_FAILING:
      return ZE_RESULT_ERROR_NOT_AVAILABLE;
    default:
      return ZE_RESULT_ERROR_UNSUPPORTED_FEATURE;
  }
}

void AddComponent(Device& device, Part part, const std::string& label) {
  auto& list = device.components[static_cast<size_t>(part)];
  const auto same = [&](const auto& component) { return component->label == label; };
  if (std::any_of(list.begin(), list.end(), same)) return;
  const auto index = static_cast<uint32_t>(list.size());
  list.push_back(std::make_unique<Component>(Component{&device, part, label, index}));
}

// Waits while the scenario lets the call hang; then what it returns.
ze_result_t ResultOfCall(const Device& device, const char* function, std::shared_ptr<const World>& world,
                         Seconds& now) {
  Simulation& simulation = *Simulation::Get();
  while (true) {
    world = simulation.world();
    now = simulation.now();
    if (device.index >= world->devices().size()) return ZE_RESULT_ERROR_DEVICE_LOST;  // The scenario was changed.
    const std::optional<CallFault> fault = world->FaultOfCall(device.index, function, now);
    if (fault.has_value() && fault->hangs) {
      std::this_thread::sleep_for(kHangPoll);
      continue;
    }
    if (world->IsLost(device.index, now)) return ZE_RESULT_ERROR_DEVICE_LOST;
    return fault.has_value() ? static_cast<ze_result_t>(fault->result) : ZE_RESULT_SUCCESS;
  }
}

// "0,2.0": the device numbers of a mask. A simulated card has no tiles, so that "2.0" is device 2 and "2.1" nothing,
// and ZE_FLAT_DEVICE_HIERARCHY makes no difference.
std::set<size_t> ParseMask(std::string_view mask) {
  std::set<size_t> numbers;
  for (absl::string_view entry : absl::StrSplit(absl::string_view(mask.data(), mask.size()), ',')) {
    const std::pair<absl::string_view, absl::string_view> parts = absl::StrSplit(entry, absl::MaxSplits('.', 1));
    uint32_t number = 0;
    if (!absl::SimpleAtoi(parts.first, &number)) continue;
    if (parts.second.empty() || parts.second == "0") numbers.insert(number);
  }
  return numbers;
}

}  // namespace

Simulation* Simulation::Get() {
  static Simulation* const simulation = Make().release();  // Threads of the process may outlive main().
  return simulation;
}

std::unique_ptr<Simulation> Simulation::Make() {
  auto live = LiveWorld::FromEnvironment();
  if (!live.ok()) {
    std::fprintf(stderr, "simulated Level Zero driver: %s\n", live.status().ToString().c_str());
    return nullptr;
  }
  std::unique_ptr<Simulation> simulation(new Simulation);
  simulation->live_ = *std::move(live);
  const std::shared_ptr<const World> world = simulation->world();
  const Seconds now = simulation->now();
  for (size_t i = 0; i < world->devices().size(); ++i) {
    // A driver lists what PCI shows at its start.
    if (world->devices()[i].device.vendor() != v1::VENDOR_INTEL || world->IsLost(i, now)) continue;
    simulation->AddDevice(*world, i);
  }
  if (simulation->devices_.empty()) return nullptr;
  const char* mask = std::getenv("ZE_AFFINITY_MASK");
  const std::set<size_t> chosen = ParseMask(mask == nullptr ? "" : mask);
  for (size_t i = 0; i < simulation->devices_.size(); ++i) {
    const bool all = mask == nullptr || *mask == '\0';
    if (all || chosen.count(i) > 0) simulation->visible_.push_back(simulation->devices_[i].get());
  }
  return simulation;
}

void Simulation::AddDevice(const World& world, size_t index) {
  auto device = std::make_unique<Device>();
  device->index = index;
  device->facts = world.devices()[index];
  for (const PartField& entry : kPartFields) {
    for (const auto& labels : world.LabelsOf(index, entry.field)) {
      if (!labels.empty()) AddComponent(*device, entry.part, labels[0]);
    }
  }
  AddComponent(*device, Part::kMemory, "memory");
  if (!device->facts.device.firmware_version().empty()) AddComponent(*device, Part::kFirmware, "GFX");
  if (!device->facts.device.vbios_version().empty()) AddComponent(*device, Part::kFirmware, "OptionROM");
  devices_.push_back(std::move(device));
}

void Simulation::EnableSysmanWithCore() {
  SysmanMode off = SysmanMode::kOff;
  sysman_.compare_exchange_strong(off, SysmanMode::kWithCore);
}

bool Simulation::EnableOwnSysman() {
  SysmanMode off = SysmanMode::kOff;
  sysman_.compare_exchange_strong(off, SysmanMode::kOwn);
  return sysman_ == SysmanMode::kOwn;
}

Call::Call(const Device* device, const char* function) : device_(device) {
  Simulation* simulation = Simulation::Get();
  const bool sysman = std::string_view(function).substr(0, 3) == "zes";
  if (simulation == nullptr || (sysman && !simulation->sysman_enabled())) {
    result_ = ZE_RESULT_ERROR_UNINITIALIZED;
  } else if (device == nullptr) {
    result_ = ZE_RESULT_ERROR_INVALID_NULL_HANDLE;
  } else {
    result_ = ResultOfCall(*device, function, world_, now_);
  }
}

ze_result_t Call::Read(v1::TelemetryField field, const std::vector<std::string>& labels, double& value) const {
  const v1::Reading reading = world_->Read(device_->index, field, labels, now_);
  if (!reading.has_value()) return ResultOfAbsence(reading.absence());
  value = reading.value();
  return ZE_RESULT_SUCCESS;
}

double Call::ReadOr(v1::TelemetryField field, const std::vector<std::string>& labels, double otherwise) const {
  double value = otherwise;
  Read(field, labels, value);
  return value;
}

std::vector<std::vector<std::string>> Call::LabelsOf(v1::TelemetryField field) const {
  return world_->LabelsOf(device_->index, field);
}

uint64_t Call::microseconds() const { return Whole(now_ * 1e6); }

ze_result_t ResultOfDriverCall(const char* function) {
  Simulation* simulation = Simulation::Get();
  if (simulation == nullptr) return ZE_RESULT_ERROR_UNINITIALIZED;
  for (const auto& device : simulation->devices()) {
    std::shared_ptr<const World> world;
    Seconds now = 0;
    const ze_result_t result = ResultOfCall(*device, function, world, now);
    // The other devices go on without the lost one.
    if (result != ZE_RESULT_SUCCESS && result != ZE_RESULT_ERROR_DEVICE_LOST) return result;
  }
  return ZE_RESULT_SUCCESS;
}

uint64_t Whole(double value) { return value > 0 ? static_cast<uint64_t>(std::llround(value)) : 0; }

}  // namespace muster::sim::ze
