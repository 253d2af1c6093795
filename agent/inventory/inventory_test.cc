#include "agent/inventory/inventory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agent/inventory/gpu_library_fake.h"
#include "base/fixture_tree.h"

namespace muster::agent {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;

constexpr char kMachineId[] = "0123456789abcdef0123456789abcdef";

class InventoryTest : public ::testing::Test {
 protected:
  InventoryTest() { tree_.AddHost(); }

  v1::Machine Collect() {
    const auto machine = CollectInventory(Options(), &nvml_, &level_zero_);
    EXPECT_TRUE(machine.ok()) << machine.status();
    return machine.ok() ? *machine : v1::Machine();
  }
  InventoryOptions Options() {
    InventoryOptions options;
    options.machine_name = "gpu7.example";
    options.root = tree_.root();
    options.labels = labels_;
    return options;
  }

  void AddH200(int number) {
    const std::string bus = number == 0 ? "40" : "60";
    const std::string port = "pci0000:" + bus + "/0000:" + bus + ":01.0";
    const std::string place = port + "/0000:" + (number == 0 ? "41" : "61") + ":00.0";
    tree_.AddPci(place, "0x10de", "0x2335", "0x030200", "nvidia");
    tree_.SetLink(place, "2.5 GT/s PCIe", "16", "32.0 GT/s PCIe", "16");
    tree_.SetLink(port, "2.5 GT/s PCIe", "16", "32.0 GT/s PCIe", "16");
    tree_.Write("/sys/devices/" + place + "/numa_node", number == 0 ? "0\n" : "-1\n");
    tree_.Write("/proc/driver/nvidia/gpus/0000:" + std::string(number == 0 ? "41" : "61") + ":00.0/information",
                "Model: \t\t NVIDIA H200\nDevice Minor: \t " + std::to_string(1 - number) + "\n");
    tree_.Write("/sys/module/nvidia/version", "580.159.04\n");
  }

  static v1::Device NvmlH200(int number) {
    v1::Device device;
    device.set_vendor(v1::VENDOR_NVIDIA);
    device.set_model("NVIDIA H200");
    device.set_uuid("GPU-0000000" + std::to_string(number));
    device.set_pci_address(number == 0 ? "0000:41:00.0" : "0000:61:00.0");
    device.set_pci_vendor_id(0x10de);
    device.set_pci_device_id(0x2335);
    device.set_compute_capability("9.0");
    device.set_driver_version("580.159.04");
    device.set_memory_bytes(uint64_t{143771} << 20);
    device.mutable_pci_link()->set_generation(5);
    device.mutable_pci_link()->set_max_generation(5);
    device.add_device_nodes("/dev/nvidia9");
    return device;
  }

  // An A770 behind the switch of its card: the GPU's own link is always 2.5 GT/s x1.
  void AddA770(const std::string& driver) {
    const std::string root_port = "pci0000:00/0000:00:01.0";
    const std::string upstream = root_port + "/0000:01:00.0";
    const std::string downstream = upstream + "/0000:02:01.0";
    const std::string gpu = downstream + "/0000:03:00.0";
    tree_.SetLink(root_port, "16.0 GT/s PCIe", "16", "32.0 GT/s PCIe", "16");
    tree_.AddPci(upstream, "0x8086", "0x4fa0", "0x060400", "pcieport");
    tree_.SetLink(upstream, "8.0 GT/s PCIe", "16", "16.0 GT/s PCIe", "16");
    tree_.AddPci(downstream, "0x8086", "0x4fa4", "0x060400", "pcieport");
    tree_.SetLink(downstream, "2.5 GT/s PCIe", "1", "2.5 GT/s PCIe", "1");
    tree_.AddPci(gpu, "0x8086", "0x56a0", "0x030000", driver);
    tree_.SetLink(gpu, "2.5 GT/s PCIe", "1", "2.5 GT/s PCIe", "1");
    if (driver.empty()) return;
    tree_.MakeFolder("/sys/devices/" + gpu + "/drm/card0");
    tree_.MakeFolder("/sys/devices/" + gpu + "/drm/renderD128");
  }

