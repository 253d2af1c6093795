#include "agent/health/device_rules.h"

#include "agent/health/sample_fake.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace muster::agent {
namespace {

using ::testing::HasSubstr;
using Sample = FakeSample;

class DeviceRulesTest : public ::testing::Test {
 protected:
  // The same sample each second, `seconds` times. The codes that stand then, comma-separated.
  std::string Run(const v1::DeviceSample& sample, int seconds = 1) {
    for (int i = 0; i < seconds; ++i) rules_.Update(sample, now_ms_ += 1'000);
    std::string codes;
    for (const auto& [code, message] : rules_.standing()) {
      codes += codes.empty() ? code : "," + code;
      EXPECT_NE(message, "") << code;
    }
    return codes;
  }
  std::string Message(const std::string& code) const { return rules_.standing().at(code); }

  DeviceRules rules_;
  int64_t now_ms_ = 0;
};

TEST_F(DeviceRulesTest, AHealthyBusyGpuHasNothing) {
  EXPECT_EQ(Run(Sample()
                    .With(v1::TEMPERATURE, {"core"}, 70)
                    .With(v1::TEMPERATURE_LIMIT, {"slowdown"}, 90)
                    .With(v1::UTILIZATION, {"gpu"}, 1)
                    .With(v1::THROTTLED, {"power"}, 1)
                    .With(v1::THROTTLED, {"thermal"}, 0)
                    .With(v1::POWER, {"card"}, 695)
                    .With(v1::POWER_LIMIT, {"enforced"}, 700)
                    .With(v1::PCIE_LINK_GENERATION, 5)
                    .With(v1::PCIE_LINK_GENERATION_MAX, 5)
                    .With(v1::PCIE_LINK_LANES, 16)
                    .With(v1::PCIE_LINK_LANES_MAX, 16)
                    .With(v1::ECC_ERRORS, {"uncorrected", "total", "volatile"}, 0)
                    .With(v1::ECC_ERRORS, {"uncorrected", "total", "aggregate"}, 4)
                    .With(v1::LINK_UP, {"0"}, 0)
                    .With(v1::FAN_SPEED_RPM, {"0"}, 1'500)
                    .With(v1::WEDGED, 0),
                120),
            "");
}

TEST_F(DeviceRulesTest, TruthsStandWhileTheyAreTrue) {
  const std::pair<v1::TelemetryField, const char*> truths[] = {{v1::ROW_REMAP_PENDING, "row-remap.pending"},
                                                               {v1::ROW_REMAP_FAILED, "row-remap.failed"},
                                                               {v1::RETIRED_PAGES_PENDING, "pages.retirement-pending"},
                                                               {v1::WEDGED, "intel.wedged"}};
  for (const auto& [field, code] : truths) {
    EXPECT_EQ(Run(Sample().With(field, 1)), code);
    EXPECT_EQ(Run(Sample().Absent(field)), code) << "what cannot be read now is not over";
    EXPECT_EQ(Run(Sample().With(field, 0)), "");
  }
}

TEST_F(DeviceRulesTest, UncorrectedErrorsStandUntilTheCounterBeginsAnew) {
  EXPECT_EQ(Run(Sample().With(v1::ECC_ERRORS, {"uncorrected", "dram", "volatile"}, 2)), "ecc.uncorrected");
  EXPECT_THAT(Message("ecc.uncorrected"), HasSubstr("2 uncorrectable"));
  EXPECT_EQ(Run(Sample().With(v1::ECC_ERRORS, {"uncorrected", "dram", "volatile"}, 2), 3'000), "ecc.uncorrected");
  EXPECT_EQ(Run(Sample().With(v1::ECC_ERRORS, {"uncorrected", "dram", "volatile"}, 0)), "");
}

TEST_F(DeviceRulesTest, OldAggregateErrorsAreHistoryNewOnesAreNot) {
  EXPECT_EQ(Run(Sample().With(v1::ECC_ERRORS, {"uncorrected", "total", "aggregate"}, 7)), "");
  EXPECT_EQ(Run(Sample().With(v1::ECC_ERRORS, {"uncorrected", "total", "aggregate"}, 8)), "ecc.uncorrected");
}

TEST_F(DeviceRulesTest, OnlyErrorsOfTheHardwareCountAsRas) {
  EXPECT_EQ(Run(Sample()
                    .With(v1::RAS_ERRORS, {"uncorrected", "reset"}, 3)
                    .With(v1::RAS_ERRORS, {"uncorrected", "programming"}, 9)
                    .With(v1::RAS_ERRORS, {"uncorrected", "driver"}, 1)
                    .With(v1::RAS_ERRORS, {"corrected", "cache"}, 2)),
            "");
  EXPECT_EQ(Run(Sample().With(v1::RAS_ERRORS, {"uncorrected", "cache"}, 1)), "ras.uncorrected");
}

TEST_F(DeviceRulesTest, CorrectedErrorsCountByTheirRate) {
  const auto with = [](double errors) {
    return Sample()
        .With(v1::ECC_ERRORS, {"corrected", "total", "volatile"}, errors)
        .With(v1::ECC_ERRORS, {"corrected", "dram", "volatile"}, errors);
  };
  EXPECT_EQ(Run(with(1'000)), "");  // Since the driver started; when, nobody knows.
  EXPECT_EQ(Run(with(1'000 + limits::kCorrectedErrorsPerMinute)), "");
  EXPECT_EQ(Run(with(1'001 + limits::kCorrectedErrorsPerMinute)), "ecc.corrected-rate");
  EXPECT_THAT(Message("ecc.corrected-rate"), HasSubstr("11 corrected memory errors in a minute"));
  EXPECT_EQ(Run(with(1'001 + limits::kCorrectedErrorsPerMinute), 640), "ecc.corrected-rate");
  EXPECT_EQ(Run(with(1'001 + limits::kCorrectedErrorsPerMinute), 30), "");
}

TEST_F(DeviceRulesTest, ACounterThatFailsForAWhileIsNoBurst) {
  EXPECT_EQ(Run(Sample().With(v1::PCIE_REPLAYS, 500)), "");
  EXPECT_EQ(Run(Sample().Absent(v1::PCIE_REPLAYS)), "");
  EXPECT_EQ(Run(Sample().With(v1::PCIE_REPLAYS, 500)), "");
  EXPECT_EQ(Run(Sample().With(v1::PCIE_REPLAYS, 0)), "");  // The driver began anew.
  EXPECT_EQ(Run(Sample().With(v1::PCIE_REPLAYS, limits::kReplaysPerMinute)), "");
  EXPECT_EQ(Run(Sample().With(v1::PCIE_REPLAYS, limits::kReplaysPerMinute + 1)), "pcie.replay-rate");
}

TEST_F(DeviceRulesTest, ASlowTrickleOfReplaysIsNone) {
  for (int i = 0; i < 20; ++i) EXPECT_EQ(Run(Sample().With(v1::PCIE_REPLAYS, i), 10), "");
}

TEST_F(DeviceRulesTest, HeatCountsWhenItLasts) {
  const auto hot = Sample().With(v1::THROTTLED, {"thermal"}, 1).With(v1::TEMPERATURE, {"core"}, 92);
  const auto cool = Sample().With(v1::THROTTLED, {"thermal"}, 0).With(v1::TEMPERATURE, {"core"}, 70);
  EXPECT_EQ(Run(hot, 10), "");
  EXPECT_EQ(Run(cool, 1), "");
  EXPECT_EQ(Run(hot, 10), "") << "the time before does not count";
  EXPECT_EQ(Run(hot, 1), "thermal.throttling");
  EXPECT_THAT(Message("thermal.throttling"), HasSubstr("92 °C"));
  EXPECT_EQ(Run(cool, 30), "thermal.throttling");
  EXPECT_EQ(Run(cool, 1), "");
}

TEST_F(DeviceRulesTest, AGapBetweenSamplesIsNoEvidence) {
  const auto hot = Sample().With(v1::THROTTLED, {"hw_thermal"}, 1);
  EXPECT_EQ(Run(hot, 2), "");
  now_ms_ += 60'000;
  EXPECT_EQ(Run(hot, 2), "");
  EXPECT_EQ(Run(hot, 10), "thermal.throttling");
}

TEST_F(DeviceRulesTest, PowerThrottlingAtTheLimitIsTheGpusOwn) {
  const auto at = [](double watts, double utilization) {
    return Sample()
        .With(v1::THROTTLED, {"power"}, 1)
        .With(v1::UTILIZATION, {"gpu"}, utilization)
        .With(v1::POWER, {"card"}, watts)
        .With(v1::POWER_LIMIT, {"enforced"}, 700);
  };
  EXPECT_EQ(Run(at(690, 1), 60), "");
  EXPECT_EQ(Run(at(300, 0.1), 60), "");
  EXPECT_EQ(Run(at(300, 1), 60), "power.throttling");
  EXPECT_THAT(Message("power.throttling"), HasSubstr("300 W of 700 W"));
}

TEST_F(DeviceRulesTest, AnExternalBrakeIsAlwaysOne) {
  EXPECT_EQ(Run(Sample().With(v1::THROTTLED, {"hw_power_brake"}, 1), 11), "power.throttling");
}

TEST_F(DeviceRulesTest, LimitsOfTemperatureHaveHysteresis) {
  const auto at = [](double celsius) {
    return Sample().With(v1::TEMPERATURE, {"core"}, celsius).With(v1::TEMPERATURE_LIMIT, {"slowdown"}, 90);
  };
  EXPECT_EQ(Run(at(89), 60), "");
  EXPECT_EQ(Run(at(90)), "thermal.limit");
  EXPECT_THAT(Message("thermal.limit"), HasSubstr("core at 90 °C, its limit is 90 °C"));
  EXPECT_EQ(Run(at(88), 60), "thermal.limit");
  EXPECT_EQ(Run(at(86), 10), "thermal.limit");
  EXPECT_EQ(Run(at(86), 1), "");
}

TEST_F(DeviceRulesTest, MemoryAndShutdownHaveLimitsToo) {
  EXPECT_EQ(Run(Sample().With(v1::TEMPERATURE, {"memory"}, 96).With(v1::TEMPERATURE_LIMIT, {"memory_throttle"}, 95)),
            "thermal.limit");
  EXPECT_EQ(Run(Sample().With(v1::TEMPERATURE, {"core"}, 50).With(v1::TEMPERATURE_LIMIT, {"shutdown"}, 105), 20), "");
  EXPECT_EQ(Run(Sample().With(v1::TEMPERATURE, {"core"}, 100).With(v1::TEMPERATURE_LIMIT, {"shutdown"}, 105)),
            "thermal.limit");
}

TEST_F(DeviceRulesTest, LinksMayRestWhileTheGpuDoes) {
  const auto at = [](double generation, double lanes, double utilization) {
    return Sample()
        .With(v1::UTILIZATION, {"compute"}, utilization)
        .With(v1::PCIE_LINK_GENERATION, generation)
        .With(v1::PCIE_LINK_GENERATION_MAX, 5)
        .With(v1::PCIE_LINK_LANES, lanes)
        .With(v1::PCIE_LINK_LANES_MAX, 16);
  };
  EXPECT_EQ(Run(at(1, 16, 0), 600), "");
  EXPECT_EQ(Run(at(1, 16, 1), 10), "");  // Time to train up.
  EXPECT_EQ(Run(at(5, 8, 1), 1), "pcie.link-degraded");
  EXPECT_THAT(Message("pcie.link-degraded"), HasSubstr("generation 5 × 8 lanes"));
  EXPECT_EQ(Run(at(1, 8, 0), 600), "pcie.link-degraded") << "idle proves nothing";
  EXPECT_EQ(Run(at(5, 16, 1), 6), "");
}

TEST_F(DeviceRulesTest, OnlyALinkThatWasUpCanBeDown) {
  const auto links = [](double zero, double one) {
    return Sample().With(v1::LINK_UP, {"0"}, zero).With(v1::LINK_UP, {"1"}, one);
  };
  EXPECT_EQ(Run(links(0, 1), 60), "");
  EXPECT_EQ(Run(links(0, 0), 3), "");
  EXPECT_EQ(Run(links(0, 0), 1), "link.down");
  EXPECT_THAT(Message("link.down"), HasSubstr("link 1 is down"));
  EXPECT_EQ(Run(links(0, 1)), "");
}

TEST_F(DeviceRulesTest, ErrorsOfLinksCountByTheirRate) {
  const auto with = [](double crc, double replays) {
    return Sample().With(v1::LINK_ERRORS, {"0", "crc_flit"}, crc).With(v1::LINK_ERRORS, {"0", "replay"}, replays);
  };
  EXPECT_EQ(Run(with(0, 0)), "");
  EXPECT_EQ(Run(with(limits::kLinkCrcErrorsPerMinute, limits::kLinkErrorsPerMinute)), "");
  EXPECT_EQ(Run(with(limits::kLinkCrcErrorsPerMinute, limits::kLinkErrorsPerMinute + 1)), "link.errors");
}

TEST_F(DeviceRulesTest, AFanMayRestWhileTheGpuIsCool) {
  const auto at = [](double rpm, double celsius) {
    return Sample()
        .With(v1::FAN_SPEED_RPM, {"0"}, 900)
        .With(v1::FAN_SPEED_RPM, {"1"}, rpm)
        .With(v1::TEMPERATURE, {"core"}, celsius);
  };
  EXPECT_EQ(Run(at(0, 40), 60), "");
  EXPECT_EQ(Run(at(0, 70), 11), "fan.stopped");
  EXPECT_THAT(Message("fan.stopped"), HasSubstr("fan 1 stands still at 70 °C"));
  EXPECT_EQ(Run(at(1'200, 70)), "");
}

TEST_F(DeviceRulesTest, EnergyThatFallsIsANewBeginning) {
  Run(Sample().With(v1::ENERGY, {"card"}, 1e6));
  Run(Sample().With(v1::ENERGY, {"card"}, 1.1e6));
  EXPECT_FALSE(rules_.began_anew());
  Run(Sample().With(v1::ENERGY, {"card"}, 30));
  EXPECT_TRUE(rules_.began_anew());
  Run(Sample().With(v1::ENERGY, {"card"}, 60));
  EXPECT_FALSE(rules_.began_anew());
}

TEST_F(DeviceRulesTest, AnEnergyThatCannotBeReadOnceIsNoNewBeginning) {
  const FakeSample whole = Sample().With(v1::ENERGY, {"card"}, 1e6).With(v1::ENERGY, {"tile0"}, 4e5);
  Run(whole);
  Run(Sample().Absent(v1::ENERGY, {"card"}).With(v1::ENERGY, {"tile0"}, 4e5));
  EXPECT_FALSE(rules_.began_anew()) << "the tile's is another counter";
  Run(whole);
  EXPECT_FALSE(rules_.began_anew());
}

}  // namespace
}  // namespace muster::agent
