#include "suites/sdk/environment.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>

#include "suites/sdk/outcome.h"
#include "suites/sdk/parameters.h"
#include "suites/sdk/report_fake.h"
#include "suites/sdk/session.h"

namespace muster::sdk {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;

using Variables = std::map<std::string, std::string>;

absl::StatusOr<Environment> Read(const Variables& variables, const std::string& folder = "/nonexistent") {
  return ReadEnvironment(
      [&](const char* name) {
        const auto found = variables.find(name);
        return found == variables.end() ? nullptr : found->second.c_str();
      },
      folder);
}

// A folder with a manifest in it.
class Folder {
 public:
  explicit Folder(const std::string& manifest)
      : path_(fs::path(testing::TempDir()) / testing::UnitTest::GetInstance()->current_test_info()->name()) {
    fs::create_directories(path_);
    std::ofstream(path_ / "suite.textproto") << manifest;
  }
  ~Folder() { fs::remove_all(path_); }
  std::string path() const { return path_.string(); }

 private:
  const fs::path path_;
};

constexpr char kManifest[] = R"(
  name: "sample" version: "7"
  parameters { name: "size" integer { default_value: 8192 } }
  parameters { name: "floor" number { default_value: 0.8 } }
  parameters { name: "deep" boolean { default_value: true } }
  parameters { name: "library" text { default_value: "x.so" } }
  cases { name: "a.quick" level: LEVEL_QUICK }
  cases { name: "a.medium" level: LEVEL_MEDIUM }
  cases { name: "a.reset" level: LEVEL_QUICK destructive: true }
  unproven { devices: "vendor=intel" reason: "never run there" }
)";

TEST(Environment, IsThatOfTheAgent) {
  const auto environment = Read({{"MUSTER_OUTPUT", "ocptv"},
                                 {"MUSTER_SUITE", "driver"},
                                 {"MUSTER_SUITE_VERSION", "3"},
                                 {"MUSTER_CASES", "a.b,c.d"},
                                 {"MUSTER_LEVEL", "2"},
                                 {"MUSTER_ARTIFACT_DIR", "/tmp/x"},
                                 {"MUSTER_ROOT", "/tmp/machine"},
                                 {"MUSTER_DEVICES", R"([{"id": "GPU-1", "vendor": "VENDOR_NVIDIA", "memoryBytes": "141",
                                                         "pciAddress": "0000:41:00.0", "somethingNew": 1}, {"id": "GPU-2"}])"},
                                 {"MUSTER_MACHINE", R"({"name": "node7", "hostName": "h", "labels": {"room": "9"}})"},
                                 {"MUSTER_PARAMETERS", R"({"size": 4096, "deep": false, "library": "y.so"})"}});
  ASSERT_TRUE(environment.ok()) << environment.status();
  EXPECT_TRUE(environment->ocptv);
  EXPECT_EQ(environment->suite, "driver");
  EXPECT_EQ(environment->suite_version, "3");
  EXPECT_EQ(environment->level, 2);
  EXPECT_FALSE(environment->destructive);
  EXPECT_TRUE(Read({{"MUSTER_DESTRUCTIVE", "1"}})->destructive);
  EXPECT_EQ(environment->artifact_dir, "/tmp/x");
  EXPECT_EQ(environment->root, "/tmp/machine");
  EXPECT_EQ(environment->machine_name, "node7");
  EXPECT_EQ(environment->machine_labels.at("room"), "9");
  EXPECT_TRUE(environment->devices_given);
  ASSERT_EQ(environment->devices.size(), 2u);
  EXPECT_EQ(environment->devices[0].vendor(), v1::VENDOR_NVIDIA);
  EXPECT_EQ(environment->devices[0].memory_bytes(), 141u);
  EXPECT_EQ(environment->devices[1].id(), "GPU-2");
  EXPECT_EQ(GtestFilter(*environment), "a.b:c.d");
  EXPECT_EQ(std::get<double>(environment->parameters.at("size")), 4096);
}

TEST(Environment, NoDevicesIsNotTheSameAsNothingSaid) {
  EXPECT_TRUE(Read({{"MUSTER_DEVICES", "[]"}})->devices_given);
  EXPECT_FALSE(Read({})->devices_given);
}

