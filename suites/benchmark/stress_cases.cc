// All devices at once under verified work: steadily, and in pulses from 1 Hz to 10 kHz.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "suites/benchmark/pulse_sweep.h"
#include "suites/benchmark/stress_team.h"
#include "suites/sdk/measurement.h"
#include "suites/sdk/outcome.h"
#include "suites/sdk/parameters.h"
#include "suites/sdk/session.h"

namespace muster::benchmark {
namespace {

using sdk::SensorSample;

// By level.
constexpr double kSteadySeconds[] = {5, 5, 40, 3600};
constexpr double kSweepSeconds[] = {3, 3, 20, 600};
// Of the whole time, at both ends, once it has begun.
constexpr double kWindowShare = 0.2;
constexpr double kBeginSeconds = 1;

double SecondsOf(const double (&by_level)[4]) {
  const auto wanted = static_cast<double>(sdk::Parameter<int64_t>("stress_seconds"));
  return wanted > 0 ? wanted : by_level[sdk::Session::Current().environment().level - 1];
}

double Since(StressClock::time_point start, StressClock::time_point moment) {
  return std::chrono::duration<double>(moment - start).count();
}

// Operations a second of the slices that end within the window, pauses between them included.
double RateIn(const StressTeam& team, const StressMember& member, const StressWindow& window) {
  double operations = 0;
  const StressSlice* first = nullptr;
  const StressSlice* last = nullptr;
  for (const StressSlice& slice : member.slices) {
    const double end = Since(team.start(), slice.end);
    if (end < window.from || end > window.to) continue;
    if (first == nullptr) {
      first = &slice;
      continue;  // Where it ends the counting begins.
    }
    operations += slice.operations;
    last = &slice;
  }
  return last == nullptr ? std::nan("") : operations / Since(first->end, last->end);
}

std::string StoppedWords(const StressMember& member, const std::string& wanted) {
  return absl::StrCat("stopped by SIGTERM after ", member.WorkedSeconds(), " s of verified work, of ", wanted,
                      "; a later run goes on from there");
}

void JudgeSteady(const StressTeam& team, StressMember& member) {
  if (member.slices.empty()) throw sdk::ToolError("not one slice of work ended");
  const double begin = Since(team.start(), member.slices.front().begin);
  const double end = Since(team.start(), member.slices.back().end);
  const double settled = std::min(begin + kBeginSeconds, begin + kWindowShare * (end - begin));
  const double width = kWindowShare * (end - begin);
  const StressWindow whole = {settled, end};
  const double first = RateIn(team, member, {settled, settled + width});
  const double last = RateIn(team, member, {end - width, end});
  sdk::Measure("stress.steady.seconds", member.WorkedSeconds(), "s");
  MeasureReading("stress.steady.power", "W", member.series, &SensorSample::power_watts, whole);
  MeasureReading("stress.steady.core_clock", "Hz", member.series, &SensorSample::core_hertz, whole);
  MeasureReading("stress.steady.memory_clock", "Hz", member.series, &SensorSample::memory_hertz, whole);
  MeasureReading("stress.steady.core_temperature", "Cel", member.series, &SensorSample::core_celsius, whole);
  MeasureReading("stress.steady.memory_temperature", "Cel", member.series, &SensorSample::memory_celsius, whole);
  MeasureClockReasons("stress.steady", member, whole);
  if (member.Wrong() != 0) return;  // It ended there.
  if (std::isnan(first) || std::isnan(last)) {
    throw sdk::ToolError(absl::StrCat("only ", member.slices.size(), " slices of work in ", end - begin,
                                      " s: too few to compare the end with the beginning"));
  }
  sdk::Measure("stress.steady.rate", RateIn(team, member, whole), "FLOP/s");
  sdk::Measure("stress.steady.rate_at_start", first, "FLOP/s");
  sdk::Measure("stress.steady.rate_at_end", last, "FLOP/s");
  sdk::Measure("stress.steady.rate_kept", last / first, "1").AtLeast(sdk::Parameter<double>("steady_floor"));
}

TEST(stress, steady) {
  const sdk::Interruption interruption;
  const double seconds = SecondsOf(kSteadySeconds);
  StressTeam team;
  team.LoadFor(seconds, "steady");
  team.ForEach("stress.steady", {"steady"}, [&](StressMember& member) {
    if (sdk::Interruption::Requested()) throw sdk::DeviceSkipped(StoppedWords(member, absl::StrCat(seconds, " s")));
    JudgeSteady(team, member);
  });
}

std::vector<double> Frequencies() {
  std::vector<double> frequencies;
  for (const auto& word : absl::StrSplit(sdk::Parameter<std::string>("pulse_frequencies"), ',')) {
    double hertz = 0;
    if (!absl::SimpleAtod(word, &hertz) || hertz < 1 || hertz > 20'000)
      throw sdk::ToolError(absl::StrCat("pulse_frequencies: expected numbers from 1 to 20000, found '", word, "'"));
    frequencies.push_back(hertz);
  }
  return frequencies;
}

void JudgePulses(const PulseSweep& sweep, const StressMember& member) {
  for (const PulseResult& result : sweep.Of(member)) {
    const std::string part = absl::StrCat(result.hertz, " Hz");
    sdk::Measure("stress.pulse.pulses", static_cast<double>(result.pulses), "1").OfPart(part);
    sdk::Measure("stress.pulse.wrong", static_cast<double>(result.wrong), "1").OfPart(part).ExpectEqual(0);
    if (result.pulses < 2) continue;
    sdk::Measure("stress.pulse.frequency", result.achieved_hertz, "Hz").OfPart(part);
    sdk::Measure("stress.pulse.duty", result.duty, "1").OfPart(part);
    sdk::Measure("stress.pulse.latest", result.latest_seconds, "s").OfPart(part);
    if (result.by_device_clock) {
      sdk::Measure("stress.pulse.spread", result.spread_seconds, "s").OfPart(part);
    }
    if (result.in_kernel) {
      sdk::Measure("stress.pulse.slowest_unit_share", result.slowest_unit_share, "1").OfPart(part);
    }
    sdk::Measure("stress.pulse.rate", result.operations / (result.to - result.from), "FLOP/s").OfPart(part);
    const StressWindow window = {result.from, result.to};
    MeasureReading("stress.pulse.power", "W", member.series, &SensorSample::power_watts, window, part);
    MeasureReading("stress.pulse.core_clock", "Hz", member.series, &SensorSample::core_hertz, window, part);
    MeasureClockReasons("stress.pulse", member, window, part);
    if (std::abs(result.achieved_hertz / result.hertz - 1) > 0.1) {
      sdk::RecordToolError(absl::StrCat("pulses at ", part, " came at ", result.achieved_hertz,
                                        " Hz: the test did not do what it is for"));
    }
  }
}

TEST(stress, pulse) {
  const sdk::Interruption interruption;
  StressTeam team;
  PulseSweep sweep(team);
  const std::vector<double> frequencies = Frequencies();
  const double seconds = SecondsOf(kSweepSeconds) / static_cast<double>(frequencies.size());
  sweep.Run(frequencies, seconds);
  std::vector<std::string> kinds;
  for (const double hertz : frequencies) kinds.push_back(PulseKind(hertz));
  team.ForEach("stress.pulse", kinds, [&](StressMember& member) {
    JudgePulses(sweep, member);
    if (sdk::Interruption::Requested())
      throw sdk::DeviceSkipped(StoppedWords(member, absl::StrCat(frequencies.size(), " frequencies")));
  });
}

}  // namespace
}  // namespace muster::benchmark
