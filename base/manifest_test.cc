#include "base/manifest.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/textproto.h"

namespace muster::base {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

v1::SuiteManifest Manifest() {
  v1::SuiteManifest manifest;
  const absl::Status status =
      ParseTextProto(R"pb(
                       name: "driver"
                       version: "1.0"
                       program: "bin/driver"
                       format: RESULT_FORMAT_OCPTV
                       device_scope: DEVICE_SCOPE_ONE
                       requirement: "vendor=nvidia"
                       parameters {
                         name: "size_mib"
                         integer { default_value: 64 minimum: 1 maximum: 1024 }
                       }
                       parameters {
                         name: "share"
                         number { default_value: 0.9 minimum: 0 maximum: 1 }
                       }
                       parameters {
                         name: "verify"
                         boolean { default_value: true }
                       }
                       parameters {
                         name: "order"
                         text { default_value: "up" choices: "up" choices: "down" }
                       }
                       parameters {
                         name: "path"
                         text { pattern: "/dev/.*|" }
                       }
                       parameters {
                         name: "word"
                         text {}
                       }
                       cases { name: "memory.march" level: LEVEL_QUICK time_limit_ms: 1000 needs_gpu_work: true }
                       cases { name: "memory.copy" level: LEVEL_MEDIUM }
                       cases { name: "link" level: LEVEL_STRESS requirement: "memory_gib>=16" }
                       cases { name: "memory.reset" destructive: true }
                       unproven { devices: "vendor=intel" reason: "never run there" }
                     )pb",
                     "test", &manifest);
  EXPECT_TRUE(status.ok()) << status;
  return manifest;
}

TEST(ValidateManifest, TakesAGoodOne) { EXPECT_EQ(ValidateManifest(Manifest()), absl::OkStatus()); }

struct Fault {
  const char* message;
  std::function<void(v1::SuiteManifest&)> make;
};

