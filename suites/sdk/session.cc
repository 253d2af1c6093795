#include "suites/sdk/session.h"

#include "suites/sdk/outcome.h"

namespace muster::sdk {
namespace {
Session* current = nullptr;
}  // namespace

Session::Session(const Environment& environment, Report& report) : environment_(environment), report_(report) {
  current = this;
}

Session::~Session() { current = nullptr; }

Session& Session::Current() {
  if (current == nullptr) throw ToolError("the test runs outside of the SDK: link muster_sdk_main, not gtest_main");
  return *current;
}

}  // namespace muster::sdk
