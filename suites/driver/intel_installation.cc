// Intel's driver: i915 or xe in the kernel, Level Zero's loader, compute-runtime's driver behind it, and the compiler
// (IGC) that the driver loads by name.
#include <dlfcn.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "suites/driver/installation.h"
#include "suites/driver/level_zero_listing.h"
#include "suites/driver/library_file.h"
#include "suites/driver/machine.h"
#include "suites/driver/node.h"
#include "suites/driver/pci_listing.h"
#include "suites/driver/requirement.h"
#include "suites/sdk/devices.h"
#include "suites/sdk/measurement.h"
#include "suites/sdk/outcome.h"
#include "suites/sdk/session.h"

namespace muster::driver {
namespace {

namespace fs = std::filesystem;

constexpr char kLoader[] = "libze_loader.so.1";
constexpr char kDriverLibrary[] = "libze_intel_gpu.so.1";
constexpr char kNodeAdvice[] =
    "add the user to the node's group (usermod -aG render USER), or give the container the node";
// Compute-runtime gives its version as major, minor and build in 8, 8 and 16 bits.
std::string UnpackVersion(uint32_t packed) {
  return absl::StrCat(packed >> 24, ".", packed >> 16 & 0xFF, ".", packed & 0xFFFF);
}

void Note(const std::string& message) { sdk::Session::Current().report().Log(sdk::Severity::kInfo, message); }

// The device as PCI shows it now; its lease may be older.
v1::Device OnPci(const v1::Device& device) {
  const auto gpus = PciGpusOf(v1::VENDOR_INTEL);
  if (!gpus.ok()) throw sdk::DeviceSkipped(std::string(gpus.status().message()));
  for (const v1::Device& gpu : *gpus) {
    if (gpu.pci_address() == device.pci_address()) return gpu;
  }
  throw sdk::DeviceFailure(absl::StrCat("expected PCI to show the GPU at ", device.pci_address(),
                                        ", found none there; it fell off the bus: read the kernel log"));
}

// "/dev/dri/renderD128"; empty when the kernel's driver made none.
std::string RenderNode(const v1::Device& on_pci) {
  for (const std::string& node : on_pci.device_nodes()) {
    if (absl::StartsWith(node, "/dev/dri/renderD")) return node;
  }
  return "";
}

// The compiler that this driver loads: nobody says at run time which release of it the driver was built with, so that
// it is there under the name that the driver asks for, and loads, is all that can be checked.
void CheckCompiler(const std::string& driver) {
  const std::vector<std::string> names = SonamesInFile(driver, "libigc");
  if (names.empty()) return Note(absl::StrCat(driver, " names no compiler (libigc.so.N) that it would load"));
  std::string problems;
  for (const std::string& name : names) {
    if (dlopen(FindForLibrary(driver, name).c_str(), RTLD_LAZY | RTLD_LOCAL) != nullptr) {
      sdk::MeasureText("driver.igc_library", fs::path(LoadedLibrary(name.c_str())).filename().string());
      return;
    }
    absl::StrAppend(&problems, problems.empty() ? "" : "; ", dlerror());
  }
  ADD_FAILURE() << "expected the compiler " << absl::StrJoin(names, " or ") << " that " << driver
                << " asks for to load, found: " << problems
                << "; install intel-graphics-compiler of the release that this compute-runtime was published with";
}

class IntelInstallation final : public Installation {
 public:
  void CheckModule() const override {
    std::vector<std::string> loaded;
    for (const std::string& module : KernelDrivers()) {
      if (Root().List("/sys/module/" + module)) loaded.push_back(module);
    }
    sdk::MeasureText("driver.kernel_release", Root().ReadLine("/proc/sys/kernel/osrelease"));
    EXPECT_FALSE(loaded.empty()) << "expected the kernel module i915 or xe to be loaded, found neither in /sys/module; "
                                    "try modprobe xe and read the kernel log for why it does not load";
    if (!loaded.empty()) sdk::MeasureText("driver.modules", absl::StrJoin(loaded, ", "));
  }

  std::vector<std::string> KernelDrivers() const override { return {"xe", "i915"}; }

  void CheckNodes(const v1::Device& device) const override {
    const v1::Device gpu = OnPci(device);
    if (gpu.kernel_driver().empty()) {
      throw sdk::DeviceFailure("expected a render node, found no kernel driver that would make one: see module.bound");
    }
    const std::string node = RenderNode(gpu);
    if (node.empty()) {
      throw sdk::DeviceFailure(absl::StrCat(
          "expected ", gpu.kernel_driver(), " to have made a render node (/sys/bus/pci/", "devices/", gpu.pci_address(),
          "/drm/renderD*), found none; read the kernel ", "log for why the driver did not start the GPU"));
    }
    sdk::MeasureText("driver.render_node", node);
    ExpectUsable(node, kNodeAdvice);
  }

