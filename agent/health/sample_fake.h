// Samples for tests, in few words: Sample().With(v1::TEMPERATURE, {"core"}, 60).
#ifndef MUSTER_AGENT_HEALTH_SAMPLE_FAKE_H_
#define MUSTER_AGENT_HEALTH_SAMPLE_FAKE_H_

#include <string>
#include <utility>
#include <vector>

#include "muster/v1/telemetry.pb.h"

namespace muster::agent {

class FakeSample {
 public:
  explicit FakeSample(const std::string& pci_address = "0000:41:00.0", int64_t time_unix_ms = 0) {
    sample_.set_pci_address(pci_address);
    sample_.set_time_unix_ms(time_unix_ms);
    sample_.set_duration_us(500);
  }
  FakeSample& With(v1::TelemetryField field, const std::vector<std::string>& labels, double value) {
    Add(field, labels).set_value(value);
    return *this;
  }
  FakeSample& With(v1::TelemetryField field, double value) { return With(field, {}, value); }
  FakeSample& Absent(v1::TelemetryField field, const std::vector<std::string>& labels = {},
                     v1::Absence absence = v1::ABSENCE_FAILING) {
    Add(field, labels).set_absence(absence);
    return *this;
  }
  operator v1::DeviceSample() const { return sample_; }  // NOLINT: that is what it is for.

 private:
  v1::Reading& Add(v1::TelemetryField field, const std::vector<std::string>& labels) {
    v1::Reading& reading = *sample_.add_readings();
    reading.set_field(field);
    for (const std::string& label : labels) reading.add_labels(label);
    return reading;
  }
  v1::DeviceSample sample_;
};

}  // namespace muster::agent

#endif  // MUSTER_AGENT_HEALTH_SAMPLE_FAKE_H_
