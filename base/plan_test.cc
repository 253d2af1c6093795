#include "base/plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "base/textproto.h"

namespace muster::base {
namespace {

using ::testing::HasSubstr;

v1::Plan Plan() {
  v1::Plan plan;
  const absl::Status status = ParseTextProto(R"pb(
                                               name: "smoke"
                                               on: "vendor=nvidia"
                                               suites { suite: "driver" }
                                               suites {
                                                 suite: "benchmark"
                                                 level: LEVEL_LONG
                                                 cases: "gemm\\..*"
                                                 parameters { key: "size" value: "8" }
                                                 on: "site=a"
                                               }
                                             )pb",
                                             "test", &plan);
  EXPECT_TRUE(status.ok()) << status;
  return plan;
}

TEST(ValidatePlan, TakesAGoodOne) { EXPECT_EQ(ValidatePlan(Plan()), absl::OkStatus()); }

TEST(ValidatePlan, SaysWhatIsWrong) {
  struct Fault {
    const char* message;
    std::function<void(v1::Plan&)> make;
  };
  const std::vector<Fault> faults = {
      {"plan name", [](auto& p) { p.set_name("Smoke"); }},
      {"plan smoke: on: selector", [](auto& p) { p.set_on("="); }},
      {"plan smoke: level", [](auto& p) { p.set_level(static_cast<v1::Level>(5)); }},
      {"priority", [](auto& p) { p.set_priority(101); }},
      {"queue_time_limit_ms", [](auto& p) { p.set_queue_time_limit_ms(-1); }},
      {"max_attempts", [](auto& p) { p.set_max_attempts(11); }},
      {"expected 1 to 64 suites", [](auto& p) { p.clear_suites(); }},
      {"suite name", [](auto& p) { p.mutable_suites(0)->set_suite("../x"); }},
      {"suite benchmark: case pattern \"(\"", [](auto& p) { p.mutable_suites(1)->set_cases(0, "("); }},
      {"suite benchmark: cases", [](auto& p) { p.mutable_suites(1)->set_cases(0, ""); }},
      {"suite benchmark: on: selector", [](auto& p) { p.mutable_suites(1)->set_on("a b"); }},
      {"parameter name", [](auto& p) { (*p.mutable_suites(1)->mutable_parameters())["A"] = "1"; }},
      {"longer", [](auto& p) { (*p.mutable_suites(1)->mutable_parameters())["a"] = std::string(5000, 'x'); }},
  };
  for (const Fault& fault : faults) {
    v1::Plan plan = Plan();
    fault.make(plan);
    const absl::Status status = ValidatePlan(plan);
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << fault.message;
    EXPECT_THAT(std::string(status.message()), HasSubstr(fault.message));
  }
}

TEST(Plan, DefaultsAreTheContracts) {
  v1::Plan plan = Plan();
  EXPECT_EQ(LevelOf(plan, plan.suites(0)), v1::LEVEL_QUICK);
  EXPECT_EQ(LevelOf(plan, plan.suites(1)), v1::LEVEL_LONG);
  plan.set_level(v1::LEVEL_MEDIUM);
  EXPECT_EQ(LevelOf(plan, plan.suites(0)), v1::LEVEL_MEDIUM);
  EXPECT_EQ(QueueTimeLimitMs(plan), 3'600'000);
  EXPECT_EQ(MaxAttempts(plan), 2u);
  plan.set_queue_time_limit_ms(5);
  plan.set_max_attempts(1);
  EXPECT_EQ(QueueTimeLimitMs(plan), 5);
  EXPECT_EQ(MaxAttempts(plan), 1u);
}

}  // namespace
}  // namespace muster::base
