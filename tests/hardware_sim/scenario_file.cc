#include "tests/hardware_sim/scenario_file.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/file.h"
#include "base/status_macros.h"
#include "base/telemetry_field.h"
#include "base/textproto.h"
#include "tests/hardware_sim/curve.h"
#include "tests/hardware_sim/fault_rules.h"
#include "tests/hardware_sim/models.h"

namespace muster::sim {
namespace {

absl::Status CheckCount(const std::string& place, int count, int limit) {
  if (count <= limit) return absl::OkStatus();
  return Wrong(place, absl::StrCat("at most ", limit), absl::StrCat(count));
}

absl::Status CheckPoints(const std::string& place, const Curve& curve) {
  RETURN_IF_ERROR(CheckCount(absl::StrCat(place, ".points"), curve.points_size(), kMaxPoints));
  double last = -1;
  for (int i = 0; i < curve.points_size(); ++i) {
    const std::string point = absl::StrCat(place, ".points[", i, "]");
    RETURN_IF_ERROR(CheckNumber(absl::StrCat(point, ".at_s"), curve.points(i).at_s(), 0, kMaxSeconds));
    RETURN_IF_ERROR(CheckNumber(absl::StrCat(point, ".value"), curve.points(i).value(), -kMaxValue, kMaxValue));
    if (curve.points(i).at_s() <= last) {
      return Wrong(absl::StrCat(point, ".at_s"), absl::StrCat("a time after that of the point before, ", last),
                   absl::StrCat(curve.points(i).at_s()));
    }
    last = curve.points(i).at_s();
  }
  return absl::OkStatus();
}

// An empty curve is in order here.
absl::Status CheckCurve(const std::string& place, const Curve& curve, double low, double high) {
  const int kinds = (curve.points_size() > 0) + curve.has_wave() + curve.has_constant();
  if (kinds > 1) return Wrong(place, "one of points, wave and constant", absl::StrCat(kinds, " of them"));
  RETURN_IF_ERROR(CheckPoints(place, curve));
  if (curve.has_constant()) {
    RETURN_IF_ERROR(CheckNumber(absl::StrCat(place, ".constant"), curve.constant(), -kMaxValue, kMaxValue));
  }
  if (curve.has_wave()) {
    RETURN_IF_ERROR(CheckNumber(absl::StrCat(place, ".wave.mean"), curve.wave().mean(), -kMaxValue, kMaxValue));
    RETURN_IF_ERROR(
        CheckNumber(absl::StrCat(place, ".wave.amplitude"), curve.wave().amplitude(), -kMaxValue, kMaxValue));
    RETURN_IF_ERROR(CheckNumber(absl::StrCat(place, ".wave.period_s"), curve.wave().period_s(), 1e-3, kMaxSeconds));
  }
  const Range range = RangeOf(curve);
  if (range.low >= low && range.high <= high) return absl::OkStatus();
  return Wrong(place, absl::StrFormat("values from %g to %g", low, high),
               absl::StrFormat("%g to %g", range.low, range.high));
}

bool NeverFalls(const Curve& curve) {
  for (int i = 1; i < curve.points_size(); ++i) {
    if (curve.points(i).value() < curve.points(i - 1).value()) return false;
  }
  return !curve.has_wave();
}

absl::Status CheckField(const std::string& place, const FieldCurve& field) {
  const base::TelemetryFieldInfo* info = base::FindTelemetryField(field.field());
  if (info == nullptr) return Wrong(absl::StrCat(place, ".field"), "a telemetry field", absl::StrCat(field.field()));
  if (field.labels_size() > 0 && field.labels_size() != static_cast<int>(info->labels.size())) {
    return Wrong(absl::StrCat(place, ".labels"), absl::StrCat("none or ", info->labels.size(), " of them"),
                 absl::StrCat(field.labels_size()));
  }
  for (const std::string& label : field.labels()) {
    RETURN_IF_ERROR(CheckText(absl::StrCat(place, ".labels"), label, 1, 64));
  }
  const bool absent = field.absence() != v1::ABSENCE_UNSPECIFIED;
  if (absent == field.has_curve()) return Wrong(place, "one of curve and absence", absent ? "both" : "neither");
  if (absent) {
    if (v1::Absence_IsValid(field.absence())) return absl::OkStatus();
    return Wrong(absl::StrCat(place, ".absence"), "an absence", absl::StrCat(field.absence()));
  }
  const bool positive = info->counter || field.field() == v1::POWER;
  const std::string curve = absl::StrCat(place, ".curve");
  RETURN_IF_ERROR(CheckCurve(curve, field.curve(), positive ? 0 : -kMaxValue, kMaxValue));
  if (!info->counter || NeverFalls(field.curve())) return absl::OkStatus();
  return Wrong(curve, "values that never fall, for the field is a counter", "values that fall");
}

absl::Status CheckCustom(const std::string& place, const CustomModel& model) {
  RETURN_IF_ERROR(CheckText(absl::StrCat(place, ".name"), model.name(), 1, 64));
  if (model.pci_vendor_id() != kIntel && model.pci_vendor_id() != kNvidia) {
    return Wrong(absl::StrCat(place, ".pci_vendor_id"), "0x8086 or 0x10de",
                 absl::StrFormat("%#x", model.pci_vendor_id()));
  }
  const struct {
    const char* name;
    double value;
    double low;
    double high;
  } numbers[] = {
      {"pci_device_id", static_cast<double>(model.pci_device_id()), 1, 0xFFFF},
      {"memory_bytes", static_cast<double>(model.memory_bytes()), 1 << 20, 1e15},
      {"power_limit_watts", model.power_limit_watts(), 1, 1e5},
      {"idle_watts", model.idle_watts(), 0, model.power_limit_watts() / 2},
      {"clock_max_hertz", model.clock_max_hertz(), 1e6, 1e11},
      {"memory_clock_hertz", model.memory_clock_hertz(), 1e6, 1e11},
      {"pcie_generation", static_cast<double>(model.pcie_generation()), 1, 6},
      {"pcie_lanes", static_cast<double>(model.pcie_lanes()), 1, 32},
      {"fans", static_cast<double>(model.fans()), 0, 16},
      {"links", static_cast<double>(model.links()), 0, 18},
      {"throttle_celsius", model.throttle_celsius(), 50, 200},
      {"shutdown_celsius", model.shutdown_celsius(), model.throttle_celsius(), 250},
  };
  for (const auto& number : numbers) {
    RETURN_IF_ERROR(CheckNumber(absl::StrCat(place, ".", number.name), number.value, number.low, number.high));
  }
  return absl::OkStatus();
}

// "0000:41:00.0"
absl::Status CheckPciAddress(const std::string& place, const std::string& address) {
  constexpr std::string_view kShape = "xxxx:xx:xx.x";
  bool right = address.size() == kShape.size();
  for (size_t i = 0; right && i < kShape.size(); ++i) {
    const bool digit = absl::ascii_isdigit(address[i]) || (address[i] >= 'a' && address[i] <= 'f');
    right = kShape[i] == 'x' ? digit : address[i] == kShape[i];
  }
  // A bus has 32 devices of 8 functions.
  right = right && address[8] <= '1' && address[11] <= '7';
  return right ? absl::OkStatus() : Wrong(place, "an address like 0000:41:00.0", Shown(address));
}

absl::Status CheckDevice(const std::string& place, const Device& device) {
  if (device.model() == MODEL_UNSPECIFIED || !Model_IsValid(device.model())) {
    return Wrong(absl::StrCat(place, ".model"),
                 "a model: ARC_A770, ARC_PRO_B60, FLEX_170, MAX_1550, H100, H200, L40S, B200 or CUSTOM",
                 device.model() == MODEL_UNSPECIFIED ? "none" : absl::StrCat(device.model()));
  }
  if ((device.model() == CUSTOM) != device.has_custom()) {
    return Wrong(absl::StrCat(place, ".custom"), "it for model CUSTOM and no other",
                 device.has_custom() ? "it" : "none");
  }
  if (device.has_custom()) RETURN_IF_ERROR(CheckCustom(absl::StrCat(place, ".custom"), device.custom()));
  RETURN_IF_ERROR(CheckText(absl::StrCat(place, ".uuid"), device.uuid(), 0, 79));
  RETURN_IF_ERROR(CheckText(absl::StrCat(place, ".serial"), device.serial(), 0, 29));
  RETURN_IF_ERROR(CheckCurve(absl::StrCat(place, ".load"), device.load(), 0, 1));
  RETURN_IF_ERROR(CheckCount(absl::StrCat(place, ".fields"), device.fields_size(), kMaxFields));
  for (int i = 0; i < device.fields_size(); ++i) {
    RETURN_IF_ERROR(CheckField(absl::StrCat(place, ".fields[", i, "]"), device.fields(i)));
  }
  RETURN_IF_ERROR(CheckCount(absl::StrCat(place, ".faults"), device.faults_size(), kMaxFaults));
  const CustomModel model = FactsOf(device).model;
  for (int i = 0; i < device.faults_size(); ++i) {
    RETURN_IF_ERROR(CheckFault(absl::StrCat(place, ".faults[", i, "]"), device.faults(i), model));
  }
  return absl::OkStatus();
}

absl::Status CheckMachine(const std::string& place, const Machine& machine) {
  RETURN_IF_ERROR(CheckText(absl::StrCat(place, ".nvidia_driver_version"), machine.nvidia_driver_version(), 0, 64));
  RETURN_IF_ERROR(CheckText(absl::StrCat(place, ".intel_driver_version"), machine.intel_driver_version(), 0, 64));
  RETURN_IF_ERROR(CheckCount(absl::StrCat(place, ".devices"), machine.devices_size(), kMaxDevices));
  std::set<std::string> addresses;
  std::set<std::string> uuids;
  for (int i = 0; i < machine.devices_size(); ++i) {
    const Device& device = machine.devices(i);
    const std::string here = absl::StrCat(place, ".devices[", i, "]");
    RETURN_IF_ERROR(CheckDevice(here, device));
    const std::string address = PciAddressOf(device, i);
    RETURN_IF_ERROR(CheckPciAddress(absl::StrCat(here, ".pci_address"), address));
    if (!addresses.insert(address).second) {
      return Wrong(absl::StrCat(here, ".pci_address"), "an address of its own",
                   absl::StrCat("another device at ", address));
    }
    if (!device.uuid().empty() && !uuids.insert(device.uuid()).second) {
      return Wrong(absl::StrCat(here, ".uuid"), "a UUID of its own", absl::StrCat("another device's, ", device.uuid()));
    }
  }
  return absl::OkStatus();
}

}  // namespace

std::string PciAddressOf(const Device& device, int place) {
  if (!device.pci_address().empty()) return device.pci_address();
  return absl::StrFormat("%04x:%02x:00.0", place / 8, 0x19 + place % 8 * 0x18);
}

absl::Status CheckScenario(const Scenario& scenario) {
  if (scenario.machines().empty()) return Wrong("machines", "one machine or more", "none");
  RETURN_IF_ERROR(CheckCount("machines", scenario.machines_size(), kMaxMachines));
  std::set<std::string> names;
  for (int i = 0; i < scenario.machines_size(); ++i) {
    const Machine& machine = scenario.machines(i);
    const std::string place = absl::StrCat("machines[", i, "]");
    RETURN_IF_ERROR(CheckMachineName(absl::StrCat(place, ".name"), machine.name()));
    if (!names.insert(machine.name()).second) {
      return Wrong(absl::StrCat(place, ".name"), "a name of its own",
                   absl::StrCat("another machine called ", machine.name()));
    }
    RETURN_IF_ERROR(CheckMachine(place, machine));
  }
  return absl::OkStatus();
}

absl::StatusOr<Scenario> ParseScenario(std::string_view text, std::string_view source) {
  Scenario scenario;
  RETURN_IF_ERROR(base::ParseTextProto(text, source, &scenario, kMaxScenarioBytes));
  const absl::Status checked = CheckScenario(scenario);
  if (checked.ok()) return scenario;
  return absl::InvalidArgumentError(absl::StrCat(std::string(source), ": ", checked.message()));
}

absl::StatusOr<Scenario> ReadScenario(const std::string& path) {
  ASSIGN_OR_RETURN(const std::string text, base::ReadFile(path, kMaxScenarioBytes));
  return ParseScenario(text, path);
}

}  // namespace muster::sim
