#include "tests/hardware_sim/readings.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "base/telemetry_field.h"

namespace muster::sim {
namespace {

// How the figures of a model bend with its load. Nobody's measurements: plausible ones.
constexpr double kBusyShareOfLimit = 0.96;
constexpr double kIdleCelsius = 34;
constexpr double kHeadroomCelsius = 12;  // Under the throttle limit at full load.
constexpr double kThermalSeconds = 30;   // A temperature follows the load of so long.
constexpr double kMemoryOverheadShare = 0.005;
constexpr double kMemoryBusyShare = 0.8;
constexpr double kReceiveShare = 0.3;  // Of a link's bandwidth at full load.
constexpr double kTransmitShare = 0.15;
constexpr double kMaxRpm = 3600;

const Steps kAlways = {};

double DomainShare(const std::string& domain) {
  if (domain == "gpu") return 0.75;
  return domain == "memory" ? 0.2 : 1;
}

// Of the load, how much an engine does.
double EngineShare(const std::string& engine) {
  if (engine == "gpu" || engine == "compute") return 1;
  if (engine == "memory") return 0.6;
  return engine == "copy" ? 0.1 : 0;
}

double DirectionShare(const std::string& direction) { return direction == "receive" ? kReceiveShare : kTransmitShare; }

}  // namespace

std::vector<Labels> Readings::LabelsOf(v1::TelemetryField field) const {
  std::vector<Labels> all = OwnLabelsOf(field);
  const base::TelemetryFieldInfo* info = base::FindTelemetryField(field);
  for (const FieldCurve& curve : scenario_.fields()) {
    const Labels labels(curve.labels().begin(), curve.labels().end());
    if (curve.field() != field || info == nullptr || labels.size() != info->labels.size()) continue;
    if (std::find(all.begin(), all.end(), labels) == all.end()) all.push_back(labels);
  }
  return all;
}

v1::Reading Readings::Read(v1::TelemetryField field, const Labels& labels) const {
  v1::Reading reading;
  reading.set_field(field);
  for (const std::string& label : labels) reading.add_labels(label);
  const std::vector<Labels> all = LabelsOf(field);
  const FieldCurve* override_curve = OverrideOf(field, labels);
  if (std::find(all.begin(), all.end(), labels) == all.end()) {
    reading.set_absence(v1::ABSENCE_UNSUPPORTED);
  } else if (IsLost(scenario_, now_s_)) {
    reading.set_absence(v1::ABSENCE_FAILING);
  } else if (override_curve != nullptr && override_curve->absence() != v1::ABSENCE_UNSPECIFIED) {
    reading.set_absence(override_curve->absence());
  } else {
    reading.set_value(Value(field, labels));
  }
  return reading;
}

const FieldCurve* Readings::OverrideOf(v1::TelemetryField field, const Labels& labels) const {
  for (const FieldCurve& curve : scenario_.fields()) {
    if (curve.field() != field) continue;
    // Without labels: all of the field.
    if (curve.labels().empty() ||
        std::equal(curve.labels().begin(), curve.labels().end(), labels.begin(), labels.end()))
      return &curve;
  }
  return nullptr;
}

double Readings::Value(v1::TelemetryField field, const Labels& labels) const {
  const FieldCurve* curve = OverrideOf(field, labels);
  return curve != nullptr && curve->has_curve() ? ValueAt(curve->curve(), now_s_) : OwnValue(field, labels);
}

double Readings::OwnValue(v1::TelemetryField field, const Labels& labels) const {
  const std::string first = labels.empty() ? std::string() : labels[0];
  switch (field) {
    case v1::TEMPERATURE:
      return Temperature(first);
    case v1::TEMPERATURE_LIMIT:
      return TemperatureLimit(first);
    case v1::POWER:
      return Power(first);
    case v1::POWER_LIMIT:
      return PowerLimit(first);
    case v1::ENERGY:
      return Energy(first);
    case v1::CLOCK:
      return Clock(first);
    case v1::CLOCK_MAX:
      return ClockMax(first);
    case v1::THROTTLED:
      return (first == "idle" && Load() <= 0) || IsThrottled(scenario_, first, now_s_);
    case v1::THROTTLE_SECONDS:
      return ThrottleSeconds(scenario_, first, now_s_);
    case v1::UTILIZATION:
      return Utilization(first);
    case v1::ENGINE_ACTIVE_SECONDS:
      return EngineSeconds(first);
    case v1::MEMORY_SIZE:
    case v1::MEMORY_USED:
    case v1::MEMORY_FREE:
    case v1::MEMORY_RESERVED:
      return MemoryBytes(field);
    case v1::MEMORY_READ_BYTES:
      return 0.4 * facts_.traits.memory_bandwidth * LoadIntegral(bends_.power);
    case v1::MEMORY_WRITTEN_BYTES:
      return 0.2 * facts_.traits.memory_bandwidth * LoadIntegral(bends_.power);
    case v1::MEMORY_BANDWIDTH_MAX:
      return facts_.traits.memory_bandwidth;
    case v1::PCIE_LINK_GENERATION:
      if (facts_.traits.idle_pcie_generation > 0 && Load() <= 0) return facts_.traits.idle_pcie_generation;
      return PcieLinkOf(scenario_, facts_.model, now_s_).generation;
    case v1::PCIE_LINK_LANES:
      return PcieLinkOf(scenario_, facts_.model, now_s_).lanes;
    case v1::PCIE_LINK_GENERATION_MAX:
      return facts_.model.pcie_generation();
    case v1::PCIE_LINK_LANES_MAX:
      return facts_.model.pcie_lanes();
    case v1::PCIE_THROUGHPUT:
      return PcieRate(first) * Load() * FactorAt(bends_.pcie, now_s_);
    case v1::PCIE_BYTES:
      return std::floor(PcieRate(first) * LoadIntegral(bends_.pcie));
    case v1::LINK_UP:
    case v1::LINK_BANDWIDTH:
    case v1::LINK_BYTES:
      return LinkValue(field, labels);
    case v1::FAN_SPEED_RATIO:
    case v1::FAN_SPEED_RPM:
      return Fan(field, first);
    case v1::PROCESSES:
      return first == "compute" && Load() > 0;
    case v1::PERFORMANCE_STATE:
      return facts_.traits.hbm || Load() > 0 ? 0 : 8;
    default:
      return Errors(field, labels);
  }
}

double Readings::Load() const { return ValueAt(scenario_.load(), now_s_); }

// Over all time, while the device is there.
double Readings::LoadIntegral(const Steps& steps) const {
  return Integral(scenario_.load(), Multiply(steps, bends_.present), now_s_);
}

// A quarter of the load already asks for the full clocks.
double Readings::Ramp() const { return std::min(1.0, 4 * Load()); }

double Readings::Temperature(const std::string& location) const {
  const double limit = facts_.model.throttle_celsius();
  const double before = ValueAt(scenario_.load(), 0) * std::max(0.0, kThermalSeconds - now_s_);
  const double recent = Integral(scenario_.load(), now_s_) - Integral(scenario_.load(), now_s_ - kThermalSeconds);
  const double load = (before + recent) / kThermalSeconds;
  double celsius = kIdleCelsius + (limit - kHeadroomCelsius - kIdleCelsius) * load;
  for (uint32_t fan = 0; fan < facts_.model.fans(); ++fan) {
    if (IsFanStopped(scenario_, fan, now_s_)) celsius = std::max(celsius, limit - 3);
  }
  for (const char* reason : {"thermal", "hw_thermal"}) {
    if (IsThrottled(scenario_, reason, now_s_)) celsius = std::max(celsius, limit + (*reason == 'h' ? 4 : 1));
  }
  return location == "memory" ? celsius + 4 : celsius;
}

double Readings::TemperatureLimit(const std::string& limit) const {
  if (limit == "slowdown") return facts_.model.throttle_celsius() + 2;
  if (limit == "memory_throttle") return facts_.model.throttle_celsius() + 8;
  return limit == "shutdown" ? facts_.model.shutdown_celsius() : facts_.model.throttle_celsius();
}

double Readings::PowerLimit(const std::string& kind) const {
  return facts_.model.power_limit_watts() * (kind == "minimum" ? 0.3 : 1);
}

double Readings::Power(const std::string& domain) const {
  const double idle = facts_.model.idle_watts();
  const double span = facts_.model.power_limit_watts() * kBusyShareOfLimit - idle;
  return DomainShare(domain) * (idle + span * Load() * FactorAt(bends_.power, now_s_));
}

// The integral of what Power() gives.
double Readings::Energy(const std::string& domain) const {
  const FieldCurve* curve = OverrideOf(v1::POWER, {domain});
  if (curve != nullptr && curve->has_curve()) return Integral(curve->curve(), bends_.present, now_s_);
  const double idle = facts_.model.idle_watts();
  const double span = facts_.model.power_limit_watts() * kBusyShareOfLimit - idle;
  Curve always;
  always.set_constant(idle);
  return DomainShare(domain) * (Integral(always, bends_.present, now_s_) + span * LoadIntegral(bends_.power));
}

double Readings::ClockMax(const std::string& domain) const {
  if (domain == "memory") return facts_.model.memory_clock_hertz();
  return domain == "video" || domain == "media" ? facts_.traits.media_clock_hertz : facts_.model.clock_max_hertz();
}

double Readings::Clock(const std::string& domain) const {
  const double max = ClockMax(domain);
  if (domain == "memory" && facts_.traits.hbm) return max;
  if (domain == "memory") return max * (0.05 + 0.95 * Ramp());
  const double idle = std::min(max, facts_.traits.idle_clock_hertz);
  return std::min(idle + (max - idle) * Ramp(), max * FactorAt(bends_.clock, now_s_));
}

double Readings::Utilization(const std::string& engine) const { return EngineShare(engine) * Load(); }

double Readings::EngineSeconds(const std::string& engine) const {
  const FieldCurve* curve = OverrideOf(v1::UTILIZATION, {engine});
  if (curve != nullptr && curve->has_curve()) return Integral(curve->curve(), bends_.present, now_s_);
  return EngineShare(engine) * LoadIntegral(kAlways);
}

double Readings::MemoryBytes(v1::TelemetryField field) const {
  const double size = static_cast<double>(facts_.model.memory_bytes());
  const double reserved = static_cast<double>(facts_.traits.memory_reserved_bytes);
  if (field == v1::MEMORY_SIZE) return size;
  if (field == v1::MEMORY_RESERVED) return reserved;
  if (field == v1::MEMORY_USED) {
    return std::floor((size - reserved) * (kMemoryOverheadShare + kMemoryBusyShare * Load()));
  }
  return std::max(0.0, size - reserved - Value(v1::MEMORY_USED, {}));
}

// At full load and an undamaged link.
double Readings::PcieRate(const std::string& direction) const {
  const CustomModel& model = facts_.model;
  return DirectionShare(direction) * LaneBandwidth(model.pcie_generation()) * model.pcie_lanes();
}

double Readings::LinkValue(v1::TelemetryField field, const Labels& labels) const {
  const uint32_t link = static_cast<uint32_t>(std::atoi(labels[0].c_str()));
  const bool up = !IsLinkDown(scenario_, link, now_s_);
  if (field == v1::LINK_UP) return up;
  if (field == v1::LINK_BANDWIDTH) return up ? facts_.traits.link_bandwidth : 0;
  const double rate = DirectionShare(labels[1]) * facts_.traits.link_bandwidth;
  return std::floor(rate * LoadIntegral(LinkSteps(scenario_, link)));
}

double Readings::Errors(v1::TelemetryField field, const Labels& labels) const {
  switch (field) {
    case v1::PCIE_REPLAYS:
      return PcieReplaysOf(scenario_, now_s_);
    case v1::ECC_ERRORS:
      return MemoryErrors(scenario_, labels[0], labels[1], now_s_);
    case v1::RAS_ERRORS:
      if (labels[1] == "reset") return labels[0] == "uncorrected" ? EngineResets(scenario_, now_s_) : 0;
      return MemoryErrors(scenario_, labels[0], labels[1], now_s_);
    case v1::ROW_REMAPS: {
      const RowRemaps rows = RowRemapsOf(scenario_, now_s_);
      return labels[0] == "corrected" ? rows.corrected : rows.uncorrected;
    }
    case v1::ROW_REMAP_PENDING:
      return RowRemapsOf(scenario_, now_s_).pending;
    case v1::ROW_REMAP_FAILED:
      return RowRemapsOf(scenario_, now_s_).failed;
    case v1::LINK_ERRORS:
      return LinkErrors(scenario_, static_cast<uint32_t>(std::atoi(labels[0].c_str())), labels[1], now_s_);
    case v1::WEDGED:
      return IsWedged(scenario_, now_s_);
    default:
      return 0;
  }
}

double Readings::Fan(v1::TelemetryField field, const std::string& fan) const {
  const bool stopped = IsFanStopped(scenario_, static_cast<uint32_t>(std::atoi(fan.c_str())), now_s_);
  const double ratio = stopped ? 0 : 0.3 + 0.6 * Load();
  return field == v1::FAN_SPEED_RATIO ? ratio : std::round(ratio * kMaxRpm);
}

}  // namespace muster::sim
