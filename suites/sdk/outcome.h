// The ways a test ends early, told apart by whose fault it is. Use them beside GoogleTest's own assertions.
//
//   EXPECT_…/FAIL()      what the device did is wrong: FAILED
//   DeviceFailure        the same, thrown from where no assertion can return (an illegal access, an ECC error)
//   ToolError            the test cannot tell (no memory for it, a file that is unreadable): ERROR
//   GTEST_SKIP()         a stated requirement of the whole test is not met: SKIPPED
//   DeviceSkipped        the same for one device, inside ForEachDevice (devices.h)
//
// Any other exception that leaves a test is an ERROR too.
#ifndef MUSTER_SUITES_SDK_OUTCOME_H_
#define MUSTER_SUITES_SDK_OUTCOME_H_

#include <source_location>
#include <stdexcept>
#include <string>

namespace muster::sdk {

// GoogleTest hands a listener the text of an exception and not its type: these marks at its front tell.
inline constexpr char kToolErrorMark[] = "[tool error] ";
inline constexpr char kDeviceFailureMark[] = "[device failure] ";

class ToolError : public std::runtime_error {
 public:
  explicit ToolError(const std::string& message) : std::runtime_error(kToolErrorMark + message) {}
};

class DeviceFailure : public std::runtime_error {
 public:
  explicit DeviceFailure(const std::string& message) : std::runtime_error(kDeviceFailureMark + message) {}
};

class DeviceSkipped : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// Records a tool error and goes on; the case ends as ERROR.
void RecordToolError(const std::string& message, std::source_location location = std::source_location::current());

// What this thread's failures concern, for as long as an object of it lives. The inner one counts.
class FailureContext {
 public:
  // `verdict` is the author's symbol of the diagnosis; empty leaves the outer one.
  explicit FailureContext(std::string device_id, std::string verdict = "");
  ~FailureContext();
  FailureContext(const FailureContext&) = delete;
  FailureContext& operator=(const FailureContext&) = delete;

  static std::string DeviceId();
  static std::string Verdict();

 private:
  FailureContext* const outer_;
  const std::string device_id_;
  const std::string verdict_;
};

}  // namespace muster::sdk

#endif  // MUSTER_SUITES_SDK_OUTCOME_H_
