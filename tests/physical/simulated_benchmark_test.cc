// The suite benchmark, whole, on simulated Intel GPUs: what it verifies and how it ends. Its figures are nobody's.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/physical/simulated_suite.h"

namespace muster::physical {
namespace {

using sdk::testing::Step;
using testing::HasSubstr;

// As little memory as the host moves in a second.
const std::string& kTinyArc = *new std::string(ArcWithMemory(4 << 20));
const std::string& kSmallArc = *new std::string(ArcWithMemory(256 << 20));

class SimulatedBenchmark : public SimulatedSuite {
 protected:
  SimulatedBenchmark()
      : SimulatedSuite(MUSTER_BENCHMARK_SUITE,
                       R"("buffer_mib": 64, "pinned_mib": 16, "repeats": 3, "link_repeats": 3, "memory_floor": 0, )"
                       R"("pci_floor": 0, "pci_both_floor": 0, "latency_limit_us": 100000)") {}
};

std::string Names(const Step& step) {
  std::string names;
  for (const auto& one : step.measurements) names += one.name() + " ";
  return names;
}

TEST_F(SimulatedBenchmark, MemoryThatIsMovedRightPasses) {
  const struct {
    const char* name;
    const char* measurement;
  } cases[] = {{"bandwidth.device_copy", "bandwidth.device_copy.driver "},
               {"bandwidth.device_copy", "bandwidth.device_copy.kernel "},
               {"bandwidth.device_read", "bandwidth.device_read.kernel "},
               {"bandwidth.device_write", "bandwidth.device_write.kernel "},
               {"bandwidth.device_triad", "bandwidth.device_triad.kernel "},
               {"bandwidth.host_to_device", "bandwidth.host_to_device.pinned "},
               {"bandwidth.device_to_host", "bandwidth.device_to_host.pinned "}};
  for (const auto& [name, measurement] : cases) {
    const bool over_link = std::string(name).find("host") != std::string::npos;
    const Step step = Run(name, over_link ? kSmallArc : kTinyArc);
    EXPECT_EQ(step.status, "COMPLETE") << name << Said(step);
    EXPECT_EQ(Said(step), "") << name;
    EXPECT_THAT(Names(step), HasSubstr(measurement));
    EXPECT_THAT(Names(step), HasSubstr("work.bytes "));
  }
}

TEST_F(SimulatedBenchmark, AnInjectedFaultOfATransferIsLocated) {
  for (const char* name :
       {"bandwidth.device_copy", "bandwidth.device_read", "bandwidth.device_write", "bandwidth.device_triad",
        "bandwidth.host_to_device", "bandwidth.device_to_host", "bandwidth.host_both"}) {
    const bool over_link = std::string(name).find("host") != std::string::npos;
    const Step step = Run(name, over_link ? kSmallArc : kTinyArc, "", R"(, "inject_transfer": "flip:123456:77")");
    EXPECT_TRUE(Failed(step)) << name << Said(step);
    EXPECT_THAT(Said(step), HasSubstr("from offset 0x1e240 to 0x1e24f; 1 bit of the first differs")) << name;
  }
}

// The driver's own fault: a bit behind each run of the kernel.
TEST_F(SimulatedBenchmark, AWrongBitOfTheDeviceIsLocated) {
  for (const auto& [name, kernel] :
       {std::pair("bandwidth.device_copy", "stream_copy"), std::pair("bandwidth.device_triad", "stream_triad")}) {
    const Step step =
        Run(name, kTinyArc,
            "faults { at_s: 1 wrong_results { kernel: '" + std::string(kernel) + "' byte_offset: 4660 bit: 3 } }");
    EXPECT_TRUE(Failed(step)) << name << Said(step);
    EXPECT_THAT(Said(step), HasSubstr("from offset 0x1230 to 0x123f; 1 bit of the first differs")) << name;
  }
}

TEST_F(SimulatedBenchmark, LaunchesAreCounted) {
  for (const char* name : {"latency.launch", "latency.graph", "latency.event"}) {
    const Step good = Run(name, kTinyArc);
    EXPECT_EQ(good.status, "COMPLETE") << name << Said(good);
    EXPECT_EQ(Said(good), "") << name;
    EXPECT_THAT(Said(Run(name, kTinyArc, "", R"(, "inject_latency": "drop:50")")), HasSubstr(" did not run"));
  }
}

// Whether both queues are at work at once is the host's affair.
TEST_F(SimulatedBenchmark, BothDirectionsAreRight) { EXPECT_FALSE(Failed(Run("bandwidth.host_both", kSmallArc))); }

TEST_F(SimulatedBenchmark, ALinkOfAChaseThatLeadsElsewhereIsNamed) {
  const Step step = Run("latency.pointer_chase", kSmallArc, "", R"(, "inject_chase": "link:7")");
  EXPECT_TRUE(Failed(step)) << Said(step);
  EXPECT_THAT(Said(step), HasSubstr("link 7 at offset 0x380 leads to 0"));
}

TEST_F(SimulatedBenchmark, ADeviceThatIsLostFails) {
  const Step step =
      Run("bandwidth.device_copy", kTinyArc,
          "faults { at_s: 1 call_fails { function: 'zeCommandListAppendMemoryCopy' result: 0x70000001 } }");
  EXPECT_TRUE(Failed(step)) << Said(step);
  EXPECT_THAT(Said(step), HasSubstr("lost or hung"));
}

}  // namespace
}  // namespace muster::physical
