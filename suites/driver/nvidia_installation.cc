// NVIDIA's driver: one version of module and libraries, NVML and CUDA.
#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>
#include <set>

#include "absl/strings/str_cat.h"
#include "suites/driver/cuda_driver.h"
#include "suites/driver/installation.h"
#include "suites/driver/library_file.h"
#include "suites/driver/machine.h"
#include "suites/driver/node.h"
#include "suites/driver/nvidia_module.h"
#include "suites/driver/pci_listing.h"
#include "suites/driver/requirement.h"
#include "suites/sdk/measurement.h"
#include "suites/sdk/outcome.h"

namespace muster::driver {
namespace {

constexpr char kNodeAdvice[] = "load nvidia and nvidia-uvm (nvidia-modprobe -c 0 -u) and give the user the node";

// "13.580.159.04", as NVML names itself, is of driver 580.159.04: the first number is CUDA's.
std::string DriverPart(const std::string& nvml_version) {
  const size_t dot = nvml_version.find('.');
  return dot == std::string::npos ? nvml_version : nvml_version.substr(dot + 1);
}

std::set<std::string> NvmlAddresses(const sdk::Nvml& nvml) {
  std::set<std::string> addresses;
  for (sdk::Nvml::Handle handle : Need("the list of devices", nvml.Devices())) {
    addresses.insert(Need("the PCI address", nvml.PciAddress(handle)));
  }
  return addresses;
}

class NvidiaInstallation final : public Installation {
 public:
  void CheckModule() const override {
    const auto version = ReadModuleVersion(Root());
    if (version.ok()) {
      sdk::MeasureText("driver.module_version", *version);
      return;
    }
    if (absl::IsNotFound(version.status()) && sdk::Nvml::Shared().ok()) {
      throw sdk::DeviceSkipped(
          absl::StrCat(version.status().message(), ", though NVML works: a container or sandbox hides it"));
    }
    FAIL() << "expected the kernel module nvidia to be loaded, found: " << version.status().message()
           << "; try modprobe nvidia and read the kernel log for why it does not load";
  }

  std::vector<std::string> KernelDrivers() const override { return {"nvidia"}; }

  void CheckSharedNodes() const override {
    ExpectUsable("/dev/nvidiactl", kNodeAdvice);
    // Made when CUDA first starts, where nvidia-modprobe is installed.
    if (OpenError("/dev/nvidia-uvm") == ENOENT) (void)QueryCudaDriver();
    ExpectUsable("/dev/nvidia-uvm", kNodeAdvice);
  }
  void CheckNodes(const v1::Device& device) const override {
    const NvmlDevice found = RequireNvml(device);
    ExpectUsable(absl::StrCat("/dev/nvidia", Need("the minor number", found.nvml.MinorNumber(found.handle))),
                 kNodeAdvice);
  }

  void CheckVersions() const override {
    const auto nvml = sdk::Nvml::Shared();
    ASSERT_TRUE(nvml.ok()) << "expected NVML to load and start, found: " << nvml.status().message()
                           << "; install the driver's libraries in the version of its kernel module";
    const std::string driver = Need("the driver's version", (*nvml)->DriverVersion());
    const std::string nvml_library = DriverPart(Need("NVML's version", (*nvml)->LibraryVersion()));
    sdk::MeasureText("driver.version", driver);
    sdk::MeasureText("driver.nvml_version", nvml_library).ExpectEqual(driver);
    if (const std::string module = ModuleVersion(); !module.empty()) {
      sdk::MeasureText("driver.module_version", module).ExpectEqual(driver);
    }
    const auto cuda = QueryCudaDriver();
    ASSERT_TRUE(cuda.ok()) << "expected CUDA to start, found: " << cuda.status().message()
                           << "; install libcuda of driver " << driver;
    const std::string library = VersionOfLibraryFile(LoadedLibrary("libcuda.so.1"));
    if (!library.empty()) sdk::MeasureText("driver.libcuda_version", library).ExpectEqual(driver);
  }

  void CheckAgainstPci() const override {
    const auto pci = PciGpusOf(v1::VENDOR_NVIDIA);
    if (!pci.ok()) throw sdk::DeviceSkipped(std::string(pci.status().message()));
    const auto nvml = sdk::Nvml::Shared();
    ASSERT_TRUE(nvml.ok()) << "PCI shows " << Listed(AddressesOf(*pci))
                           << "; expected NVML to list them, found: " << nvml.status().message();
    ExpectSameGpus("NVML", NvmlAddresses(**nvml), AddressesOf(*pci));
  }

  void CheckShown(const v1::Device& device) const override {
    const auto cuda = QueryCudaDriver();
    ASSERT_TRUE(cuda.ok()) << "expected CUDA to start, found: " << cuda.status().message();
    const NvmlDevice found = RequireNvml(device);
    const auto same = std::find_if(cuda->devices.begin(), cuda->devices.end(),
                                   [&](const CudaDevice& one) { return one.uuid == device.uuid(); });
    ASSERT_NE(same, cuda->devices.end()) << "expected CUDA to show " << device.uuid() << ", found only "
                                         << cuda->devices.size() << " others; look for Xid lines in the kernel log";
    EXPECT_EQ(same->pci_address, Need("the PCI address", found.nvml.PciAddress(found.handle)))
        << "CUDA and NVML give " << device.uuid() << " different PCI addresses";
  }
  size_t ComputeDevices() const override {
    const auto cuda = QueryCudaDriver();
    return cuda.ok() ? cuda->devices.size() : 0;
  }

  std::vector<std::string> Libraries() const override { return {"libcuda.so.1", "libnvidia-ml.so.1"}; }
  std::string ModuleVersion() const override { return ReadModuleVersion(Root()).value_or(""); }
};

}  // namespace

const Installation& NvidiaDriver() {
  static const auto& driver = *new NvidiaInstallation;
  return driver;
}

}  // namespace muster::driver