TEST(Environment, ByHandComesFromTheManifest) {
  const Folder folder(kManifest);
  const auto environment = Read({}, folder.path());
  ASSERT_TRUE(environment.ok()) << environment.status();
  EXPECT_FALSE(environment->ocptv);
  EXPECT_EQ(environment->suite, "sample");
  EXPECT_EQ(environment->suite_version, "7");
  EXPECT_THAT(environment->cases, ElementsAre("a.quick"));
  EXPECT_EQ(std::get<double>(environment->parameters.at("floor")), 0.8);
  ASSERT_EQ(environment->unproven.size(), 1u);
  EXPECT_EQ(environment->unproven[0].devices(), "vendor=intel");
}

TEST(Environment, VariablesGoOverTheManifest) {
  const Folder folder(kManifest);
  const auto environment =
      Read({{"MUSTER_LEVEL", "2"}, {"MUSTER_PARAMETERS", R"({"size": 16})"}, {"MUSTER_CASES", ""}}, folder.path());
  ASSERT_TRUE(environment.ok()) << environment.status();
  EXPECT_THAT(environment->cases, ElementsAre("a.quick", "a.medium"));
  EXPECT_EQ(std::get<double>(environment->parameters.at("size")), 16);
  EXPECT_EQ(std::get<bool>(environment->parameters.at("deep")), true);
  EXPECT_THAT(Read({{"MUSTER_CASES", "a.reset"}}, folder.path())->cases, ElementsAre("a.reset"));
}

TEST(Environment, WithoutAManifestAllTestsRun) {
  const auto environment = Read({});
  ASSERT_TRUE(environment.ok());
  EXPECT_EQ(GtestFilter(*environment), "*");
}

TEST(Environment, SaysWhatItDoesNotUnderstand) {
  EXPECT_THAT(Read({{"MUSTER_LEVEL", "5"}}).status().ToString(), HasSubstr("MUSTER_LEVEL"));
  EXPECT_THAT(Read({{"MUSTER_LEVEL", "quick"}}).status().ToString(), HasSubstr("MUSTER_LEVEL"));
  EXPECT_THAT(Read({{"MUSTER_PARAMETERS", "[1]"}}).status().ToString(), HasSubstr("MUSTER_PARAMETERS"));
  EXPECT_THAT(Read({{"MUSTER_PARAMETERS", R"({"a": [1]})"}}).status().ToString(), HasSubstr("\"a\""));
  EXPECT_THAT(Read({{"MUSTER_DEVICES", "{}"}}).status().ToString(), HasSubstr("MUSTER_DEVICES"));
  EXPECT_THAT(Read({{"MUSTER_DEVICES", "[1]"}}).status().ToString(), HasSubstr("MUSTER_DEVICES"));
  EXPECT_THAT(Read({{"MUSTER_MACHINE", "x"}}).status().ToString(), HasSubstr("MUSTER_MACHINE"));
  const Folder folder("name: 5");
  EXPECT_THAT(Read({}, folder.path()).status().ToString(), HasSubstr("suite.textproto"));
}

TEST(Parameters, HaveTheTypeThatIsAskedFor) {
  const Folder folder(kManifest);
  const auto environment = Read({{"MUSTER_PARAMETERS", R"({"fraction": 1.5})"}}, folder.path());
  ASSERT_TRUE(environment.ok());
  ReportFake report;
  const Session session(*environment, report);
  EXPECT_EQ(Parameter<int64_t>("size"), 8192);
  EXPECT_EQ(Parameter<double>("size"), 8192);
  EXPECT_EQ(Parameter<double>("floor"), 0.8);
  EXPECT_EQ(Parameter<bool>("deep"), true);
  EXPECT_EQ(Parameter<std::string>("library"), "x.so");
  EXPECT_THROW(Parameter<int64_t>("fraction"), ToolError);
  EXPECT_THROW(Parameter<bool>("size"), ToolError);
  EXPECT_THROW(Parameter<std::string>("deep"), ToolError);
  EXPECT_THROW(Parameter<double>("nothing"), ToolError);
}

}  // namespace
}  // namespace muster::sdk
