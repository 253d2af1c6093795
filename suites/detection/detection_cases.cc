// The tests tested: each physical case is made to meet a fault of its own making, and must find, name and place it;
// without one it must find nothing. A case for each of the table's, of the same name.
#include <google/protobuf/struct.pb.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/json.h"
#include "suites/detection/faults.h"
#include "suites/detection/sibling_run.h"
#include "suites/sdk/devices.h"
#include "suites/sdk/measurement.h"
#include "suites/sdk/outcome.h"
#include "suites/sdk/parameters.h"
#include "suites/sdk/session.h"

namespace muster::detection {
namespace {

constexpr size_t kMaxQuoted = 300;

void Say(const std::string& message) { sdk::Session::Current().report().Log(sdk::Severity::kInfo, message); }

// Rates are not what is looked at here: no floors, unless the fault is one of rates.
constexpr char kFloors[] =
    R"({"march_floor":0,"gemm_floor":0,"unit_pace_floor":0,"memory_floor":0,"pci_floor":0,"link_floor":0,"link_kernel_floor":0,"all_reduce_floor":0})";

// With `over`, which goes before the rest.
std::string Parameters(const std::string& over) {
  google::protobuf::Struct all;
  google::protobuf::Struct more;
  for (const absl::Status& status : {base::FromJson(kFloors, base::UnknownFields::kRefuse, &all),
                                     base::FromJson(over, base::UnknownFields::kRefuse, &more)}) {
    if (!status.ok()) throw sdk::ToolError(absl::StrCat(over, ": ", status.message()));
  }
  (*all.mutable_fields())["gemm_size"].set_number_value(static_cast<double>(sdk::Parameter<int64_t>("gemm_size")));
  for (const auto& [name, value] : more.fields()) (*all.mutable_fields())[name] = value;
  return base::ToJson(all);
}

SiblingOutcome RunCase(const Fault& fault, const std::string& over) {
  auto outcome = RunSibling(
      {.suite = fault.suite, .case_name = fault.case_name, .level = fault.level, .parameters = Parameters(over)},
      sdk::LeasedDevices());
  if (!outcome.ok()) throw sdk::ToolError(std::string(outcome.status().message()));
  return *std::move(outcome);
}

// The first message with the word; empty when there is none.
std::string Saying(const std::vector<std::string>& messages, const std::string& word) {
  const auto found = std::find_if(messages.begin(), messages.end(),
                                  [&](const std::string& message) { return absl::StrContains(message, word); });
  return found == messages.end() ? "" : *found;
}

// False when the devices cannot run the case.
bool Find(const Fault& fault) {
  const auto& devices = sdk::LeasedDevices();
  if (fault.vendor != v1::VENDOR_UNSPECIFIED &&
      std::none_of(devices.begin(), devices.end(),
                   [&](const v1::Device& one) { return one.vendor() == fault.vendor; })) {
    Say(absl::StrCat(fault.fault, ": not tried: devices of another vendor do not show it"));
    return false;
  }
  const SiblingOutcome outcome = RunCase(fault, fault.parameters);
  if (outcome.status == "SKIP") {
    Say(absl::StrCat(fault.fault, ": not tried: ", absl::StrJoin(outcome.remarks, "; ")));
    return false;
  }
  std::vector<std::string> missing;
  for (const std::string& word : fault.words) {
    if (Saying(outcome.failures, word).empty()) missing.push_back(word);
  }
  const bool found = outcome.status == "COMPLETE" && !outcome.failures.empty() && missing.empty();
  sdk::MeasureTruth("detection.found", found).OfPart(fault.fault).ExpectTrue();
  if (found) {
    Say(absl::StrCat(fault.fault, ": found: ", Saying(outcome.failures, fault.words.front()).substr(0, kMaxQuoted)));
    return true;
  }
  ADD_FAILURE() << fault.case_name << " with " << fault.parameters << ": expected it to fail and to say '"
                << absl::StrJoin(missing, "', '") << "', found " << outcome.status << " and '"
                << absl::StrJoin(outcome.failures, "; ").substr(0, kMaxQuoted) << "' '"
                << absl::StrJoin(outcome.remarks, "; ").substr(0, kMaxQuoted) << "'";
  return true;
}

class DetectionTest : public testing::Test {
 public:
  explicit DetectionTest(std::vector<Fault> faults) : faults_(std::move(faults)) {}

  void TestBody() override {
    if (sdk::LeasedDevices().empty()) GTEST_SKIP() << "no GPU is leased to this run, and none was found";
    // What always fails finds nothing.
    const SiblingOutcome healthy = RunCase(faults_.front(), "{}");
    if (healthy.status == "SKIP") GTEST_SKIP() << absl::StrJoin(healthy.remarks, "; ");
    ASSERT_EQ(healthy.status, "COMPLETE") << absl::StrJoin(healthy.remarks, "; ");
    ASSERT_TRUE(healthy.failures.empty())
        << faults_.front().case_name
        << " fails without a fault of its own making: " << absl::StrJoin(healthy.failures, "; ");
    size_t tried = 0;
    for (const Fault& fault : faults_) tried += Find(fault) ? 1 : 0;
    sdk::Measure("detection.faults_tried", static_cast<double>(tried), "1").AtLeast(1);
  }

 private:
  const std::vector<Fault> faults_;
};

// "memory.march" is the test march of the group memory.
const bool kRegistered = [] {
  std::map<std::string, std::vector<Fault>> by_case;
  for (const Fault& fault : Faults()) by_case[fault.case_name].push_back(fault);
  for (const auto& [name, faults] : by_case) {
    const size_t dot = name.find('.');
    testing::RegisterTest(name.substr(0, dot).c_str(), name.substr(dot + 1).c_str(), nullptr, nullptr, __FILE__,
                          __LINE__, [faults = faults]() -> testing::Test* { return new DetectionTest(faults); });
  }
  return true;
}();

}  // namespace
}  // namespace muster::detection
