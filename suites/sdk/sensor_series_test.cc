#include "suites/sdk/sensor_series.h"

#include <gtest/gtest.h>

#include <atomic>
#include <cmath>

namespace muster::sdk {
namespace {

SensorSample At(double seconds, double watts) { return {.seconds = seconds, .power_watts = watts}; }

// Counts energy alone, at 300 W by its own clock; its clock reasons are 4.
class EnergyAlone final : public Sensors {
 public:
  absl::StatusOr<double> PowerWatts() override { return absl::UnimplementedError("energy alone"); }
  absl::StatusOr<Energy> EnergyCounter() override {
    const double seconds = 0.5 * turn++;
    return Energy{.joules = 1000 + 300 * seconds, .seconds = seconds};
  }
  absl::StatusOr<double> PowerLimitWatts() override { return 400.0; }
  absl::StatusOr<double> CoreCelsius() override { return 60.0; }
  absl::StatusOr<double> MemoryCelsius() override { return absl::UnimplementedError("none"); }
  absl::StatusOr<double> CoreClockHertz() override { return 1e9; }
  absl::StatusOr<double> MaxCoreClockHertz() override { return 2e9; }
  absl::StatusOr<double> MemoryClockHertz() override { return absl::PermissionDeniedError("not you"); }
  absl::StatusOr<double> BusyShare() override { return 1.0; }
  absl::StatusOr<uint64_t> ClockReasonBits() override { return 4; }
  const std::vector<ClockReason>& ClockReasons() const override {
    static const std::vector<ClockReason> reasons = {{1, "idle", false}, {4, "power cap", false}};
    return reasons;
  }
  std::atomic<int> turn = 0;
};

TEST(SensorSeries, StatisticsOfAWindow) {
  SensorSeries series;
  for (int i = 0; i <= 200; ++i) series.Add(At(i, i));
  const auto all = series.Statistics(&SensorSample::power_watts, 101, 200);
  ASSERT_TRUE(all.has_value());
  EXPECT_EQ(all->samples, 100u);
  EXPECT_DOUBLE_EQ(all->mean, 150.5);
  EXPECT_EQ(all->lowest, 101);
  EXPECT_EQ(all->highest, 200);
  EXPECT_EQ(all->p99, 199);
  EXPECT_FALSE(series.Statistics(&SensorSample::core_celsius, 0, 200).has_value());
  EXPECT_FALSE(series.Statistics(&SensorSample::power_watts, 300, 400).has_value());
}

TEST(SensorSeries, IsBoundedAndKeepsTheWholeTime) {
  SensorSeries series(64);
  for (int i = 0; i < 100'000; ++i) series.Add(At(i, i));
  EXPECT_LT(series.samples().size(), 64u);
  EXPECT_GE(series.samples().size(), 31u);
  EXPECT_EQ(series.samples().front().seconds, 0);
  EXPECT_GT(series.samples().back().seconds, 96'000);
  for (size_t i = 2; i < series.samples().size(); ++i) {
    EXPECT_EQ(series.samples()[i].seconds - series.samples()[i - 1].seconds,
              series.samples()[1].seconds - series.samples()[0].seconds);
  }
}

TEST(SensorSeries, EnergyIsCountedBetweenTheCountersSteps) {
  SensorSeries series;
  // Asked every 10 ms, moves every 100 ms: 500 W.
  for (int i = 0; i < 95; ++i) {
    SensorSample sample = At(0.01 * i, 0);
    sample.energy_joules = 50.0 * (i / 10);
    series.Add(sample);
  }
  EXPECT_NEAR(series.EnergyWatts(0, 1).value_or(0), 500, 1e-6);
  EXPECT_FALSE(series.EnergyWatts(0, 0.05).has_value());
}

TEST(SensorSeries, ResidencyCountsOnlySamplesThatKnow) {
  SensorSeries series;
  for (int i = 0; i < 10; ++i) {
    SensorSample sample = At(i, 0);
    sample.knows_clock_reasons = i < 8;
    sample.clock_reasons = i < 2 ? 0x8 : 0x4;
    series.Add(sample);
  }
  EXPECT_DOUBLE_EQ(series.Residency(0x8, 0, 9).value_or(-1), 0.25);
  EXPECT_EQ(series.ClockReasons(0, 9), 0xcu);
  EXPECT_FALSE(series.Residency(0x8, 8, 9).has_value());
}

TEST(SensorSeries, ReachesALevelWhereTheMeanHolds) {
  SensorSeries series;
  for (int i = 0; i < 100; ++i) series.Add(At(0.1 * i, i == 20 ? 900 : i < 40 ? 100 : 700));
  const auto reached = series.FirstReaches(&SensorSample::power_watts, 665, 1);
  ASSERT_TRUE(reached.has_value());
  EXPECT_NEAR(*reached, 4.0, 0.11);
  EXPECT_FALSE(series.FirstReaches(&SensorSample::power_watts, 800, 1).has_value());
}

TEST(SensorReader, PowerFromEnergyAndTheReasonsOfWhatIsNotThere) {
  EnergyAlone sensors;
  SensorSeries series;
  SensorReader reader(sensors);
  EXPECT_TRUE(std::isnan(reader.Read(0, series).power_watts));
  const SensorSample sample = reader.Read(1, series);
  EXPECT_DOUBLE_EQ(sample.power_watts, 300);
  EXPECT_EQ(sample.core_celsius, 60);
  EXPECT_TRUE(std::isnan(sample.memory_celsius));
  EXPECT_TRUE(absl::IsUnimplemented(series.missing().at("memory temperature")));
  EXPECT_TRUE(absl::IsPermissionDenied(series.missing().at("memory clock")));
  EXPECT_FALSE(series.missing().contains("power"));
  EXPECT_EQ(ClockReasonNames(sensors.ClockReasons(), sample.clock_reasons), "power cap");
  EXPECT_EQ(ClockReasonNames(sensors.ClockReasons(), 0), "none");
}

TEST(SensorRecorder, SamplesUntilItIsStopped) {
  EnergyAlone sensors;
  SensorRecorder recorder(sensors, 1000, SensorRecorder::Clock::now());
  while (recorder.Series().samples().size() < 3) std::this_thread::yield();
  const SensorSeries series = recorder.Stop();
  const int turns = sensors.turn;
  ASSERT_GE(series.samples().size(), 3u);
  EXPECT_EQ(static_cast<int>(series.samples().size()), turns);
  for (size_t i = 1; i < series.samples().size(); ++i) {
    EXPECT_GT(series.samples()[i].seconds, series.samples()[i - 1].seconds);
  }
  EXPECT_DOUBLE_EQ(series.samples()[2].power_watts, 300);
}

}  // namespace
}  // namespace muster::sdk
