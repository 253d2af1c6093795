#include "suites/driver/device_restart.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "base/fixture_tree.h"
#include "suites/sdk/outcome.h"

namespace muster::driver {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr char kIntel[] = "0000:03:00.0";
constexpr char kNvidia[] = "0000:41:00.0";

// A machine with one GPU of each vendor; commands are written down, and fail where a test says so.
class DeviceRestartTest : public testing::Test {
 protected:
  DeviceRestartTest() {
    tree_.AddHost();
    tree_.AddPci("pci0000:00/0000:03:00.0", "0x8086", "0xe20b", "0x030000", "xe");
    tree_.AddPci("pci0000:40/0000:41:00.0", "0x10de", "0x2335", "0x030200", "nvidia");
    for (const char* file : {"/sys/bus/pci/drivers/xe/unbind", "/sys/bus/pci/drivers/xe/bind"}) tree_.Write(file, "");
    tree_.Write("/sys/devices/pci0000:00/0000:03:00.0/reset", "");
    for (const char* module : {"nvidia", "nvidia_uvm", "nvidia_modeset", "xe"})
      tree_.Write(std::string("/sys/module/") + module + "/refcnt", "0\n");
    tree_.Link("/proc/77/fd/0", "/dev/null");
    tree_.Write("/proc/77/comm", "bash\n");
  }

  RestartMachine Machine() {
    return {.root = tree_.root(),
            .run =
                [this](const std::vector<std::string>& command) {
                  std::string line;
                  for (const std::string& word : command) line += (line.empty() ? "" : " ") + word;
                  ran_.push_back(line);
                  return fails_.contains(line) ? fails_.at(line) : CommandEnd{};
                },
            .wait = [this](int64_t ms) { waited_ms_ += ms; }};
  }
  v1::Device Gpu(v1::Vendor vendor) {
    v1::Device gpu = GpusOf(Machine(), vendor).at(0);
    if (gpu.device_nodes().empty())
      gpu.add_device_nodes(vendor == v1::VENDOR_NVIDIA ? "/dev/nvidia0" : "/dev/dri/renderD128");
    for (const std::string& node : gpu.device_nodes()) tree_.Write(node, "");
    return gpu;
  }
  void Open(const std::string& node) {
    tree_.Link("/proc/4242/fd/7", node);
    tree_.Write("/proc/4242/comm", "python3\n");
  }
  std::string Skipped(const std::function<void()>& work) {
    try {
      work();
    } catch (const sdk::DeviceSkipped& why) {
      return why.what();
    }
    return "it was done";
  }
  std::string ReadBack(const std::string& path) {
    std::ifstream file(tree_.root() + path);
    return {std::istreambuf_iterator<char>(file), {}};
  }

