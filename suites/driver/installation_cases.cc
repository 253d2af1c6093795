// The driver as it is installed: its module, device nodes and libraries, and whether they see the same GPUs.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "suites/driver/cuda_driver.h"
#include "suites/driver/installation.h"
#include "suites/driver/library_file.h"
#include "suites/driver/machine.h"
#include "suites/sdk/devices.h"
#include "suites/sdk/level_zero.h"
#include "suites/sdk/measurement.h"
#include "suites/sdk/nvml.h"
#include "suites/sdk/outcome.h"

namespace muster::driver {
namespace {

namespace fs = std::filesystem;

constexpr char kNixosLibraries[] = "/run/opengl-driver/lib/";

TEST(module, loaded) {
  ForEachVendor([](v1::Vendor vendor) { Installation::Of(vendor).CheckModule(); });
}

TEST(module, bound) {
  ForEachVendor([](v1::Vendor vendor) {
    const auto gpus = PciGpusOf(vendor);
    if (!gpus.ok()) throw sdk::DeviceSkipped(std::string(gpus.status().message()));
    if (gpus->empty()) throw sdk::DeviceSkipped(absl::StrCat("PCI shows no GPU of ", NameOf(vendor)));
    const std::vector<std::string> drivers = Installation::Of(vendor).KernelDrivers();
    size_t bound = 0;
    for (const v1::Device& gpu : *gpus) {
      const bool served = std::find(drivers.begin(), drivers.end(), gpu.kernel_driver()) != drivers.end();
      bound += served;
      EXPECT_TRUE(served) << "expected the kernel driver " << absl::StrJoin(drivers, " or ") << " to serve "
                          << gpu.pci_address() << ", found "
                          << (gpu.kernel_driver().empty() ? "none" : gpu.kernel_driver())
                          << "; read the kernel log for why it did not take it";
    }
    sdk::Measure("driver.bound_gpus", static_cast<double>(bound), "1").OfPart(NameOf(vendor));
  });
}

TEST(nodes, permissions) {
  ForEachVendor([](v1::Vendor vendor) { Installation::Of(vendor).CheckSharedNodes(); });
  if (VendorsConcerned().empty()) return;
  sdk::ForEachDevice([](const v1::Device& device) { Installation::Of(device.vendor()).CheckNodes(device); });
}

TEST(versions, match) {
  ForEachVendor([](v1::Vendor vendor) { Installation::Of(vendor).CheckVersions(); });
}

bool IsNixos() {
  if (!Root().Resolve("/etc/NIXOS").empty()) return true;
  for (const absl::string_view line : absl::StrSplit(Root().Read("/etc/os-release"), '\n')) {
    if (line == "ID=nixos" || line == "ID=\"nixos\"") return true;
  }
  return false;
}

// NixOS has no /usr/lib: what the configuration's driver is stands in one folder, and what a program finds elsewhere is
// another one's.
void CheckNixosLibrary(const Installation& driver, const std::string& soname) {
  const std::string path = kNixosLibraries + soname;
  const std::string file = Root().Resolve(path);
  if (file.empty()) {
    ADD_FAILURE() << "expected " << path
                  << ", found none; hardware.graphics.enable, and for NVIDIA services.xserver.videoDrivers = [ "
                     "\"nvidia\" ], for Intel intel-compute-runtime.drivers in hardware.graphics.extraPackages";
    return;
  }
  const std::string version = VersionOfLibraryFile(file);
  if (const std::string module = driver.ModuleVersion(); !module.empty() && !version.empty()) {
    EXPECT_EQ(version, module) << "expected " << path << " to be of the running kernel module's version, found " << file
                               << "; restart the machine: its system was rebuilt since the module was loaded";
  }
  sdk::MeasureText("driver.nixos_library", file).OfPart(soname);
  const std::string loaded = LoadedLibrary(soname.c_str());
  if (loaded.empty()) return;
  std::error_code ignored;
  EXPECT_EQ(loaded, fs::canonical(RealPath(path), ignored).string())
      << "expected this program to have loaded " << path << ", found " << loaded
      << "; look at LD_LIBRARY_PATH and at what else gives it the library";
}

TEST(versions, opengl_driver) {
  if (!IsNixos()) GTEST_SKIP() << "not NixOS: there is no /etc/NIXOS, and /etc/os-release does not say ID=nixos";
  ForEachVendor([](v1::Vendor vendor) {
    // So that what programs load is loaded.
    if (vendor == v1::VENDOR_INTEL) {
      (void)sdk::LevelZero::Shared();
    } else {
      (void)sdk::Nvml::Shared();
      (void)QueryCudaDriver();
    }
    const Installation& driver = Installation::Of(vendor);
    for (const std::string& soname : driver.Libraries()) CheckNixosLibrary(driver, soname);
  });
}

TEST(enumeration, pci) {
  ForEachVendor([](v1::Vendor vendor) { Installation::Of(vendor).CheckAgainstPci(); });
}

TEST(enumeration, leased) {
  std::map<v1::Vendor, size_t> leased;
  sdk::ForEachDevice([&](const v1::Device& device) {
    ++leased[device.vendor()];
    Installation::Of(device.vendor()).CheckShown(device);
  });
  for (const auto& [vendor, count] : leased) {
    const size_t shown = Installation::Of(vendor).ComputeDevices();
    sdk::Measure("driver.compute_gpus", static_cast<double>(shown), "1").OfPart(NameOf(vendor));
    EXPECT_EQ(shown, count) << "expected " << (vendor == v1::VENDOR_INTEL ? "Level Zero" : "CUDA")
                            << " to show exactly the devices of this run; see "
                            << (vendor == v1::VENDOR_INTEL ? "ZE_AFFINITY_MASK" : "CUDA_VISIBLE_DEVICES");
  }
}

}  // namespace
}  // namespace muster::driver
