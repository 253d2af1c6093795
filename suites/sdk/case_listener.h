// Turns what GoogleTest sees of a running program into a Report: a case per test, a diagnosis per failure.
//
// TEST(memory, march) is the case "memory.march". Called by GoogleTest, from any thread that fails an assertion.
#ifndef MUSTER_SUITES_SDK_CASE_LISTENER_H_
#define MUSTER_SUITES_SDK_CASE_LISTENER_H_

#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <utility>
#include <vector>

#include "suites/sdk/report.h"

namespace muster::sdk {

class CaseListener : public testing::EmptyTestEventListener {
 public:
  // `report` outlives the listener; `warnings` are the run's, before its first case.
  explicit CaseListener(Report& report, std::vector<std::string> warnings = {})
      : report_(report), warnings_(std::move(warnings)) {}

  void OnTestProgramStart(const testing::UnitTest& program) override;
  void OnTestStart(const testing::TestInfo& test) override;
  void OnTestPartResult(const testing::TestPartResult& part) override;
  void OnTestEnd(const testing::TestInfo& test) override;
  void OnTestProgramEnd(const testing::UnitTest& program) override;

 private:
  Report& report_;
  const std::vector<std::string> warnings_;
  // Whether the running case met a tool error.
  std::atomic<bool> erred_ = false;
  std::atomic<bool> in_case_ = false;
};

}  // namespace muster::sdk

#endif  // MUSTER_SUITES_SDK_CASE_LISTENER_H_