  base::FixtureTree tree_;
  std::vector<std::string> ran_;
  std::map<std::string, CommandEnd> fails_;
  int64_t waited_ms_ = 0;
};

TEST_F(DeviceRestartTest, AnNvidiaGpuIsResetByNvidiaSmi) {
  ResetDevice(Machine(), Gpu(v1::VENDOR_NVIDIA));
  EXPECT_THAT(ran_, ElementsAre(std::string("nvidia-smi --gpu-reset -i ") + kNvidia));
  EXPECT_EQ(waited_ms_, 0);
}

TEST_F(DeviceRestartTest, AnIntelGpuIsUnboundResetAndBound) {
  ResetDevice(Machine(), Gpu(v1::VENDOR_INTEL));
  EXPECT_THAT(ran_, IsEmpty());
  EXPECT_EQ(ReadBack("/sys/bus/pci/drivers/xe/unbind"), kIntel);
  EXPECT_EQ(ReadBack("/sys/devices/pci0000:00/0000:03:00.0/reset"), "1");
  EXPECT_EQ(ReadBack("/sys/bus/pci/drivers/xe/bind"), kIntel);
}

TEST_F(DeviceRestartTest, NothingIsDoneWhileAProcessUsesTheDevice) {
  const v1::Device nvidia = Gpu(v1::VENDOR_NVIDIA);
  const v1::Device intel = Gpu(v1::VENDOR_INTEL);
  Open(nvidia.device_nodes(0));
  EXPECT_THAT(ProcessesOn(Machine(), {nvidia}), ElementsAre("4242 (python3)"));
  EXPECT_THAT(ProcessesOn(Machine(), {intel}), IsEmpty());
  EXPECT_THAT(Skipped([&] { ResetDevice(Machine(), nvidia); }), HasSubstr("stop first: 4242 (python3)"));
  EXPECT_THAT(Skipped([&] { ReloadDriver(Machine(), {nvidia}); }), HasSubstr("stop first: 4242 (python3)"));
  EXPECT_THAT(ran_, IsEmpty());
  ResetDevice(Machine(), intel);
}

TEST_F(DeviceRestartTest, AResetThatIsNotSupportedIsSkippedAndOneThatFailsIsAFailure) {
  const v1::Device gpu = Gpu(v1::VENDOR_NVIDIA);
  const std::string command = std::string("nvidia-smi --gpu-reset -i ") + kNvidia;
  fails_[command] = {3, "Resetting GPU is not supported.\n"};
  EXPECT_THAT(Skipped([&] { ResetDevice(Machine(), gpu); }),
              HasSubstr("ended with 3: Resetting GPU is not supported."));
  fails_[command] = {15, "GPU has fallen off the bus"};
  EXPECT_THROW(ResetDevice(Machine(), gpu), sdk::DeviceFailure);
  std::filesystem::remove(tree_.root() + "/sys/devices/pci0000:00/0000:03:00.0/reset");
  EXPECT_THAT(Skipped([&] { ResetDevice(Machine(), Gpu(v1::VENDOR_INTEL)); }), HasSubstr("no way to reset"));
  EXPECT_EQ(ReadBack("/sys/bus/pci/drivers/xe/unbind"), "") << "nothing was begun";
}

TEST_F(DeviceRestartTest, ADeviceThatDoesNotComeBackFailsAfterAMinute) {
  const v1::Device gpu = Gpu(v1::VENDOR_INTEL);
  std::filesystem::remove(tree_.root() + "/sys/devices/pci0000:00/0000:03:00.0/driver");
  EXPECT_THROW(ResetDevice(Machine(), gpu), sdk::DeviceFailure);
  EXPECT_EQ(waited_ms_, 60'000);
}

TEST_F(DeviceRestartTest, ModulesGoInTheirOrderAndComeBackInTheOther) {
  ReloadDriver(Machine(), {Gpu(v1::VENDOR_NVIDIA)});
  EXPECT_THAT(ran_, ElementsAre("modprobe -r nvidia_uvm", "modprobe -r nvidia_modeset", "modprobe -r nvidia",
                                "modprobe nvidia", "modprobe nvidia_modeset", "modprobe nvidia_uvm"));
  ran_.clear();
  ReloadDriver(Machine(), {Gpu(v1::VENDOR_INTEL)});
  EXPECT_THAT(ran_, ElementsAre("modprobe -r xe", "modprobe xe"));
}

TEST_F(DeviceRestartTest, AModuleThatIsInUseLeavesTheDriverAsItWas) {
  fails_["modprobe -r nvidia"] = {1, "modprobe: FATAL: Module nvidia is in use.\n"};
  EXPECT_THAT(Skipped([&] { ReloadDriver(Machine(), {Gpu(v1::VENDOR_NVIDIA)}); }),
              HasSubstr("Module nvidia is in use"));
  EXPECT_THAT(ran_, ElementsAre("modprobe -r nvidia_uvm", "modprobe -r nvidia_modeset", "modprobe -r nvidia",
                                "modprobe nvidia_modeset", "modprobe nvidia_uvm"));
  fails_["modprobe nvidia_uvm"] = {1, "no"};
  EXPECT_THROW(ReloadDriver(Machine(), {Gpu(v1::VENDOR_NVIDIA)}), sdk::DeviceFailure);
  std::filesystem::remove(tree_.root() + "/sys/module/xe/refcnt");
  EXPECT_THAT(Skipped([&] { ReloadDriver(Machine(), {Gpu(v1::VENDOR_INTEL)}); }), HasSubstr("no module"));
}

TEST(RestartMachine, RunsAProgramToItsEnd) {
  const RestartMachine machine = RestartMachine::This();
  const CommandEnd end = machine.run({"sh", "-c", "echo out; echo err >&2; exit 3"});
  EXPECT_EQ(end.exit_code, 3);
  EXPECT_THAT(end.output, HasSubstr("out\n"));
  EXPECT_THAT(end.output, HasSubstr("err\n"));
  EXPECT_THROW(machine.run({"no-such-program"}), sdk::DeviceSkipped);
}

}  // namespace
}  // namespace muster::driver
