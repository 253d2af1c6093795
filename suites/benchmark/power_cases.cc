// Power and heat of all devices at once under verified work.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>

#include "absl/strings/str_cat.h"
#include "suites/benchmark/stress_team.h"
#include "suites/benchmark/thermal_fit.h"
#include "suites/sdk/devices.h"
#include "suites/sdk/measurement.h"
#include "suites/sdk/outcome.h"
#include "suites/sdk/parameters.h"
#include "suites/sdk/session.h"

namespace muster::benchmark {
namespace {

using sdk::SensorSample;

// By level.
constexpr double kLimitSeconds[] = {2.5, 2.5, 6, 20};
constexpr double kSteadyShare = 0.6;  // Of that time, at its end: the sustained mean is taken there.
// A clock so near its highest is held down by nothing.
constexpr double kFullClockShare = 0.98;
constexpr double kSettingShare = 0.5;

double NeedReading(const char* what, const absl::StatusOr<double>& reading) {
  if (reading.ok()) return *reading;
  if (absl::IsUnimplemented(reading.status()) || absl::IsPermissionDenied(reading.status()))
    throw sdk::DeviceSkipped(absl::StrCat("no reading of ", what, ": ", reading.status().message()));
  throw sdk::ToolError(absl::StrCat("cannot read ", what, ": ", reading.status().message()));
}

sdk::Sensors& NeedSensors(StressMember& member) {
  if (member.sensors) return *member.sensors;
  throw sdk::DeviceSkipped(absl::StrCat("no sensors: ", member.no_sensors.message()));
}

void SkipWhenInterrupted(double seconds) {
  if (sdk::Interruption::Requested())
    throw sdk::DeviceSkipped(absl::StrCat("stopped by SIGTERM before the ", seconds, " s had passed"));
}

double LastSecond(const StressTeam& team, const StressMember& member) {
  if (member.slices.empty()) throw sdk::ToolError("not one slice of work ended");
  return std::chrono::duration<double>(member.slices.back().end - team.start()).count();
}

// A setting, and not the device, holds the clocks: there is nothing to judge.
void SkipWhereASettingHolds(const StressMember& member, const StressWindow& window) {
  for (const sdk::ClockReason& reason : member.sensors->ClockReasons()) {
    const std::string name = reason.name;
    const bool setting = name.find("setting") != std::string::npos || name == "software range";
    const double share = member.series.Residency(reason.bit, window.from, window.to).value_or(0);
    if (setting && share > kSettingShare)
      throw sdk::DeviceSkipped(
          absl::StrCat("the clocks are held by a setting (", name, ") in ", 100 * share, " % of the samples"));
  }
}

void JudgeLimit(const StressTeam& team, StressMember& member) {
  const double limit = NeedReading("the enforced power limit", NeedSensors(member).PowerLimitWatts());
  const double end = LastSecond(team, member);
  const double begin = std::chrono::duration<double>(member.slices.front().begin - team.start()).count();
  const StressWindow window = {end - kSteadyShare * (end - begin), end};
  const auto power = member.series.Statistics(&SensorSample::power_watts, window.from, window.to);
  if (!power) throw sdk::DeviceSkipped("no reading of power");
  sdk::Measure("power.limit.enforced", limit, "W");
  sdk::Measure("power.limit.mean", power->mean, "W");
  sdk::Measure("power.limit.max", power->highest, "W");
  sdk::Measure("power.limit.p99", power->p99, "W");
  if (const auto energy = member.series.EnergyWatts(window.from, window.to))
    sdk::Measure("power.limit.by_energy", *energy, "W");
  MeasureReading("power.limit.core_clock", "Hz", member.series, &SensorSample::core_hertz, window);
  MeasureReading("power.limit.core_temperature", "Cel", member.series, &SensorSample::core_celsius, window);
  MeasureClockReasons("power.limit", member, window);
  const double floor = sdk::SpeedsAreReal() ? sdk::Parameter<double>("power_floor") : 0;
  if (const auto reached = member.series.FirstReaches(&SensorSample::power_watts, floor * limit, 0.2))
    sdk::Measure("power.limit.reached_after", std::max(0.0, *reached - begin), "s");
  const auto clock = member.series.Statistics(&SensorSample::core_hertz, window.from, window.to);
  const auto highest = member.sensors->MaxCoreClockHertz();
  const bool full_clock = clock && highest.ok() && clock->mean >= kFullClockShare * *highest;
  if (power->mean < floor * limit && full_clock) {
    sdk::MeasureText("power.limit.bound", "clock: the clocks are at their highest, the power limit is not what binds");
    sdk::Measure("power.limit.share", power->mean / limit, "1");
    return;
  }
  if (power->mean < floor * limit) SkipWhereASettingHolds(member, window);
  sdk::MeasureText("power.limit.bound", "power");
  const std::string reasons =
      sdk::ClockReasonNames(member.sensors->ClockReasons(), member.series.ClockReasons(window.from, window.to));
  sdk::Measure("power.limit.share", power->mean / limit, "1").AtLeast(floor);
  if (power->mean >= floor * limit) return;
  ADD_FAILURE() << "draws " << power->mean << " W of its limit of " << limit
                << " W under full load while its clocks are at " << (clock ? clock->mean / 1e6 : 0) << " MHz of "
                << highest.value_or(0) / 1e6 << ", held by: " << reasons
                << "; look at power cables, power supply, and the sensor itself";
}

TEST(power, limit) {
  const sdk::Interruption interruption;
  const double seconds = kLimitSeconds[sdk::Session::Current().environment().level - 1];
  StressTeam team;
  team.LoadFor(seconds, "steady");
  team.ForEach("power.limit", {"steady"}, [&](StressMember& member) {
    SkipWhenInterrupted(seconds);
    JudgeLimit(team, member);
  });
}

struct ThermalTimes {
  double idle = 4;
  double load = 20;
};

void JudgeThermal(const StressTeam& team, StressMember& member, const ThermalTimes& times, const std::string& part,
                  sdk::SensorReading temperature) {
  const double end = LastSecond(team, member);
  const double begin = std::chrono::duration<double>(member.slices.front().begin - team.start()).count();
  const sdk::SensorSeries& series = member.series;
  const auto idle = series.Statistics(&SensorSample::power_watts, begin - times.idle / 2, begin);
  const auto load = series.Statistics(&SensorSample::power_watts, begin + times.load / 4, end);
  std::vector<ThermalPoint> points;
  for (const SensorSample& sample : series.samples()) {
    if (sample.seconds >= begin && sample.seconds <= end && std::isfinite(sample.*temperature))
      points.push_back({sample.seconds - begin, sample.*temperature});
  }
  const auto fit = FitThermalStep(points);
  if (!idle || !load || !fit) {
    sdk::Session::Current().report().Log(sdk::Severity::kInfo, absl::StrCat("no thermal resistance of the ", part));
    return;
  }
  const double watts = load->mean - idle->mean;
  if (watts <= 0) throw sdk::ToolError(absl::StrCat("power rose by ", watts, " W from idle to load"));
  const auto before = series.Statistics(temperature, begin - times.idle, begin);
  sdk::Measure("power.thermal_resistance", fit->rise_kelvin / watts, "K/W").OfPart(part);
  sdk::Measure("power.thermal_resistance.lowest", fit->lowest_rise / watts, "K/W").OfPart(part);
  sdk::Measure("power.thermal_resistance.highest", fit->highest_rise / watts, "K/W").OfPart(part);
  sdk::Measure("power.thermal_resistance.time_constant", fit->time_constant_seconds, "s").OfPart(part);
  sdk::Measure("power.thermal_resistance.rise", fit->rise_kelvin, "K").OfPart(part);
  sdk::Measure("power.thermal_resistance.power_step", watts, "W").OfPart(part);
  if (before) sdk::Measure("power.thermal_resistance.idle_drift", before->highest - before->lowest, "K").OfPart(part);
  sdk::MeasureTruth("power.thermal_resistance.open_ended", fit->open_ended).OfPart(part);
}

// What it measures is for the fleet to compare: no limit is known for a device in its place.
TEST(power, thermal_resistance) {
  const sdk::Interruption interruption;
  const int level = sdk::Session::Current().environment().level;
  const ThermalTimes times = {.idle = 4, .load = level >= 4 ? 120.0 : 20.0};
  StressTeam team;
  team.LoadFor(times.load, "steady", times.idle);
  team.ForEach("power.thermal_resistance", {"steady"}, [&](StressMember& member) {
    SkipWhenInterrupted(times.load);
    NeedSensors(member);
    JudgeThermal(team, member, times, "core", &SensorSample::core_celsius);
    JudgeThermal(team, member, times, "memory", &SensorSample::memory_celsius);
    MeasureClockReasons("power.thermal_resistance", member, {times.idle, LastSecond(team, member)});
  });
}

}  // namespace
}  // namespace muster::benchmark
