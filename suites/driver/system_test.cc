#include "suites/driver/system.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace muster::driver {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

// A folder with a part of /proc and /sys in it.
class Root {
 public:
  Root() : path_(fs::path(testing::TempDir()) / testing::UnitTest::GetInstance()->current_test_info()->name()) {
    fs::remove_all(path_);
    fs::create_directories(path_);
  }
  ~Root() { fs::remove_all(path_); }
  std::string path() const { return path_.string(); }

  void Write(const std::string& name, const std::string& text) const {
    fs::create_directories((path_ / name).parent_path());
    std::ofstream(path_ / name) << text;
  }
  void AddPciDevice(const std::string& address, const std::string& vendor, const std::string& kind,
                    const std::string& driver) const {
    const std::string folder = "sys/bus/pci/devices/" + address + "/";
    Write(folder + "vendor", vendor + "\n");
    Write(folder + "class", kind + "\n");
    if (!driver.empty()) fs::create_symlink("../../../../bus/pci/drivers/" + driver, path_ / folder / "driver");
  }

 private:
  const fs::path path_;
};

TEST(ModuleVersion, ReadsTheOpenAndTheProprietaryModule) {
  EXPECT_EQ(ParseModuleVersion("NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  580.159.04  Release Build  "
                               "(root@host)  Tue May  5\nGCC version:  gcc version 13.3.0 (Ubuntu)\n")
                .value(),
            "580.159.04");
  EXPECT_EQ(ParseModuleVersion("NVRM version: NVIDIA UNIX x86_64 Kernel Module  470.82.01  Wed Oct 27\n").value(),
            "470.82.01");
}

TEST(ModuleVersion, RefusesOtherText) {
  EXPECT_FALSE(ParseModuleVersion("").ok());
  EXPECT_FALSE(ParseModuleVersion("GCC version:  gcc version 13.3.0\n").ok());
  EXPECT_FALSE(ParseModuleVersion("NVRM version: NVIDIA UNIX x86_64 Kernel Module\n").ok());
}

TEST(ModuleVersion, SaysWhenTheModuleIsNotLoaded) {
  const Root root;
  EXPECT_TRUE(absl::IsNotFound(ReadModuleVersion(root.path()).status()));
  root.Write("proc/driver/nvidia/version", "NVRM version: NVIDIA UNIX x86_64 Kernel Module  550.1\n");
  EXPECT_EQ(ReadModuleVersion(root.path()).value(), "550.1");
}

TEST(PciGpus, ListsNvidiasDisplayControllersAndTheirDrivers) {
  const Root root;
  EXPECT_TRUE(absl::IsNotFound(ReadPciGpus(root.path()).status()));
  root.AddPciDevice("0000:81:00.0", "0x10de", "0x030200", "");
  root.AddPciDevice("0000:41:00.0", "0x10de", "0x030200", "nvidia");
  root.AddPciDevice("0000:01:00.0", "0x10de", "0x030000", "nouveau");
  root.AddPciDevice("0000:01:00.1", "0x10de", "0x040300", "snd_hda_intel");
  root.AddPciDevice("0000:02:00.0", "0x8086", "0x030000", "i915");
  const auto gpus = ReadPciGpus(root.path());
  ASSERT_TRUE(gpus.ok());
  ASSERT_EQ(gpus->size(), 3u);
  EXPECT_EQ((*gpus)[0].address, "0000:01:00.0");
  EXPECT_EQ((*gpus)[0].driver, "nouveau");
  EXPECT_EQ((*gpus)[1].driver, "nvidia");
  EXPECT_EQ((*gpus)[2].address, "0000:81:00.0");
  EXPECT_EQ((*gpus)[2].driver, "");
}

TEST(LibraryVersion, IsTheEndOfTheFilesName) {
  EXPECT_EQ(VersionOfLibraryFile("/usr/lib/x86_64-linux-gnu/libcuda.so.580.159.04"), "580.159.04");
  EXPECT_EQ(VersionOfLibraryFile("/usr/lib/libcuda.so.1"), "");
  EXPECT_EQ(VersionOfLibraryFile("libcuda.so"), "");
  EXPECT_EQ(VersionOfLoadedLibrary("libnothing.so.1"), "");
}

}  // namespace
}  // namespace muster::driver
