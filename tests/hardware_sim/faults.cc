#include "tests/hardware_sim/faults.h"

#include <algorithm>
#include <cmath>

namespace muster::sim {
namespace {

bool IsXid(const Fault& fault, uint32_t number) {
  return fault.kind_case() == Fault::kXid && fault.xid().number() == number;
}

// Steps that change only where a fault begins or ends.
template <typename Factor>
Steps StepsOf(const Device& device, Factor factor) {
  std::vector<double> times;
  for (const Fault& fault : device.faults()) {
    times.push_back(fault.at_s());
    if (fault.until_s() > 0) times.push_back(fault.until_s());
  }
  std::sort(times.begin(), times.end());
  times.erase(std::unique(times.begin(), times.end()), times.end());
  Steps steps;
  double last = 1;
  for (const double at_s : times) {
    const double now = factor(at_s);
    if (now != last) steps.push_back({at_s, now});
    last = now;
  }
  return steps;
}

bool LowersPower(const Throttle& throttle) { return throttle.reason() != "power"; }

double ClockRatio(const Throttle& throttle) { return throttle.clock_ratio() == 0 ? 0.5 : throttle.clock_ratio(); }

double ClockShare(const Device& device, bool for_power, double now_s) {
  double share = 1;
  for (const Fault& fault : device.faults()) {
    if (!fault.has_throttle() || !IsActive(fault, now_s)) continue;
    if (for_power && !LowersPower(fault.throttle())) continue;
    share = std::min(share, ClockRatio(fault.throttle()));
  }
  return share;
}

bool GivesReason(const Fault& fault, std::string_view reason) {
  if (!fault.has_throttle()) return false;
  const std::string& given = fault.throttle().reason();
  if (given == reason) return true;
  // NVIDIA's "hardware slowdown" stands over its two causes.
  return reason == "hw_slowdown" && (given == "hw_thermal" || given == "hw_power_brake");
}

std::string LocationOf(const EccErrors& errors) { return errors.location().empty() ? "dram" : errors.location(); }

bool Matches(std::string_view asked, const std::string& location) {
  return asked == "total" || asked == location || asked == RasCategory(location);
}

}  // namespace

bool IsActive(const Fault& fault, double now_s) {
  return now_s >= fault.at_s() && (fault.until_s() == 0 || now_s < fault.until_s());
}

double CountBy(const Fault& fault, double at_once, double per_second, double now_s) {
  if (now_s < fault.at_s()) return 0;
  const double end = fault.until_s() == 0 ? now_s : std::min(now_s, fault.until_s());
  return at_once + std::floor(per_second * (end - fault.at_s()));
}

bool IsLost(const Device& device, double now_s) {
  return std::any_of(device.faults().begin(), device.faults().end(), [now_s](const Fault& fault) {
    return (fault.has_device_lost() || IsXid(fault, 79)) && IsActive(fault, now_s);
  });
}

std::string RasCategory(std::string_view location) {
  if (location == "dram") return "memory";
  if (location == "sram" || location == "l1" || location == "l2" || location == "register") return "cache";
  return std::string(location);
}

double MemoryErrors(const Device& device, std::string_view kind, std::string_view location, double now_s) {
  const bool uncorrected = kind == "uncorrected";
  double errors = 0;
  for (const Fault& fault : device.faults()) {
    if (fault.has_ecc_errors()) {
      const EccErrors& ecc = fault.ecc_errors();
      if (ecc.uncorrected() != uncorrected || !Matches(location, LocationOf(ecc))) continue;
      errors += CountBy(fault, static_cast<double>(ecc.count()), ecc.per_second(), now_s);
    }
    // A double-bit error; contained and uncontained ones are of the memory and of the second cache.
    if (uncorrected && (IsXid(fault, 48) || IsXid(fault, 94)))
      errors += Matches(location, "dram") ? CountBy(fault, 1, 0, now_s) : 0;
    if (uncorrected && IsXid(fault, 95)) errors += Matches(location, "sram") ? CountBy(fault, 1, 0, now_s) : 0;
  }
  return errors;
}

std::vector<std::string> MemoryErrorLocations(const Device& device) {
  std::vector<std::string> locations;
  for (const Fault& fault : device.faults()) {
    if (fault.has_ecc_errors()) locations.push_back(LocationOf(fault.ecc_errors()));
  }
  return locations;
}

double EngineResets(const Device& device, double now_s) {
  double resets = 0;
  for (const Fault& fault : device.faults()) {
    if (fault.has_engine_hang()) resets += CountBy(fault, 1, 0, now_s);
  }
  return resets;
}

bool IsWedged(const Device& device, double now_s) {
  return std::any_of(device.faults().begin(), device.faults().end(), [now_s](const Fault& fault) {
    return fault.has_engine_hang() && fault.engine_hang().wedged() && IsActive(fault, now_s);
  });
}

RowRemaps RowRemapsOf(const Device& device, double now_s) {
  RowRemaps sum;
  for (const Fault& fault : device.faults()) {
    if (now_s < fault.at_s()) continue;
    const bool active = IsActive(fault, now_s);
    if (fault.has_row_remap()) {
      sum.corrected += fault.row_remap().corrected();
      sum.uncorrected += fault.row_remap().uncorrected();
      sum.pending |= active && fault.row_remap().pending();
      sum.failed |= active && fault.row_remap().failed();
    }
    if (IsXid(fault, 63)) {
      sum.uncorrected += 1;
      sum.pending |= active;
    }
    if (IsXid(fault, 64)) sum.failed |= active;
  }
  return sum;
}

bool IsThrottled(const Device& device, std::string_view reason, double now_s) {
  return std::any_of(device.faults().begin(), device.faults().end(),
                     [&](const Fault& fault) { return GivesReason(fault, reason) && IsActive(fault, now_s); });
}

double ThrottleSeconds(const Device& device, std::string_view reason, double now_s) {
  const Steps steps = StepsOf(device, [&](double at_s) { return IsThrottled(device, reason, at_s) ? 0.0 : 1.0; });
  Curve one;
  one.set_constant(1);
  return std::max(0.0, now_s) - Integral(one, steps, now_s);
}

PcieLink PcieLinkOf(const Device& device, const CustomModel& model, double now_s) {
  PcieLink link = {model.pcie_generation(), model.pcie_lanes()};
  for (const Fault& fault : device.faults()) {
    if (!fault.has_link_trained_down() || !IsActive(fault, now_s)) continue;
    const LinkTrainedDown& down = fault.link_trained_down();
    if (down.generation() > 0) link.generation = std::min(link.generation, down.generation());
    if (down.lanes() > 0) link.lanes = std::min(link.lanes, down.lanes());
  }
  return link;
}

double PcieReplaysOf(const Device& device, double now_s) {
  double replays = 0;
  for (const Fault& fault : device.faults()) {
    if (fault.has_pcie_replays()) replays += CountBy(fault, 0, fault.pcie_replays().per_second(), now_s);
  }
  return replays;
}

bool IsFanStopped(const Device& device, uint32_t fan, double now_s) {
  return std::any_of(device.faults().begin(), device.faults().end(), [&](const Fault& fault) {
    return fault.has_fan_stopped() && fault.fan_stopped().fan() == fan && IsActive(fault, now_s);
  });
}

bool IsLinkDown(const Device& device, uint32_t link, double now_s) {
  return std::any_of(device.faults().begin(), device.faults().end(), [&](const Fault& fault) {
    if (!IsActive(fault, now_s)) return false;
    if (IsXid(fault, 74)) return link == 0;
    return fault.has_interconnect_errors() && fault.interconnect_errors().down() &&
           fault.interconnect_errors().link() == link;
  });
}

double LinkErrors(const Device& device, uint32_t link, std::string_view kind, double now_s) {
  double errors = 0;
  for (const Fault& fault : device.faults()) {
    if (IsXid(fault, 74) && link == 0 && kind == "recovery") errors += CountBy(fault, 1, 0, now_s);
    if (!fault.has_interconnect_errors()) continue;
    const InterconnectErrors& faulty = fault.interconnect_errors();
    if (faulty.link() == link && faulty.kind() == kind) errors += CountBy(fault, 0, faulty.per_second(), now_s);
  }
  return errors;
}

Bends BendsOf(const Device& device, const CustomModel& model) {
  const auto bandwidth = [](const PcieLink& link) { return LaneBandwidth(link.generation) * link.lanes; };
  const double full = bandwidth({model.pcie_generation(), model.pcie_lanes()});
  Bends bends;
  bends.present = StepsOf(device, [&](double at_s) { return IsLost(device, at_s) ? 0.0 : 1.0; });
  bends.clock = StepsOf(device, [&](double at_s) { return ClockShare(device, false, at_s); });
  bends.power = StepsOf(device, [&](double at_s) { return ClockShare(device, true, at_s); });
  bends.pcie = StepsOf(device, [&](double at_s) { return bandwidth(PcieLinkOf(device, model, at_s)) / full; });
  return bends;
}

Steps LinkSteps(const Device& device, uint32_t link) {
  return StepsOf(device, [&](double at_s) { return IsLinkDown(device, link, at_s) ? 0.0 : 1.0; });
}

}  // namespace muster::sim