  base::FixtureTree tree_;
  FakeGpuLibrary nvml_;
  FakeGpuLibrary level_zero_;
  Labels labels_;
};

std::vector<std::string> Notes(const v1::Machine& machine) { return {machine.notes().begin(), machine.notes().end()}; }
std::vector<std::string> Nodes(const v1::Device& device) {
  return {device.device_nodes().begin(), device.device_nodes().end()};
}

TEST_F(InventoryTest, MachineWithoutGpus) {
  const v1::Machine machine = Collect();
  EXPECT_EQ(machine.name(), "gpu7.example");
  EXPECT_EQ(machine.host_name(), "gpu7");
  EXPECT_EQ(machine.machine_id(), kMachineId);
  EXPECT_EQ(machine.boot_id(), "11111111-2222-3333-4444-555555555555");
  EXPECT_EQ(machine.os(), "Debian GNU/Linux 12 (bookworm)");
  EXPECT_EQ(machine.kernel(), "6.12.41-amd64");
  EXPECT_EQ(machine.cpu_model(), "Xeon 6960P");
  EXPECT_EQ(machine.cpu_count(), 5u);
  EXPECT_EQ(machine.memory_bytes(), 16384u << 10);
  EXPECT_FALSE(machine.has_nixos());
  EXPECT_EQ(machine.devices_size(), 0);
  EXPECT_THAT(Notes(machine), IsEmpty());
  EXPECT_EQ(machine.labels().at("gpus"), "0");
  EXPECT_EQ(machine.labels().at("nixos"), "false");
}

TEST_F(InventoryTest, LibraryThatFailsIsNoNewsWithoutItsGpus) {
  level_zero_.report = absl::FailedPreconditionError("zeInit failed");
  EXPECT_THAT(Notes(Collect()), IsEmpty());
  level_zero_.report = absl::UnavailableError("it crashed with SIGSEGV");
  EXPECT_THAT(Notes(Collect()), ElementsAre(HasSubstr("SIGSEGV")));
}

TEST_F(InventoryTest, TwoH200) {
  AddH200(0);
  AddH200(1);
  nvml_.report = GpuLibraryReport{{NvmlH200(1), NvmlH200(0)}, {}};
  const v1::Machine machine = Collect();
  ASSERT_EQ(machine.devices_size(), 2);
  const v1::Device& first = machine.devices(0);
  EXPECT_EQ(first.id(), "GPU-00000000");
  EXPECT_EQ(first.model(), "NVIDIA H200");
  EXPECT_EQ(first.pci_address(), "0000:41:00.0");
  EXPECT_EQ(first.kernel_driver(), "nvidia");
  EXPECT_EQ(first.driver_version(), "580.159.04");
  EXPECT_EQ(first.driver_state(), v1::DRIVER_STATE_READY);
  EXPECT_EQ(first.numa_node(), 0);
  EXPECT_EQ(first.pci_link().generation(), 5u);
  EXPECT_EQ(first.pci_link().width(), 16u);
  EXPECT_EQ(first.pci_link().max_width(), 16u);
  EXPECT_THAT(Nodes(first), ElementsAre("/dev/nvidia1", "/dev/nvidiactl", "/dev/nvidia-uvm"));
  EXPECT_THAT(first.labels(), AllOf(Contains(Pair("vendor", "nvidia")), Contains(Pair("model", "NVIDIA-H200")),
                                    Contains(Pair("memory_gib", "140")), Contains(Pair("architecture", "hopper")),
                                    Contains(Pair("driver_state", "ready")), Contains(Pair("pci_generation", "5")),
                                    Contains(Pair("simulated", "false"))));
  EXPECT_EQ(machine.devices(1).id(), "GPU-00000001");
  EXPECT_FALSE(machine.devices(1).has_numa_node());
  EXPECT_EQ(machine.labels().at("nvidia_gpus"), "2");
  EXPECT_THAT(Notes(machine), IsEmpty());
}

TEST_F(InventoryTest, SlotThatIsSlowerThanTheGpuIsTheMaximum) {
  AddH200(0);
  tree_.SetLink("pci0000:40/0000:40:01.0", "16.0 GT/s PCIe", "8", "16.0 GT/s PCIe", "8");
  nvml_.report = GpuLibraryReport{{NvmlH200(0)}, {}};
  const v1::Machine machine = Collect();
  EXPECT_EQ(machine.devices(0).pci_link().generation(), 5u);
  EXPECT_EQ(machine.devices(0).pci_link().max_generation(), 4u);
  EXPECT_EQ(machine.devices(0).pci_link().max_width(), 8u);
}

TEST_F(InventoryTest, GpuThatFellOffTheBusIsKept) {
  AddH200(0);
  AddH200(1);
  nvml_.report =
      GpuLibraryReport{{NvmlH200(0)}, {"NVML counts 2 devices and does not open number 1: GPU is lost (15)."}};
  const v1::Machine machine = Collect();
  ASSERT_EQ(machine.devices_size(), 2);
  const v1::Device& lost = machine.devices(1);
  EXPECT_EQ(lost.driver_state(), v1::DRIVER_STATE_NOT_LISTED);
  EXPECT_THAT(lost.driver_problem(), AllOf(HasSubstr("it lists 1 and not this one"), HasSubstr("kernel log")));
  EXPECT_EQ(lost.id(), std::string(kMachineId) + "/0000:61:00.0");
  EXPECT_EQ(lost.model(), "10de:2335");
  EXPECT_EQ(lost.labels().at("driver_state"), "not-listed");
  EXPECT_THAT(Notes(machine), ElementsAre(HasSubstr("GPU is lost")));
}

TEST_F(InventoryTest, NoLibrary) {
  AddH200(0);
  const v1::Machine machine = Collect();
  EXPECT_EQ(machine.devices(0).driver_state(), v1::DRIVER_STATE_NO_LIBRARY);
  EXPECT_THAT(machine.devices(0).driver_problem(), HasSubstr("install the NVIDIA driver"));
  EXPECT_EQ(machine.devices(0).driver_version(), "580.159.04");
  EXPECT_THAT(Notes(machine), ElementsAre(HasSubstr("NVML told nothing")));
}

TEST_F(InventoryTest, UnboundAndForeignDrivers) {
  tree_.AddPci("pci0000:40/0000:40:01.0/0000:41:00.0", "0x10de", "0x2335", "0x030200", "");
  tree_.AddPci("pci0000:40/0000:40:01.0/0000:42:00.0", "0x10de", "0x2335", "0x030200", "vfio-pci");
  nvml_.report = absl::FailedPreconditionError("nvmlInit failed: driver not loaded (9)");
  const v1::Machine machine = Collect();
  ASSERT_EQ(machine.devices_size(), 2);
  EXPECT_EQ(machine.devices(0).driver_state(), v1::DRIVER_STATE_UNBOUND);
  EXPECT_THAT(machine.devices(0).driver_problem(), HasSubstr("found none bound"));
  EXPECT_EQ(machine.devices(1).driver_state(), v1::DRIVER_STATE_NOT_LISTED);
  EXPECT_THAT(machine.devices(1).driver_problem(), HasSubstr("virtual machine"));
}

TEST_F(InventoryTest, ArcA770WithXe) {
  AddA770("xe");
  v1::Device listed;
  listed.set_vendor(v1::VENDOR_INTEL);
  listed.set_model("Intel(R) Arc(TM) A770 Graphics");
  listed.set_pci_vendor_id(0x8086);
  listed.set_pci_device_id(0x56a0);
  listed.set_uuid("8680a056-0800-0000-0300-000000000000");  // made of its place
  listed.set_memory_bytes(16225243136);
  level_zero_.report = GpuLibraryReport{{listed}, {}};
  const v1::Machine machine = Collect();
  ASSERT_EQ(machine.devices_size(), 1);
  const v1::Device& device = machine.devices(0);
  EXPECT_EQ(device.id(), std::string(kMachineId) + "/0000:03:00.0");
  EXPECT_EQ(device.driver_state(), v1::DRIVER_STATE_READY);
  EXPECT_EQ(device.kernel_driver(), "xe");
  EXPECT_EQ(device.xe_generation(), "Xe-HPG");
  EXPECT_EQ(device.pci_link().generation(), 3u);
  EXPECT_EQ(device.pci_link().width(), 16u);
  EXPECT_EQ(device.pci_link().max_generation(), 4u);
  EXPECT_THAT(Nodes(device), ElementsAre("/dev/dri/card0", "/dev/dri/renderD128"));
  EXPECT_THAT(device.labels(),
              AllOf(Contains(Pair("model", "Intel-Arc-A770-Graphics")), Contains(Pair("memory_gib", "15"))));
}

TEST_F(InventoryTest, IntelUuidOfItsOwnIsTheId) {
  AddA770("i915");
  v1::Device listed;
  listed.set_vendor(v1::VENDOR_INTEL);
  listed.set_pci_address("0000:03:00.0");
  listed.set_uuid("12345678-0800-0000-0300-000000000000");
  level_zero_.report = GpuLibraryReport{{listed}, {}};
  EXPECT_EQ(Collect().devices(0).id(), "12345678-0800-0000-0300-000000000000");
}

TEST_F(InventoryTest, WhatIsNoGpuIsLeftOut) {
  tree_.AddPci("pci0000:00/0000:00:0b.0", "0x8086", "0x7d1d", "0x120000", "intel_vpu");  // an NPU
  tree_.AddPci("pci0000:00/0000:00:0c.0", "0x1002", "0x744c", "0x030000", "amdgpu");
  tree_.AddPci("pci0000:00/0000:00:0d.0", "0x10de", "0x22e8", "0x040300", "snd_hda_intel");
  tree_.AddPci("pci0000:00/0000:00:0e.1", "0x8086", "0x56c0", "0x038000", "");
  tree_.Link("/sys/devices/pci0000:00/0000:00:0e.1/physfn", "../0000:00:0e.0");
  EXPECT_EQ(Collect().devices_size(), 0);
}

TEST_F(InventoryTest, LibraryAloneInAContainer) {
  std::filesystem::remove_all(tree_.root() + "/sys/bus");
  nvml_.report = GpuLibraryReport{{NvmlH200(0)}, {}};
  const v1::Machine machine = Collect();
  ASSERT_EQ(machine.devices_size(), 1);
  EXPECT_EQ(machine.devices(0).driver_state(), v1::DRIVER_STATE_READY);
  EXPECT_THAT(Nodes(machine.devices(0)), ElementsAre("/dev/nvidia9"));
  EXPECT_THAT(Notes(machine), ElementsAre(HasSubstr("PCI told nothing"), HasSubstr("NVML lists 1 device(s)")));
}

TEST_F(InventoryTest, SimulatedDevicesSaySo) {
  v1::Device device = NvmlH200(0);
  device.set_model("NVIDIA H200 (simulated)");
  nvml_.report = GpuLibraryReport{{device}, {}};
  const v1::Machine machine = Collect();
  EXPECT_TRUE(machine.devices(0).simulated());
  EXPECT_EQ(machine.devices(0).id(), std::string(kMachineId) + "/0000:41:00.0");
  EXPECT_EQ(machine.devices(0).labels().at("simulated"), "true");
}

// The driver's library may be missing there: nothing but the tree then says what the device is.
TEST_F(InventoryTest, OnASimulatedMachineEveryDeviceIsSimulated) {
  tree_.AddPci("pci0000:40/0000:41:00.0", "0x8086", "0x56a0", "0x030000", "i915");
  const auto machine = CollectInventory(
      {.machine_name = "gpu7", .agent_version = "1", .root = tree_.root(), .simulated = true}, nullptr, nullptr);
  ASSERT_TRUE(machine.ok()) << machine.status();
  ASSERT_EQ(machine->devices_size(), 1);
  EXPECT_TRUE(machine->devices(0).simulated());
  EXPECT_EQ(machine->devices(0).labels().at("simulated"), "true");
}

TEST_F(InventoryTest, EachDeviceHasAnIdOfItsOwn) {
  v1::Device twin = NvmlH200(1);
  twin.set_uuid("GPU-00000000");
  nvml_.report = GpuLibraryReport{{NvmlH200(0), twin}, {}};
  const v1::Machine machine = Collect();
  EXPECT_EQ(machine.devices(0).id(), "GPU-00000000");
  EXPECT_EQ(machine.devices(1).id(), "GPU-00000000#2");
}

TEST_F(InventoryTest, NixosSystem) {
  const std::string closure = "/nix/store/abc-nixos-system-gpu7-26.05";
  const std::string revision = "0182a361324364ae3f436a63005877674cf45efb";
  tree_.Link("/run/current-system", closure);
  tree_.Write(closure + "/nixos-version", "26.05.20261120.0182a36");
  tree_.Write(closure + "/sw/bin/nixos-version",
              "case \"$1\" in\n--json)\ncat <<EOF\n{\"nixosVersion\":\"26.05\",\"nixpkgsRevision\":\"" + revision +
                  "\"}\nEOF\n;;\nesac\n");
  v1::Machine machine = Collect();
  EXPECT_EQ(machine.nixos().system_closure(), closure);
  EXPECT_EQ(machine.nixos().nixos_version(), "26.05.20261120.0182a36");
  EXPECT_EQ(machine.nixos().nixpkgs_revision(), revision);
  EXPECT_EQ(machine.labels().at("nixos"), "true");
  EXPECT_EQ(machine.labels().at("nixpkgs_revision"), revision);

  tree_.Write(closure + "/sw/bin/nixos-version", "cat <<EOF\n{\"nixosVersion\":\"26.05\"}\nEOF\n");
  machine = Collect();
  EXPECT_EQ(machine.nixos().nixpkgs_revision(), "");
  EXPECT_THAT(Notes(machine), ElementsAre(HasSubstr("does not record its nixpkgs revision")));
}

TEST_F(InventoryTest, ConfiguredLabelsOverlayAndAreChecked) {
  labels_ = {{"rack", "b4"}, {"example.com/site", ""}, {"os", "mine"}};
  const v1::Machine machine = Collect();
  EXPECT_THAT(machine.labels(), AllOf(Contains(Pair("rack", "b4")), Contains(Pair("example.com/site", "")),
                                      Contains(Pair("os", "mine")), Contains(Pair("name", "gpu7.example"))));
  labels_ = {{"rack", "b 4"}};
  const auto bad = CollectInventory(Options(), &nvml_, &level_zero_);
  EXPECT_TRUE(absl::IsInvalidArgument(bad.status())) << bad.status();
}

TEST_F(InventoryTest, EmptyTreeIsAMachineWithNotes) {
  const base::FixtureTree empty;
  InventoryOptions options = Options();
  options.root = empty.root();
  const auto machine = CollectInventory(options, nullptr, nullptr);
  ASSERT_TRUE(machine.ok());
  EXPECT_THAT(Notes(*machine), Contains(HasSubstr("The machine id is unknown: /etc/machine-id does not give it.")));
}

TEST_F(InventoryTest, HostileBytesAreCleaned) {
  tree_.Write("/proc/sys/kernel/hostname", std::string("a\x1b[31mb\xff\n", 9));
  tree_.Write("/sys/devices/system/cpu/online", "0-99999999999\n");
  tree_.Write("/etc/machine-id", std::string(100'000, 'x'));
  const v1::Machine machine = Collect();
  EXPECT_EQ(machine.host_name(), "a[31mb?");
  EXPECT_EQ(machine.cpu_count(), 2u);
  EXPECT_EQ(machine.machine_id().size(), 256u);
}

}  // namespace
}  // namespace muster::agent
