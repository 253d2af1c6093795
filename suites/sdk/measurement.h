// Measurements with units, and what they must be.
//
//   Measure("copy_bandwidth", bytes / seconds, "B/s").OnDevice(device).AtLeast(floor);
//
// The measurement is reported at the end of the statement. A value outside of what is expected fails the test, with the
// measurement's name in the diagnosis; NaN and infinities are tool errors. Units: "B/s", "FLOP/s", "s", "B", "Cel",
// "W", "1" for a share or a count.
#ifndef MUSTER_SUITES_SDK_MEASUREMENT_H_
#define MUSTER_SUITES_SDK_MEASUREMENT_H_

#include <optional>
#include <source_location>
#include <string>

#include "muster/v1/fleet.pb.h"
#include "suites/sdk/report.h"

namespace muster::sdk {

class Measurement {
 public:
  Measurement(std::string name, MeasuredValue value, std::string unit, std::source_location location);
  ~Measurement();
  Measurement(const Measurement&) = delete;
  Measurement& operator=(const Measurement&) = delete;

  // Without it: the device of the ForEachDevice round, if any.
  Measurement& OnDevice(const v1::Device& device);
  // A part of the device: "engine 0", "link 3".
  Measurement& OfPart(std::string subcomponent);

  Measurement& AtLeast(double limit);
  Measurement& AtMost(double limit);
  Measurement& MoreThan(double limit);
  Measurement& LessThan(double limit);
  Measurement& ExpectEqual(double expected);
  Measurement& ExpectEqual(const std::string& expected);
  Measurement& ExpectTrue();

 private:
  Measurement& Check(bool holds, const char* type, MeasuredValue limit, const std::string& words);

  MeasurementRecord record_;
  const SourceLocation location_;
  // What was expected and is not so, in words.
  std::string broken_;
};

inline Measurement Measure(std::string name, double value, std::string unit,
                           std::source_location location = std::source_location::current()) {
  return Measurement(std::move(name), value, std::move(unit), location);
}
inline Measurement MeasureText(std::string name, std::string value,
                               std::source_location location = std::source_location::current()) {
  return Measurement(std::move(name), std::move(value), "", location);
}
inline Measurement MeasureTruth(std::string name, bool value,
                                std::source_location location = std::source_location::current()) {
  return Measurement(std::move(name), value, "", location);
}

// Evidence that the device worked: reports "work.KIND" ("bytes", "flop", "iterations"). A case with needs_gpu_work that
// passes without any is VACUOUS.
void ReportWork(const std::string& kind, double amount);

// A value beside what the device can do at best: reports NAME, NAME.expected and NAME.share, and fails under
// `floor_share`. `expected` unknown (nullopt): reports NAME alone and logs that nothing is expected of it. A floor
// above 1 or, unless it is 0 for "no floor", under 0.5 is a broken floor: a tool error. So is a share above 1.05: time
// or expectation is then wrong. With simulated devices there is neither floor nor such an error. `part` is as in
// OfPart().
void MeasureShare(const std::string& name, double value, const std::string& unit, std::optional<double> expected,
                  double floor_share, std::source_location location = std::source_location::current(),
                  const std::string& part = "");

}  // namespace muster::sdk

#endif  // MUSTER_SUITES_SDK_MEASUREMENT_H_
