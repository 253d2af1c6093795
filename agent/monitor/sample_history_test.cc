#include "agent/monitor/sample_history.h"

#include <optional>

#include "agent/health/sample_fake.h"
#include "gtest/gtest.h"

namespace muster::agent {
namespace {

using Sample = FakeSample;

class SampleHistoryTest : public ::testing::Test {
 protected:
  void Add(int64_t at_ms, FakeSample sample) {
    v1::DeviceSample one = sample;
    one.set_time_unix_ms(at_ms);
    history_.Add(one);
  }
  std::optional<v1::ReadingSummary> Summary(v1::TelemetryField field, int64_t from_ms, int64_t to_ms) {
    for (const v1::ReadingSummary& summary : history_.Summaries(from_ms, to_ms, 100)) {
      if (summary.field() == field) return summary;
    }
    return std::nullopt;
  }
  static FakeSample Idle(double utilization = 0, double memory = 1e9, double clock = 210e6, double engine = 5) {
    return Sample()
        .With(v1::UTILIZATION, {"gpu"}, utilization)
        .With(v1::ENGINE_ACTIVE_SECONDS, {"compute"}, engine)
        .With(v1::MEMORY_USED, memory)
        .With(v1::CLOCK, {"graphics"}, clock);
  }
  SampleHistory history_;
};

TEST_F(SampleHistoryTest, SummarisesATime) {
  for (int i = 0; i < 10; ++i)
    Add(i * 1'000, Sample().With(v1::TEMPERATURE, {"core"}, 50 + i).With(v1::POWER, {"card"}, 100));
  const auto summary = Summary(v1::TEMPERATURE, 3'000, 6'000);
  ASSERT_TRUE(summary);
  EXPECT_EQ(summary->labels(0), "core");
  EXPECT_EQ(summary->samples(), 5u);  // The one before tells how it began.
  EXPECT_EQ(summary->first(), 52);
  EXPECT_EQ(summary->last(), 56);
  EXPECT_EQ(summary->minimum(), 52);
  EXPECT_EQ(summary->maximum(), 56);
  EXPECT_EQ(summary->mean(), 54);
  EXPECT_EQ(Summary(v1::POWER, 3'000, 6'000)->mean(), 100);
  EXPECT_FALSE(Summary(v1::POWER, 60'000, 70'000));
}

TEST_F(SampleHistoryTest, WhatIsAbsentIsNoZero) {
  Add(1'000, Sample().With(v1::POWER, {"card"}, 100));
  Add(2'000, Sample().Absent(v1::POWER, {"card"}));
  Add(3'000, Sample());
  Add(4'000, Sample().With(v1::POWER, {"card"}, 300).With(v1::TEMPERATURE, {"core"}, 50));
  const auto power = Summary(v1::POWER, 1'000, 4'000);
  ASSERT_TRUE(power);
  EXPECT_EQ(power->samples(), 2u);
  EXPECT_EQ(power->minimum(), 100);
  EXPECT_EQ(power->mean(), 200);
  EXPECT_EQ(Summary(v1::TEMPERATURE, 1'000, 4'000)->samples(), 1u);
}

TEST_F(SampleHistoryTest, TellsOfErrorsThatThereAre) {
  Add(1'000, Sample().With(v1::ECC_ERRORS, {"corrected", "dram", "volatile"}, 0).With(v1::PCIE_REPLAYS, 7));
  Add(2'000, Sample().With(v1::ECC_ERRORS, {"corrected", "dram", "volatile"}, 0).With(v1::PCIE_REPLAYS, 7));
  EXPECT_FALSE(Summary(v1::ECC_ERRORS, 1'000, 2'000));
  EXPECT_TRUE(Summary(v1::PCIE_REPLAYS, 1'000, 2'000));
  Add(3'000, Sample().With(v1::ECC_ERRORS, {"corrected", "dram", "volatile"}, 3).With(v1::PCIE_REPLAYS, 7));
  EXPECT_EQ(Summary(v1::ECC_ERRORS, 1'000, 3'000)->last(), 3);
  EXPECT_EQ(Summary(v1::ECC_ERRORS, 1'000, 3'000)->first(), 0);
}

TEST_F(SampleHistoryTest, KeepsTheNewestAndOrder) {
  for (int i = 0; i < 1'000; ++i) Add(i * 1'000, Sample().With(v1::TEMPERATURE, {"core"}, i));
  EXPECT_EQ(history_.size(), SampleHistory::kCapacity);
  const auto all = Summary(v1::TEMPERATURE, 0, 1'000'000);
  EXPECT_EQ(all->samples(), SampleHistory::kCapacity);
  EXPECT_EQ(all->first(), 700);
  EXPECT_EQ(all->last(), 999);
  Add(998'000, Sample().With(v1::TEMPERATURE, {"core"}, 5'000));  // Not newer.
  EXPECT_EQ(Summary(v1::TEMPERATURE, 0, 1'000'000)->last(), 999);
  Add(1'000, Sample().With(v1::TEMPERATURE, {"core"}, 42));  // The wall clock was set back.
  EXPECT_EQ(Summary(v1::TEMPERATURE, 0, 1'000'000)->last(), 42);
}

TEST_F(SampleHistoryTest, LargeCountersKeepSmallDifferences) {
  for (int i = 0; i < 5; ++i) Add(i * 1'000, Sample().With(v1::ENERGY, {"card"}, 4e12 + i * 0.25));
  EXPECT_EQ(Summary(v1::ENERGY, 0, 5'000)->last() - Summary(v1::ENERGY, 0, 5'000)->first(), 1.0);
}

TEST_F(SampleHistoryTest, IsBounded) {
  v1::DeviceSample sample;
  for (int i = 0; i < 5'000; ++i) {
    v1::Reading& reading = *sample.add_readings();
    reading.set_field(v1::TEMPERATURE);
    reading.add_labels(std::to_string(i));
    reading.set_value(i + 1);
  }
  sample.set_time_unix_ms(1'000);
  history_.Add(sample);
  EXPECT_EQ(history_.Summaries(0, 2'000, 100'000).size(), SampleHistory::kMaxSeries);
  EXPECT_EQ(history_.Summaries(0, 2'000, 10).size(), 10u);
}

TEST_F(SampleHistoryTest, AnIdleDeviceShowsNoWork) {
  for (int i = 0; i <= 5; ++i) Add(i * 1'000, Idle());
  EXPECT_EQ(history_.Activity(500, 5'000), v1::GPU_ACTIVITY_NONE);
}

TEST_F(SampleHistoryTest, AnyCounterThatMovesIsWork) {
  const FakeSample works[] = {Idle(0.02), Idle(0, 1.1e9), Idle(0, 1e9, 1'980e6), Idle(0, 1e9, 210e6, 5.1)};
  for (const FakeSample& work : works) {
    history_ = SampleHistory();
    for (int i = 0; i <= 5; ++i) Add(i * 1'000, i == 4 ? work : Idle());
    EXPECT_EQ(history_.Activity(500, 5'000), v1::GPU_ACTIVITY_SEEN) << v1::DeviceSample(work).ShortDebugString();
  }
}

TEST_F(SampleHistoryTest, WorkBeforeTheCaseIsNotIts) {
  Add(0, Idle(1, 8e9, 1'980e6, 5));
  Add(1'000, Idle(1, 8e9, 1'980e6, 6));
  for (int i = 2; i <= 6; ++i) Add(i * 1'000, Idle(0, 8e9, 1'980e6, 6));
  EXPECT_EQ(history_.Activity(1'000, 6'000), v1::GPU_ACTIVITY_NONE);
}

TEST_F(SampleHistoryTest, TooLittleIsSeenToSayNone) {
  for (int i = 0; i <= 5; ++i) Add(i * 1'000, Idle());
  EXPECT_EQ(history_.Activity(500, 1'800), v1::GPU_ACTIVITY_UNSPECIFIED) << "too short";
  EXPECT_EQ(history_.Activity(500, 9'000), v1::GPU_ACTIVITY_UNSPECIFIED) << "nothing of the end";
  EXPECT_EQ(history_.Activity(60'000, 90'000), v1::GPU_ACTIVITY_UNSPECIFIED);
  for (int i = 20; i <= 25; ++i) Add(i * 1'000, Idle());
  EXPECT_EQ(history_.Activity(500, 25'000), v1::GPU_ACTIVITY_UNSPECIFIED) << "a gap";
  EXPECT_EQ(history_.Activity(20'000, 25'000), v1::GPU_ACTIVITY_NONE);
}

TEST_F(SampleHistoryTest, WorkInTheFirstMomentsIsNotNone) {
  // A kernel at once, then seconds of checking its result on the host: the utilization that shows it is of the time
  // before, too, and the engines' counters have no value between start and work.
  for (const double engine : {5.0, 5.3}) {
    history_ = SampleHistory();
    Add(0, Idle());
    Add(1'000, Idle(engine > 5 ? 0 : 0.3, 1e9, 210e6, engine));
    for (int i = 2; i <= 6; ++i) Add(i * 1'000, Idle(0, 1e9, 210e6, engine));
    EXPECT_EQ(history_.Activity(600, 6'000), v1::GPU_ACTIVITY_UNSPECIFIED) << engine;
  }
}

TEST_F(SampleHistoryTest, WhoHoldsMemoryMayWorkTooBrieflyToBeSeen) {
  for (int i = 0; i <= 5; ++i) Add(i * 1'000, Idle());
  for (int i = 6; i <= 20; ++i) Add(i * 1'000, Idle(0, 1.5e9));
  EXPECT_EQ(history_.Activity(10'000, 15'000), v1::GPU_ACTIVITY_UNSPECIFIED);
  EXPECT_EQ(history_.Activity(1'500, 5'000), v1::GPU_ACTIVITY_NONE);
}

TEST_F(SampleHistoryTest, WithoutMemoryNothingIsRuledOut) {
  for (int i = 0; i <= 5; ++i) Add(i * 1'000, Sample().With(v1::UTILIZATION, {"gpu"}, 0).Absent(v1::MEMORY_USED));
  EXPECT_EQ(history_.Activity(500, 5'000), v1::GPU_ACTIVITY_UNSPECIFIED);
}

TEST_F(SampleHistoryTest, WithoutUtilizationNothingIsSaid) {
  for (int i = 0; i <= 5; ++i) Add(i * 1'000, Sample().With(v1::MEMORY_USED, 1e9).Absent(v1::UTILIZATION, {"gpu"}));
  EXPECT_EQ(history_.Activity(500, 5'000), v1::GPU_ACTIVITY_UNSPECIFIED);
}

}  // namespace
}  // namespace muster::agent
