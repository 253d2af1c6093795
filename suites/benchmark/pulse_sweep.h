// Load in pulses, one frequency after the other, on all devices of a team in step.
//
// Slow pulses are the host's: the load (stress_load.h) works and rests by the clock. Fast ones are the device's own
// (pulse_train.h): trains of up to a quarter of a second, which all devices begin together.
#ifndef MUSTER_SUITES_BENCHMARK_PULSE_SWEEP_H_
#define MUSTER_SUITES_BENCHMARK_PULSE_SWEEP_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "suites/benchmark/stress_team.h"
#include "suites/physical/pulse_train.h"

namespace muster::benchmark {

// "pulse@1000", for the ledger.
std::string PulseKind(double hertz);

// What one device did at one frequency.
struct PulseResult {
  double hertz = 0;  // As wanted.
  bool in_kernel = false;
  bool by_device_clock = false;
  uint64_t pulses = 0;
  uint64_t wrong = 0;
  double operations = 0;
  double achieved_hertz = 0;
  double duty = 0;
  double latest_seconds = 0;      // The latest beginning of a pulse.
  double spread_seconds = 0;      // Of the beginnings of one pulse over the device's units; in the kernel.
  double slowest_unit_share = 1;  // Of the median's work; in the kernel.
  uint32_t slowest_unit = 0;
  // When, by the sensors' clock.
  double from = 0;
  double to = 0;
};

class PulseSweep {
 public:
  // `team` outlives the sweep.
  explicit PulseSweep(StressTeam& team) : team_(team) {}

  // About so many seconds at each frequency, two pulses at least. Ends early when interrupted.
  void Run(const std::vector<double>& frequencies, double seconds_each);
  // In the order of the frequencies; fewer when it was stopped.
  const std::vector<PulseResult>& Of(const StressMember& member) const { return results_.at(member.index); }

 private:
  struct Company;
  struct Place;
  void RunMember(StressMember& member, Company& company, const std::vector<double>& frequencies, double seconds_each);
  PulseResult ByHost(StressMember& member, StressLoad& load, StressClock::time_point begin, double hertz,
                     double seconds);
  PulseResult InKernel(StressMember& member, Company& company, double hertz, double seconds);
  void TakeTrain(StressMember& member, const physical::PulseReport& report, StressClock::time_point begin,
                 PulseResult& result) const;

  StressTeam& team_;
  std::vector<std::vector<PulseResult>> results_;
};

}  // namespace muster::benchmark

#endif  // MUSTER_SUITES_BENCHMARK_PULSE_SWEEP_H_
