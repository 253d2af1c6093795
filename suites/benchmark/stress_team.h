// All leased devices at once: each with its load, its sensors, its ledger and a thread.
#ifndef MUSTER_SUITES_BENCHMARK_STRESS_TEAM_H_
#define MUSTER_SUITES_BENCHMARK_STRESS_TEAM_H_

#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "muster/v1/fleet.pb.h"
#include "suites/benchmark/coverage_ledger.h"
#include "suites/benchmark/hang_watch.h"
#include "suites/benchmark/stress_injection.h"
#include "suites/benchmark/stress_load.h"
#include "suites/physical/compute_device.h"
#include "suites/sdk/interruption.h"
#include "suites/sdk/sensor_series.h"

namespace muster::benchmark {

// Slices are queued one at a time and are no longer than this, so that the team yields in time.
inline constexpr double kSliceSeconds = 0.2;

struct StressMember {
  uint32_t index = 0;  // Among the leased devices.
  v1::Device device;
  std::unique_ptr<physical::ComputeDevice> gpu;
  std::unique_ptr<sdk::Sensors> sensors;  // Null: there are none; why, in no_sensors.
  absl::Status no_sensors;
  CoverageLedger ledger;
  // What the last Together() gave: sensors from its start on, slices of work in order.
  sdk::SensorSeries series;
  std::vector<StressSlice> slices;
  // Why the device could not be opened, or its thread ended early.
  std::exception_ptr error;

  uint64_t Wrong() const;
  double WorkedSeconds() const;
};

class StressTeam {
 public:
  // Opens each leased device. One that cannot be opened takes no part, and its round of ForEach() says why.
  StressTeam();

  // Calls `work` for each device on a thread of its own, while its sensors are recorded; waits for all. `work` beats
  // again and again: of a device that hangs nothing can be waited for, so that its failure is the program's end.
  using Work = std::function<void(StressMember& member)>;
  void Together(const Work& work);
  // The load for so long, after some idleness: slices into `slices`, their seconds into the ledger as `kind`.
  void LoadFor(double seconds, const std::string& kind, double idle_seconds = 0);
  // In Together(): the device's thread works.
  void Beat(const StressMember& member) { watch_->Beat(member.index); }
  // When the last Together() began: the zero of its sensors.
  StressClock::time_point start() const { return start_; }

  // Devices begin so many seconds one after the other, and the machine by a share of its own: stagger_ms.
  double OffsetSeconds(const StressMember& member) const;

  // sdk::ForEachDevice, with what the device's thread threw thrown again. Reports errors in results (`name`.wrong) and
  // the coverage of each kind first.
  void ForEach(const std::string& name, const std::vector<std::string>& kinds,
               const std::function<void(StressMember& member)>& judge);

  const StressInjection& injection() const { return injection_; }
  size_t size() const { return members_.size(); }
  // Those that could be opened.
  size_t Present() const;

 private:
  void Open(StressMember& member);
  void LoadOne(StressMember& member, double seconds, const std::string& kind, double idle_seconds);

  const StressInjection injection_;
  const double stagger_seconds_;
  std::vector<StressMember> members_;
  HangWatch* watch_ = nullptr;  // While there is a Together().
  StressClock::time_point start_;
};

// Throws ToolError where a ledger cannot be kept.
void SaveLedger(const CoverageLedger& ledger);

// The measurements `name`.mean, .max and so on of one reading in a window, with a warning where there is none.
struct StressWindow {
  double from = 0;
  double to = 0;
};
void MeasureReading(const std::string& name, const char* unit, const sdk::SensorSeries& series,
                    sdk::SensorReading reading, const StressWindow& window, const std::string& part = "");
// The share of samples of each reason that held the clocks; a fault among them fails the device. Needs sensors.
void MeasureClockReasons(const std::string& name, const StressMember& member, const StressWindow& window,
                         const std::string& part = "");

}  // namespace muster::benchmark

#endif  // MUSTER_SUITES_BENCHMARK_STRESS_TEAM_H_
