#include "suites/driver/nvidia_module.h"

#include <gtest/gtest.h>

#include "base/fixture_tree.h"

namespace muster::driver {
namespace {

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
  base::FixtureTree tree;
  EXPECT_TRUE(absl::IsNotFound(ReadModuleVersion(base::RootFolder(tree.root())).status()));
  tree.Write("/proc/driver/nvidia/version", "NVRM version: NVIDIA UNIX x86_64 Kernel Module  550.1\n");
  EXPECT_EQ(ReadModuleVersion(base::RootFolder(tree.root())).value(), "550.1");
}

}  // namespace
}  // namespace muster::driver
