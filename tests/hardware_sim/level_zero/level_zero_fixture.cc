#include "tests/hardware_sim/level_zero/level_zero_fixture.h"

#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <thread>

namespace muster::sim::ze {
namespace {

int tests_of_this_process = 0;

}  // namespace

LevelZeroTest::LevelZeroTest() : scenario_path_(::testing::TempDir() + "scenario-" + std::to_string(getpid())) {
  EXPECT_EQ(++tests_of_this_process, 1) << "Level Zero is initialised once in a process: run the tests with ctest";
  const auto start = std::chrono::system_clock::now().time_since_epoch() - std::chrono::hours(1);
  const auto start_ms = std::chrono::duration_cast<std::chrono::milliseconds>(start).count();
  setenv("MUSTER_SIM_SCENARIO", scenario_path_.c_str(), 1);
  setenv("MUSTER_SIM_MACHINE", "m", 1);
  setenv("MUSTER_SIM_START_UNIX_MS", std::to_string(start_ms).c_str(), 1);
  setenv("MUSTER_SIM_KERNELS", MUSTER_EXAMPLE_KERNELS, 1);
  setenv("ZE_ENABLE_ALT_DRIVERS", MUSTER_SIM_ZE_DRIVER, 1);
  setenv("ZES_ENABLE_SYSMAN", "1", 1);
  unsetenv("ZE_AFFINITY_MASK");
  SetScenario(kOneArc);
}

LevelZeroTest::~LevelZeroTest() { std::remove(scenario_path_.c_str()); }

void LevelZeroTest::SetScenario(const std::string& text) {
  const std::string next = scenario_path_ + ".next";
  std::ofstream(next) << text;
  ASSERT_EQ(std::rename(next.c_str(), scenario_path_.c_str()), 0);
}

void LevelZeroTest::Start() {
  ASSERT_EQ(zeInit(0), ZE_RESULT_SUCCESS);
  uint32_t count = 1;
  ASSERT_EQ(zeDriverGet(&count, &driver_), ZE_RESULT_SUCCESS);
  ASSERT_EQ(count, 1u);
  devices_ = List(zeDeviceGet, driver_);
  for (ze_device_handle_t device : devices_) sysman_.push_back(reinterpret_cast<zes_device_handle_t>(device));
}

void LevelZeroTest::Await(const std::function<bool()>& condition) {
  const auto limit = std::chrono::steady_clock::now() + std::chrono::minutes(1);
  while (!condition()) {
    ASSERT_LT(std::chrono::steady_clock::now(), limit) << "the condition did not come to hold";
    std::this_thread::yield();
  }
}

}  // namespace muster::sim::ze
