// The tests' way to the simulated driver: through the real loader, as an application goes. Level Zero can be
// initialised once in a process, so that each test needs one of its own; ctest gives it one.
#ifndef MUSTER_TESTS_HARDWARE_SIM_LEVEL_ZERO_LEVEL_ZERO_FIXTURE_H_
#define MUSTER_TESTS_HARDWARE_SIM_LEVEL_ZERO_LEVEL_ZERO_FIXTURE_H_

#include <gtest/gtest.h>
#include <level_zero/ze_api.h>
#include <level_zero/zes_api.h>

#include <functional>
#include <string>
#include <vector>

namespace muster::sim::ze {

inline constexpr char kOneArc[] = R"(machines { name: "m" devices { model: ARC_A770 load { constant: 0.5 } } })";

class LevelZeroTest : public ::testing::Test {
 protected:
  LevelZeroTest();
  ~LevelZeroTest() override;

  // The scenario that the driver will see, or sees from now on; it began an hour ago. Text as in scenario.proto.
  void SetScenario(const std::string& text);
  // zeInit, and the handles of the simulated devices. Environment variables are set before.
  void Start();

  // Level Zero's way to list, of any kind of handle.
  template <typename Handle, typename Owner>
  static std::vector<Handle> List(ze_result_t (*function)(Owner, uint32_t*, Handle*), Owner owner) {
    uint32_t count = 0;
    EXPECT_EQ(function(owner, &count, nullptr), ZE_RESULT_SUCCESS);
    std::vector<Handle> handles(count);
    if (count > 0) {
      EXPECT_EQ(function(owner, &count, handles.data()), ZE_RESULT_SUCCESS);
    }
    return handles;
  }

  // Waits until the condition holds; fails the test when it does not within a minute.
  static void Await(const std::function<bool()>& condition);

  ze_driver_handle_t driver_ = nullptr;
  std::vector<ze_device_handle_t> devices_;
  std::vector<zes_device_handle_t> sysman_;  // The same.

 private:
  std::string scenario_path_;
};

}  // namespace muster::sim::ze

#endif  // MUSTER_TESTS_HARDWARE_SIM_LEVEL_ZERO_LEVEL_ZERO_FIXTURE_H_
