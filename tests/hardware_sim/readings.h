// What one simulated device reads now: which fields and labels it has, and their values after model, load and faults.
#ifndef MUSTER_TESTS_HARDWARE_SIM_READINGS_H_
#define MUSTER_TESTS_HARDWARE_SIM_READINGS_H_

#include <optional>
#include <string>
#include <vector>

#include "muster/v1/telemetry.pb.h"
#include "tests/hardware_sim/world.h"

namespace muster::sim {

using Labels = std::vector<std::string>;

// One device at one moment. Keeps references: for the duration of a call.
class Readings {
 public:
  Readings(const DeviceFacts& facts, Seconds now)
      : facts_(facts), scenario_(facts.scenario), bends_(facts.bends), now_s_(now) {}

  v1::Reading Read(v1::TelemetryField field, const Labels& labels) const;
  // Empty: the device does not have the field.
  std::vector<Labels> LabelsOf(v1::TelemetryField field) const;

 private:
  // What the model has, overrides aside.
  std::vector<Labels> OwnLabelsOf(v1::TelemetryField field) const;
  const FieldCurve* OverrideOf(v1::TelemetryField field, const Labels& labels) const;
  // The value after overrides; for a field and labels that the device has.
  double Value(v1::TelemetryField field, const Labels& labels) const;
  double OwnValue(v1::TelemetryField field, const Labels& labels) const;

  double Load() const;
  double LoadIntegral(const Steps& steps) const;
  double Ramp() const;

  double Temperature(const std::string& location) const;
  double TemperatureLimit(const std::string& limit) const;
  double PowerLimit(const std::string& kind) const;
  double Power(const std::string& domain) const;
  double Energy(const std::string& domain) const;
  double ClockMax(const std::string& domain) const;
  double Clock(const std::string& domain) const;
  double Utilization(const std::string& engine) const;
  double EngineSeconds(const std::string& engine) const;
  double MemoryBytes(v1::TelemetryField field) const;
  double PcieRate(const std::string& direction) const;
  double LinkValue(v1::TelemetryField field, const Labels& labels) const;
  double Errors(v1::TelemetryField field, const Labels& labels) const;
  double Fan(v1::TelemetryField field, const std::string& fan) const;
  bool IsNvidia() const { return facts_.model.pci_vendor_id() == kNvidia; }

  const DeviceFacts& facts_;
  const Device& scenario_;
  const Bends& bends_;
  const Seconds now_s_;
};

}  // namespace muster::sim

#endif  // MUSTER_TESTS_HARDWARE_SIM_READINGS_H_
