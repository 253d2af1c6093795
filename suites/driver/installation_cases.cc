// The driver as it is installed: its module, device nodes and libraries, and whether they see the same GPUs.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <set>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "suites/driver/cuda_driver.h"
#include "suites/driver/requirement.h"
#include "suites/driver/system.h"
#include "suites/sdk/devices.h"
#include "suites/sdk/measurement.h"
#include "suites/sdk/nvml.h"
#include "suites/sdk/outcome.h"

namespace muster::driver {
namespace {

constexpr char kNoGpu[] = "no NVIDIA GPU: PCI shows none and none is leased";

// "13.580.159.04", as NVML names itself, is of driver 580.159.04: the first number is CUDA's.
std::string DriverPart(const std::string& nvml_version) {
  const size_t dot = nvml_version.find('.');
  return dot == std::string::npos ? nvml_version : nvml_version.substr(dot + 1);
}

TEST(module, loaded) {
  if (!MachineHasGpu()) GTEST_SKIP() << kNoGpu;
  const auto version = ReadModuleVersion("");
  if (version.ok()) {
    sdk::MeasureText("driver.module_version", *version);
    return;
  }
  if (absl::IsNotFound(version.status()) && sdk::Nvml::Shared().ok()) {
    GTEST_SKIP() << version.status().message() << ", though NVML works: a container or sandbox hides it";
  }
  FAIL() << "expected the kernel module nvidia to be loaded, found: " << version.status().message()
         << "; try modprobe nvidia and read the kernel log for why it does not load";
}

TEST(module, bound) {
  const auto gpus = ReadPciGpus("");
  if (!gpus.ok()) GTEST_SKIP() << gpus.status().message();
  if (gpus->empty()) GTEST_SKIP() << "PCI shows no NVIDIA GPU";
  size_t bound = 0;
  for (const PciGpu& gpu : *gpus) {
    bound += gpu.driver == "nvidia";
    // Handed to a virtual machine on purpose.
    if (gpu.driver == "vfio-pci") continue;
    EXPECT_EQ(gpu.driver, "nvidia") << "expected the kernel driver nvidia to serve " << gpu.address << ", found "
                                    << (gpu.driver.empty() ? "none" : gpu.driver)
                                    << "; read the kernel log for why nvidia did not take it";
  }
  sdk::Measure("driver.bound_gpus", static_cast<double>(bound), "1");
}

// Why the node cannot be opened for reading and writing, as the driver's libraries do; 0 when it can.
int OpenError(const std::string& node) {
  const int descriptor = open(node.c_str(), O_RDWR | O_CLOEXEC);
  if (descriptor < 0) return errno;
  close(descriptor);
  return 0;
}

void ExpectUsable(const std::string& node) {
  const int error = OpenError(node);
  EXPECT_EQ(error, 0) << "expected user " << geteuid() << " to be able to open " << node
                      << ", found: " << std::strerror(error)
                      << "; load nvidia and nvidia-uvm (nvidia-modprobe -c 0 -u) and give the user the node";
}

TEST(nodes, permissions) {
  if (!MachineHasGpu()) GTEST_SKIP() << kNoGpu;
  ExpectUsable("/dev/nvidiactl");
  // Made when CUDA first starts, where nvidia-modprobe is installed.
  if (OpenError("/dev/nvidia-uvm") == ENOENT) (void)QueryCudaDriver();
  ExpectUsable("/dev/nvidia-uvm");
  sdk::ForEachDevice([](const v1::Device& device) {
    const NvmlDevice found = RequireNvml(device);
    ExpectUsable(absl::StrCat("/dev/nvidia", Need("the minor number", found.nvml.MinorNumber(found.handle))));
  });
}

TEST(versions, match) {
  if (!MachineHasGpu()) GTEST_SKIP() << kNoGpu;
  const auto nvml = sdk::Nvml::Shared();
  ASSERT_TRUE(nvml.ok()) << "expected NVML to load and start, found: " << nvml.status().message()
                         << "; install the driver's libraries in the version of its kernel module";
  const std::string driver = Need("the driver's version", (*nvml)->DriverVersion());
  const std::string nvml_library = DriverPart(Need("NVML's version", (*nvml)->LibraryVersion()));
  sdk::MeasureText("driver.version", driver);
  sdk::MeasureText("driver.nvml_version", nvml_library).ExpectEqual(driver);
  if (const auto module = ReadModuleVersion(""); module.ok()) {
    sdk::MeasureText("driver.module_version", *module).ExpectEqual(driver);
  }
  const auto cuda = QueryCudaDriver();
  ASSERT_TRUE(cuda.ok()) << "expected CUDA to start, found: " << cuda.status().message()
                         << "; install libcuda of driver " << driver;
  if (const std::string library = VersionOfLoadedLibrary("libcuda.so.1"); !library.empty()) {
    sdk::MeasureText("driver.libcuda_version", library).ExpectEqual(driver);
  }
}

std::string Listed(const std::set<std::string>& addresses) {
  return addresses.empty() ? "none" : absl::StrJoin(addresses, ", ");
}

std::set<std::string> NvmlAddresses(const sdk::Nvml& nvml) {
  std::set<std::string> addresses;
  for (sdk::Nvml::Handle handle : Need("the list of devices", nvml.Devices())) {
    addresses.insert(Need("the PCI address", nvml.PciAddress(handle)));
  }
  return addresses;
}

TEST(enumeration, pci_and_nvml) {
  if (!MachineHasGpu()) GTEST_SKIP() << kNoGpu;
  const auto gpus = ReadPciGpus("");
  if (!gpus.ok()) GTEST_SKIP() << gpus.status().message();
  std::set<std::string> pci;
  for (const PciGpu& gpu : *gpus) {
    if (gpu.driver != "vfio-pci") pci.insert(gpu.address);
  }
  const auto nvml = sdk::Nvml::Shared();
  ASSERT_TRUE(nvml.ok()) << "PCI shows " << Listed(pci)
                         << "; expected NVML to list them, found: " << nvml.status().message();
  const std::set<std::string> listed = NvmlAddresses(**nvml);
  sdk::Measure("driver.pci_gpus", static_cast<double>(pci.size()), "1");
  sdk::Measure("driver.nvml_gpus", static_cast<double>(listed.size()), "1");
  EXPECT_EQ(listed, pci) << "expected NVML to list what PCI shows (" << Listed(pci) << "), found " << Listed(listed)
                         << "; a GPU that is missing failed to start or fell off the bus: read the kernel log";
}

TEST(enumeration, nvml_and_cuda) {
  if (sdk::LeasedDevices().empty()) GTEST_SKIP() << "no GPU is leased to this run, and none was found";
  const auto cuda = QueryCudaDriver();
  ASSERT_TRUE(cuda.ok()) << "expected CUDA to start, found: " << cuda.status().message();
  sdk::Measure("driver.cuda_gpus", static_cast<double>(cuda->devices.size()), "1");
  size_t leased = 0;
  sdk::ForEachDevice([&](const v1::Device& device) {
    const NvmlDevice found = RequireNvml(device);
    ++leased;
    const auto same = std::find_if(cuda->devices.begin(), cuda->devices.end(),
                                   [&](const CudaDevice& one) { return one.uuid == device.uuid(); });
    ASSERT_NE(same, cuda->devices.end()) << "expected CUDA to show " << device.uuid() << ", found only "
                                         << cuda->devices.size() << " others; look for Xid lines in the kernel log";
    EXPECT_EQ(same->pci_address, Need("the PCI address", found.nvml.PciAddress(found.handle)))
        << "CUDA and NVML give " << device.uuid() << " different PCI addresses";
  });
  EXPECT_EQ(cuda->devices.size(), leased)
      << "expected CUDA to show exactly the devices of this run; see CUDA_VISIBLE_DEVICES";
}

}  // namespace
}  // namespace muster::driver