TEST(ValidateManifest, SaysWhatIsWrong) {
  const std::vector<Fault> faults = {
      {"suite name", [](auto& m) { m.set_name("Driver"); }},
      {"suite driver: version", [](auto& m) { m.clear_version(); }},
      {"program", [](auto& m) { m.clear_program(); }},
      {"program", [](auto& m) { m.set_program("/bin/sh"); }},
      {"program", [](auto& m) { m.set_program("bin/../../x"); }},
      {"program", [](auto& m) { m.set_program("./x"); }},
      {"program", [](auto& m) { m.set_program(std::string("a\0b", 3)); }},
      {"arguments", [](auto& m) { m.add_arguments(std::string("a\0b", 3)); }},
      {"format", [](auto& m) { m.clear_format(); }},
      {"format", [](auto& m) { m.set_format(static_cast<v1::ResultFormat>(17)); }},
      {"ocptv_compatibility", [](auto& m) { m.set_ocptv_compatibility(true), m.set_format(v1::RESULT_FORMAT_TAP); }},
      {"device_scope", [](auto& m) { m.clear_device_scope(); }},
      {"unproven: devices: selector", [](auto& m) { m.mutable_unproven(0)->set_devices("a b"); }},
      {"unproven: reason", [](auto& m) { m.mutable_unproven(0)->clear_reason(); }},
      {"requirement: selector", [](auto& m) { m.set_requirement("a b"); }},
      {"default_case_time_limit_ms", [](auto& m) { m.set_default_case_time_limit_ms(-1); }},
      {"job_time_limit_ms", [](auto& m) { m.set_job_time_limit_ms(kMaxTimeLimitMs + 1); }},
      {"termination_grace_ms", [](auto& m) { m.set_termination_grace_ms(600'001); }},
      {"expected 1 to 4096 cases", [](auto& m) { m.clear_cases(); }},
      {"one case", [](auto& m) { m.set_format(v1::RESULT_FORMAT_EXIT_CODE); }},
      {"case memory.copy is there twice", [](auto& m) { m.mutable_cases(0)->set_name("memory.copy"); }},
      {"case name", [](auto& m) { m.mutable_cases(0)->set_name("a,b"); }},
      {"case memory.march: level", [](auto& m) { m.mutable_cases(0)->clear_level(); }},
      {"case link: requirement: selector", [](auto& m) { m.mutable_cases(2)->set_requirement(">"); }},
      {"case link: time_limit_ms", [](auto& m) { m.mutable_cases(2)->set_time_limit_ms(-5); }},
      {"case link: device_scope",
       [](auto& m) { m.mutable_cases(2)->set_device_scope(static_cast<v1::DeviceScope>(9)); }},
      {"parameter share is there twice", [](auto& m) { m.mutable_parameters(2)->set_name("share"); }},
      {"parameter name", [](auto& m) { m.mutable_parameters(2)->set_name("a-b"); }},
      {"expected a kind", [](auto& m) { m.mutable_parameters(2)->clear_kind(); }},
      {"above the maximum", [](auto& m) { m.mutable_parameters(0)->mutable_integer()->set_minimum(2000); }},
      {"a default from 1 to 1024", [](auto& m) { m.mutable_parameters(0)->mutable_integer()->set_default_value(0); }},
      {"2^53", [](auto& m) { m.mutable_parameters(0)->mutable_integer()->set_maximum(INT64_MAX); }},
      {"finite", [](auto& m) { m.mutable_parameters(1)->mutable_number()->set_maximum(1.0 / 0.0); }},
      {"one of up, down", [](auto& m) { m.mutable_parameters(3)->mutable_text()->set_default_value("left"); }},
      {"keep one", [](auto& m) { m.mutable_parameters(3)->mutable_text()->set_pattern("x"); }},
      {"no regular expression", [](auto& m) { m.mutable_parameters(4)->mutable_text()->set_pattern("("); }},
      {"text like /dev", [](auto& m) { m.mutable_parameters(4)->mutable_text()->set_default_value("/etc"); }},
  };
  for (const Fault& fault : faults) {
    v1::SuiteManifest manifest = Manifest();
    fault.make(manifest);
    const absl::Status status = ValidateManifest(manifest);
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << fault.message;
    EXPECT_THAT(std::string(status.message()), HasSubstr(fault.message));
  }
}

google::protobuf::Map<std::string, std::string> Given(const std::vector<std::pair<std::string, std::string>>& entries) {
  google::protobuf::Map<std::string, std::string> map;
  for (const auto& [key, value] : entries) map[key] = value;
  return map;
}

TEST(ResolveParameters, FillsInDefaults) {
  const auto resolved = ResolveParameters(Manifest(), {});
  ASSERT_TRUE(resolved.ok()) << resolved.status();
  EXPECT_EQ(resolved->fields().size(), 6u);
  EXPECT_EQ(resolved->fields().at("size_mib").number_value(), 64);
  EXPECT_EQ(resolved->fields().at("share").number_value(), 0.9);
  EXPECT_TRUE(resolved->fields().at("verify").bool_value());
  EXPECT_EQ(resolved->fields().at("order").string_value(), "up");
  EXPECT_THAT(ToJson(*resolved), HasSubstr("\"size_mib\":64"));
}

TEST(ResolveParameters, TypesWhatIsGiven) {
  const auto resolved = ResolveParameters(Manifest(), Given({{"size_mib", "128"},
                                                             {"share", "1e-1"},
                                                             {"verify", "false"},
                                                             {"order", "down"},
                                                             {"path", "/dev/nvidia0"},
                                                             {"word", "a/b:1,2"}}));
  ASSERT_TRUE(resolved.ok()) << resolved.status();
  EXPECT_EQ(resolved->fields().at("size_mib").number_value(), 128);
  EXPECT_EQ(resolved->fields().at("share").number_value(), 0.1);
  EXPECT_FALSE(resolved->fields().at("verify").bool_value());
  EXPECT_EQ(resolved->fields().at("path").string_value(), "/dev/nvidia0");
}

TEST(ResolveParameters, RefusesWhatIsNotDeclaredOrAllowed) {
  struct Row {
    const char* name;
    const char* value;
    const char* message;
  };
  for (const Row& row : std::vector<Row>{{"sizes", "1", "it declares size_mib, share, verify, order, path, word"},
                                         {"size_mib", "0", "an integer from 1 to 1024"},
                                         {"size_mib", "1.5", "an integer"},
                                         {"size_mib", "9223372036854775808", "an integer"},
                                         {"size_mib", "", "an integer"},
                                         {"share", "nan", "a number from 0 to 1"},
                                         {"share", "1.01", "a number"},
                                         {"verify", "yes", "true or false"},
                                         {"order", "left", "one of up, down, found \"left\""},
                                         {"path", "/etc/passwd", "text like /dev/.*"},
                                         {"word", "$(reboot)", "text like [A-Za-z0-9"},
                                         {"word", "a b", "text like"}}) {
    const absl::Status status = ResolveParameters(Manifest(), Given({{row.name, row.value}})).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << row.name << "=" << row.value;
    EXPECT_THAT(std::string(status.message()), HasSubstr(row.message));
  }
  v1::SuiteManifest bare = Manifest();
  bare.clear_parameters();
  EXPECT_THAT(std::string(ResolveParameters(bare, Given({{"x", "1"}})).status().message()), HasSubstr("declares none"));
}

absl::StatusOr<std::vector<std::string>> Select(v1::Level level, const std::vector<std::string>& patterns) {
  const v1::SuiteManifest manifest = Manifest();
  google::protobuf::RepeatedPtrField<std::string> repeated(patterns.begin(), patterns.end());
  const auto cases = SelectCases(manifest, level, repeated);
  if (!cases.ok()) return cases.status();
  std::vector<std::string> names;
  for (const v1::Case* one : *cases) names.push_back(one->name());
  return names;
}

TEST(SelectCases, ByLevelWithoutTheDestructive) {
  EXPECT_THAT(*Select(v1::LEVEL_UNSPECIFIED, {}), ElementsAre("memory.march"));
  EXPECT_THAT(*Select(v1::LEVEL_MEDIUM, {}), ElementsAre("memory.march", "memory.copy"));
  EXPECT_THAT(*Select(v1::LEVEL_STRESS, {}), ElementsAre("memory.march", "memory.copy", "link"));
}

TEST(SelectCases, ByNameAndPatternInTheManifestsOrder) {
  EXPECT_THAT(*Select(v1::LEVEL_QUICK, {"link", "memory.copy", "link"}), ElementsAre("memory.copy", "link"));
  EXPECT_THAT(*Select(v1::LEVEL_QUICK, {"memory\\..*"}), ElementsAre("memory.march", "memory.copy"));
  EXPECT_THAT(*Select(v1::LEVEL_QUICK, {"memory.reset"}), ElementsAre("memory.reset"));
}

TEST(SelectCases, SaysWhatIsThere) {
  const absl::Status status = Select(v1::LEVEL_QUICK, {"memory.marsh"}).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(status.message()), HasSubstr("the closest of its 4 are memory.march, memory."));
  EXPECT_EQ(Select(v1::LEVEL_QUICK, {"link", "nope"}).status().code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(Select(v1::LEVEL_QUICK, {".*reset"}).status().message()), HasSubstr("name them exactly"));
  EXPECT_EQ(Select(v1::LEVEL_QUICK, {"("}).status().code(), absl::StatusCode::kInvalidArgument);
}

TEST(Limits, DefaultsAreTheContracts) {
  v1::SuiteManifest manifest = Manifest();
  EXPECT_EQ(CaseTimeLimitMs(manifest, manifest.cases(0)), 1'000);
  EXPECT_EQ(CaseTimeLimitMs(manifest, manifest.cases(1)), 60'000);
  EXPECT_EQ(JobTimeLimitMs(manifest, {&manifest.cases(0), &manifest.cases(1)}), 91'000);
  EXPECT_EQ(TerminationGraceMs(manifest), 5'000);
  manifest.set_default_case_time_limit_ms(7);
  manifest.set_job_time_limit_ms(8);
  manifest.set_termination_grace_ms(9);
  EXPECT_EQ(CaseTimeLimitMs(manifest, manifest.cases(1)), 7);
  EXPECT_EQ(JobTimeLimitMs(manifest, {}), 8);
  EXPECT_EQ(TerminationGraceMs(manifest), 9);
}

TEST(Scope, IsTheCasesOwnOrTheSuites) {
  v1::SuiteManifest manifest = Manifest();
  manifest.mutable_cases(2)->set_device_scope(v1::DEVICE_SCOPE_ALL);
  EXPECT_EQ(ValidateManifest(manifest), absl::OkStatus());
  EXPECT_EQ(ScopeOf(manifest, manifest.cases(0)), v1::DEVICE_SCOPE_ONE);
  EXPECT_EQ(ScopeOf(manifest, manifest.cases(2)), v1::DEVICE_SCOPE_ALL);
}

TEST(Level, NamesRoundTrip) {
  EXPECT_EQ(ParseLevel("long").value(), v1::LEVEL_LONG);
  EXPECT_EQ(ParseLevel("4").value(), v1::LEVEL_STRESS);
  EXPECT_EQ(LevelName(v1::LEVEL_QUICK), "quick");
  EXPECT_EQ(LevelName(static_cast<v1::Level>(9)), "level 9");
  EXPECT_FALSE(ParseLevel("").ok());
  EXPECT_FALSE(ParseLevel("5").ok());
}

}  // namespace
}  // namespace muster::base
