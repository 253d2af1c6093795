// A suite program that does each thing a test can do, for sample_suite_test.cc to look at from outside.
#include <gtest/gtest.h>
#include <signal.h>

#include <chrono>
#include <cmath>
#include <cstdio>
#include <stdexcept>
#include <thread>
#include <vector>

#include "suites/sdk/child.h"
#include "suites/sdk/devices.h"
#include "suites/sdk/interruption.h"
#include "suites/sdk/measurement.h"
#include "suites/sdk/outcome.h"
#include "suites/sdk/parameters.h"

namespace muster::sdk {
namespace {

TEST(sample, passes) {
  Measure("rate", 1.5e12, "B/s").AtLeast(1e12);
  ReportWork("bytes", 4096);
}

TEST(sample, fails) { EXPECT_EQ(2 + 2, 5) << "arithmetic is off"; }

TEST(sample, fails_in_words) { FAIL() << "expected \"much\",\nfound \xFF little"; }

TEST(sample, skips) { GTEST_SKIP() << "needs a bigger boat"; }

TEST(sample, throws_tool_error) { throw ToolError("no room on the bench"); }

TEST(sample, throws_device_failure) { throw DeviceFailure("the GPU is lost"); }

TEST(sample, throws_anything) { throw std::runtime_error("surprise"); }

TEST(sample, throws_nothing_known) { throw 42; }

TEST(sample, records_tool_error) { RecordToolError("half of it could not be read"); }

TEST(sample, measures_nan) { Measure("rate", std::nan(""), "B/s"); }

TEST(sample, breaks_validator) { Measure("rate", 0.5e12, "B/s").AtLeast(1e12); }

TEST(sample, prints) {
  std::printf("this is not OCPTV\n");
  std::fflush(stdout);
}

TEST(sample, is_interrupted) {
  const Interruption interruption;
  raise(SIGTERM);
  EXPECT_FALSE(Interruption::SleepUntil(std::chrono::steady_clock::time_point::max()));
  Measure("done", 3, "1");
  GTEST_SKIP() << "stopped by SIGTERM";
}

TEST(sample, measures_in_threads) {
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 4; ++thread) {
    threads.emplace_back([thread] {
      for (int i = 0; i < 50; ++i) Measure("thread." + std::to_string(thread), i, "1");
      EXPECT_NE(thread, 3) << "thread three fails";
    });
  }
  for (std::thread& thread : threads) thread.join();
}

TEST(sample, each_device) {
  ForEachDevice([](const v1::Device& device) {
    if (device.id() == "GPU-skipped") throw DeviceSkipped("too small");
    if (device.id() == "GPU-lost") throw DeviceFailure("fell off the bus");
    Measure("rate", 1, "1");
  });
}

TEST(sample, reads_parameter) { EXPECT_EQ(Parameter<int64_t>("size"), 4096); }

const ChildMode kEcho("echo", [](const std::string& argument) { return argument == "seven" ? 7 : 1; });

TEST(sample, starts_itself) {
  const auto child = StartChild("echo", "seven");
  ASSERT_TRUE(child.ok()) << child.status();
  EXPECT_EQ(WaitForChild(*child).value_or(-1), 7);
}

// What fails before any test is the program's mistake.
class BrokenSetUp : public testing::Test {
 protected:
  static void SetUpTestSuite() { ADD_FAILURE() << "the fixture is broken"; }
};
TEST_F(BrokenSetUp, runs) {}

}  // namespace
}  // namespace muster::sdk
