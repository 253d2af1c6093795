#include "agent/executor/job_environment.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

namespace muster::agent {
namespace {

v1::Device Gpu(const std::string& id, v1::Vendor vendor, const std::string& pci) {
  v1::Device device;
  device.set_id(id);
  device.set_uuid(id);
  device.set_vendor(vendor);
  device.set_pci_address(pci);
  device.set_driver_state(v1::DRIVER_STATE_READY);
  return device;
}

class JobEnvironmentTest : public ::testing::Test {
 protected:
  JobEnvironmentTest() {
    manifest_.set_name("driver");
    manifest_.set_version("3");
    manifest_.set_format(v1::RESULT_FORMAT_OCPTV);
    spec_.set_level(v1::LEVEL_MEDIUM);
    spec_.add_cases("a");
    spec_.add_cases("b.c");
    machine_.set_name("m");
    *machine_.add_devices() = Gpu("I2", v1::VENDOR_INTEL, "0000:03:00.0");
    *machine_.add_devices() = Gpu("N1", v1::VENDOR_NVIDIA, "0000:01:00.0");
    *machine_.add_devices() = Gpu("I1", v1::VENDOR_INTEL, "0000:02:00.0");
    *machine_.add_devices() = Gpu("N2", v1::VENDOR_NVIDIA, "0000:04:00.0");
  }
  std::map<std::string, std::string> Build(const std::vector<int>& leased) {
    JobEnvironment environment{.manifest = &manifest_,
                               .spec = &spec_,
                               .machine = &machine_,
                               .artifact_folder = "/a",
                               .state_folder = "/s",
                               .junit_file = "/j",
                               .root = root_,
                               .pass = {"EXTRA"}};
    for (const int i : leased) environment.devices.push_back(machine_.devices(i));
    (*environment.parameters.mutable_fields())["x"].set_number_value(5);
    std::map<std::string, std::string> variables;
    const std::map<std::string, std::string> own = {{"PATH", "/bin"}, {"SECRET", "s"}, {"EXTRA", "e"}};
    for (const std::string& variable : environment.Build([&own](const std::string& name) -> std::optional<std::string> {
           const auto found = own.find(name);
           return found == own.end() ? std::nullopt : std::optional<std::string>(found->second);
         })) {
      const size_t equals = variable.find('=');
      variables[variable.substr(0, equals)] = variable.substr(equals + 1);
    }
    return variables;
  }

  std::string root_ = "/";
  v1::SuiteManifest manifest_;
  v1::JobSpec spec_;
  v1::Machine machine_;
};

TEST_F(JobEnvironmentTest, SaysWhatTheProgramNeeds) {
  const auto variables = Build({1});
  EXPECT_EQ(variables.at("MUSTER_OUTPUT"), "ocptv");
  EXPECT_EQ(variables.at("MUSTER_SUITE"), "driver");
  EXPECT_EQ(variables.at("MUSTER_SUITE_VERSION"), "3");
  EXPECT_EQ(variables.at("MUSTER_CASES"), "a,b.c");
  EXPECT_EQ(variables.at("MUSTER_LEVEL"), "2");
  EXPECT_EQ(variables.at("MUSTER_PARAMETERS"), R"({"x":5})");
  EXPECT_THAT(variables.at("MUSTER_DEVICES"), testing::StartsWith(R"([{"id":"N1")"));
  EXPECT_EQ(variables.at("MUSTER_MACHINE"), R"({"name":"m"})");
  EXPECT_EQ(variables.at("MUSTER_ARTIFACT_DIR"), "/a");
  EXPECT_EQ(variables.at("MUSTER_STATE_DIR"), "/s");
  EXPECT_EQ(variables.at("MUSTER_JUNIT_FILE"), "/j");
  EXPECT_FALSE(variables.contains("MUSTER_DESTRUCTIVE"));
  spec_.set_destructive(true);
  EXPECT_EQ(Build({1}).at("MUSTER_DESTRUCTIVE"), "1");
  EXPECT_FALSE(variables.contains("MUSTER_ROOT"));
}

TEST_F(JobEnvironmentTest, SaysWhereASimulatedMachineIs) {
  root_ = "/tmp/machine";
  EXPECT_EQ(Build({1}).at("MUSTER_ROOT"), "/tmp/machine");
}

TEST_F(JobEnvironmentTest, PassesOnOnlyWhatIsListed) {
  const auto variables = Build({});
  EXPECT_EQ(variables.at("PATH"), "/bin");
  EXPECT_EQ(variables.at("EXTRA"), "e");
  EXPECT_FALSE(variables.contains("SECRET"));
  EXPECT_FALSE(variables.contains("HOME"));
}

TEST_F(JobEnvironmentTest, ShowsOnlyTheLeasedDevices) {
  EXPECT_EQ(Build({}).at("CUDA_VISIBLE_DEVICES"), "");
  EXPECT_FALSE(Build({}).contains("ZE_AFFINITY_MASK"));
  EXPECT_EQ(Build({1, 3}).at("CUDA_VISIBLE_DEVICES"), "N1,N2");
  EXPECT_EQ(Build({0}).at("ZE_AFFINITY_MASK"), "1");  // By PCI address.
  EXPECT_EQ(Build({0}).at("CUDA_VISIBLE_DEVICES"), "");
  EXPECT_EQ(Build({2, 0}).at("ZE_AFFINITY_MASK"), "0,1");
  // Cards in the order of the bus, whatever the machine's own settings are.
  EXPECT_EQ(Build({0}).at("ZE_ENABLE_PCI_ID_DEVICE_ORDER"), "1");
  EXPECT_EQ(Build({0}).at("ZE_FLAT_DEVICE_HIERARCHY"), "COMPOSITE");
  EXPECT_FALSE(Build({}).contains("ZE_FLAT_DEVICE_HIERARCHY"));
}

TEST_F(JobEnvironmentTest, Arguments) {
  manifest_.add_arguments("--junitxml={junit_file}");
  manifest_.add_arguments("$HOME {x}");
  EXPECT_THAT(JobArguments(manifest_, spec_, "/j"), testing::ElementsAre("--junitxml=/j", "$HOME {x}"));
  manifest_.set_format(v1::RESULT_FORMAT_GTEST);
  manifest_.clear_arguments();
  EXPECT_THAT(JobArguments(manifest_, spec_, "/j"),
              testing::ElementsAre("--gtest_filter=a:b.c", "--gtest_output=xml:/j", "--gtest_color=no"));
}

}  // namespace
}  // namespace muster::agent