  void CheckVersions() const override {
    const auto level_zero = sdk::LevelZero::Shared();
    ASSERT_TRUE(level_zero.ok()) << "expected Level Zero to load and start, found: " << level_zero.status().message();
    const std::string loader = LoadedLibrary(kLoader);
    sdk::MeasureText("driver.level_zero_loader", fs::path(loader).filename().string());
    std::string build;
    for (const auto& device : (*level_zero)->Devices()) {
      ze_driver_properties_t properties = {};
      properties.stype = ZE_STRUCTURE_TYPE_DRIVER_PROPERTIES;
      sdk::ZeCheck(MUSTER_ZE(**level_zero, zeDriverGetProperties)(device.driver, &properties), "zeDriverGetProperties");
      const std::string version = UnpackVersion(properties.driverVersion);
      if (build.empty()) sdk::MeasureText("driver.level_zero_version", version);
      build = version.substr(version.rfind('.'));
    }
    const std::vector<std::string> drivers = LoadedLevelZeroDrivers();
    EXPECT_FALSE(drivers.empty()) << "expected a Level Zero driver behind the loader " << loader << ", found none";
    for (const std::string& driver : drivers) {
      const std::string name = fs::path(driver).filename().string();
      sdk::MeasureText("driver.level_zero_library", name);
      if (!absl::StartsWith(name, "libze_intel_gpu.so")) continue;
      const std::string file = VersionOfLibraryFile(driver);
      // The build's number: what stands before it is counted differently by some releases.
      EXPECT_TRUE(file.empty() || build.empty() || absl::EndsWith(file, build))
          << "expected " << driver << " to be of the version that the driver says it has, found build" << build
          << "; remove the library that was left from another installation";
    }
    for (const std::string& driver : drivers) CheckCompiler(driver);
  }

  void CheckAgainstPci() const override {
    const auto pci = PciGpusOf(v1::VENDOR_INTEL);
    if (!pci.ok()) throw sdk::DeviceSkipped(std::string(pci.status().message()));
    const auto listed = ListLevelZeroUnmasked();
    if (!listed.ok() && absl::IsInternal(listed.status())) throw sdk::ToolError(std::string(listed.status().message()));
    ASSERT_TRUE(listed.ok()) << "PCI shows " << Listed(AddressesOf(*pci))
                             << "; expected Level Zero to list them, found: " << listed.status().message();
    const std::set<std::string> addresses(listed->begin(), listed->end());
    const std::set<std::string> expected = Expected(*pci, addresses);
    if (!addresses.contains("")) return ExpectSameGpus("Level Zero", addresses, expected);
    Note("this driver does not say at which PCI addresses its GPUs are: they are only counted");
    EXPECT_EQ(listed->size(), expected.size()) << "expected Level Zero to list as many GPUs as PCI shows ("
                                               << Listed(expected) << "), found " << listed->size();
  }

  void CheckShown(const v1::Device& device) const override {
    const sdk::LevelZeroDeviceHandles found = RequireLevelZero(device);
    if (device.uuid().empty()) return;
    EXPECT_EQ(found.handles.uuid, device.uuid())
        << "Level Zero gives the GPU at " << device.pci_address() << " another UUID than it had when it was leased";
  }
  size_t ComputeDevices() const override {
    const auto level_zero = sdk::LevelZero::Shared();
    return level_zero.ok() ? (*level_zero)->Devices().size() : 0;
  }

  std::vector<std::string> Libraries() const override { return {kDriverLibrary}; }

 private:
  // A device of another job may be hidden from this one: its node is there and does not open, and Level Zero cannot
  // list it.
  static std::set<std::string> Expected(const std::vector<v1::Device>& pci, const std::set<std::string>& listed) {
    const std::set<std::string> leased = AddressesOf(sdk::LeasedDevices());
    std::set<std::string> expected;
    for (const v1::Device& gpu : pci) {
      const std::string& address = gpu.pci_address();
      const std::string node = RenderNode(gpu);
      const int error = node.empty() ? 0 : OpenError(node);
      if (error != 0 && !leased.contains(address) && !listed.contains(address)) {
        Note(absl::StrCat(address, " is not leased to this run and ", node, " does not open: not counted"));
      } else {
        expected.insert(address);
      }
    }
    return expected;
  }
};

}  // namespace

const Installation& IntelDriver() {
  static const auto& driver = *new IntelInstallation;
  return driver;
}

}  // namespace muster::driver
