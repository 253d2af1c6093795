// The loader's ways: masks, layers, other drivers beside this one, and versions of the API other than the headers'.
#include <dlfcn.h>
#include <gmock/gmock.h>
#include <level_zero/ze_ddi.h>
#include <level_zero/zes_ddi.h>

#include <cstring>

#include "agent/inventory/level_zero_library.h"
#include "tests/hardware_sim/level_zero/compute_fixture.h"

namespace muster::sim::ze {
namespace {

using LoaderTest = ComputeTest;
using ::testing::Contains;
using ::testing::HasSubstr;

constexpr char kThree[] =
    "machines { name: 'm' devices { model: ARC_A770 pci_address: '0000:10:00.0' }"
    " devices { model: FLEX_170 pci_address: '0000:20:00.0' } devices { model: MAX_1550 pci_address: '0000:30:00.0' } "
    "}";

uint32_t BusOf(ze_device_handle_t device) {
  ze_pci_ext_properties_t pci = {ZE_STRUCTURE_TYPE_PCI_EXT_PROPERTIES};
  EXPECT_EQ(zeDevicePciGetPropertiesExt(device, &pci), ZE_RESULT_SUCCESS);
  return pci.address.bus;
}

TEST_F(LoaderTest, TheMaskChoosesDevices) {
  SetScenario(kThree);
  setenv("ZE_FLAT_DEVICE_HIERARCHY", "COMPOSITE", 1);
  setenv("ZE_AFFINITY_MASK", "0,2.0,1.1,9,x", 1);
  Start();
  ASSERT_EQ(devices_.size(), 2u);
  EXPECT_EQ(BusOf(devices_[0]), 0x10u);
  EXPECT_EQ(BusOf(devices_[1]), 0x30u);
}

TEST_F(LoaderTest, CardsHaveNoTilesInAnyHierarchy) {
  SetScenario(kThree);
  setenv("ZE_FLAT_DEVICE_HIERARCHY", "FLAT", 1);
  Start();
  ASSERT_EQ(devices_.size(), 3u);
  EXPECT_TRUE(List(zeDeviceGetSubDevices, devices_[2]).empty());
}

TEST_F(LoaderTest, TheValidationLayerStandsBetween) {
  setenv("ZE_ENABLE_VALIDATION_LAYER", "1", 1);
  setenv("ZE_ENABLE_PARAMETER_VALIDATION", "1", 1);
  StartContext();
  EXPECT_EQ(zeDeviceGetProperties(devices_[0], nullptr), ZE_RESULT_ERROR_INVALID_NULL_POINTER);
  EXPECT_EQ(HashOnDevice(1000, 3), HashOnHost(1000, 3));
}

TEST_F(LoaderTest, HandlesAreWrappedByTheInterceptingLoader) {
  setenv("ZE_ENABLE_LOADER_INTERCEPT", "1", 1);
  StartContext();
  EXPECT_EQ(HashOnDevice(1000, 3), HashOnHost(1000, 3));
  ze_event_handle_t event = MakeEvent();
  ze_command_list_handle_t list = MakeList();
  ASSERT_EQ(zeCommandListAppendSignalEvent(list, event), ZE_RESULT_SUCCESS);
  ASSERT_EQ(zeCommandListClose(list), ZE_RESULT_SUCCESS);
  ASSERT_EQ(zeCommandQueueExecuteCommandLists(MakeQueue(), 1, &list, nullptr), ZE_RESULT_SUCCESS);
  EXPECT_EQ(zeEventHostSynchronize(event, UINT64_MAX), ZE_RESULT_SUCCESS);
  EXPECT_FALSE(List(zesDeviceEnumTemperatureSensors, sysman_[0]).empty());
}

// Intel's own driver in its mode that needs no device.
TEST_F(LoaderTest, IntelsDriverBesideThisOne) {
  const std::string both = std::string(MUSTER_SIM_ZE_DRIVER) + ",libze_intel_gpu.so.1";
  setenv("ZE_ENABLE_ALT_DRIVERS", both.c_str(), 1);
  setenv("NEOReadDebugKeys", "1", 1);
  setenv("SetCommandStreamReceiver", "1", 1);
  setenv("ProductFamilyOverride", "dg2", 1);
  setenv("ForceDeviceId", "56a0", 1);
  setenv("HardwareInfoOverride", "8x4x16", 1);
  setenv("AUBDumpCaptureFileName", "/dev/null", 1);
  setenv("UseAubStream", "0", 1);
  setenv("UseBindlessMode", "0", 1);
  // After the variables, which it reads when it is loaded.
  if (void* intel = dlopen("libze_intel_gpu.so.1", RTLD_LAZY | RTLD_LOCAL); intel == nullptr) {
    GTEST_SKIP() << "Intel's Level Zero driver is not installed: " << dlerror();
  }
  ASSERT_EQ(zeInit(0), ZE_RESULT_SUCCESS);
  uint32_t count = 8;
  ze_driver_handle_t drivers[8] = {};
  ASSERT_EQ(zeDriverGet(&count, drivers), ZE_RESULT_SUCCESS);
  std::vector<std::string> names;
  for (uint32_t i = 0; i < count; ++i) {
    for (ze_device_handle_t device : List(zeDeviceGet, drivers[i])) {
      ze_device_properties_t properties = {ZE_STRUCTURE_TYPE_DEVICE_PROPERTIES};
      ASSERT_EQ(zeDeviceGetProperties(device, &properties), ZE_RESULT_SUCCESS);
      names.emplace_back(properties.name);
      if (names.back().find("(simulated)") == std::string::npos) continue;
      driver_ = drivers[i];
      devices_ = {device};
    }
  }
  EXPECT_THAT(names, Contains(HasSubstr("A770 Graphics (simulated)")));
  EXPECT_THAT(names, Contains(HasSubstr("[0x56a0]")));
  // And this one still works, now behind the loader's wrappers.
  ASSERT_EQ(devices_.size(), 1u);
  const ze_context_desc_t desc = {ZE_STRUCTURE_TYPE_CONTEXT_DESC};
  ASSERT_EQ(zeContextCreate(driver_, &desc, &context_), ZE_RESULT_SUCCESS);
  EXPECT_EQ(HashOnDevice(1000, 3), HashOnHost(1000, 3));
}

TEST_F(LoaderTest, TheAgentsInventorySeesTheDevices) {
  SetScenario("machines { name: 'm' devices { model: ARC_A770 pci_address: '0000:41:00.0' serial: 'S123' } }");
  auto report = agent::LevelZeroLibrary().List();
  ASSERT_TRUE(report.ok()) << report.status();
  ASSERT_EQ(report->devices.size(), 1u);
  const v1::Device& device = report->devices[0];
  EXPECT_THAT(device.model(), HasSubstr("(simulated)"));
  EXPECT_EQ(device.pci_address(), "0000:41:00.0");
  EXPECT_EQ(device.serial(), "S123");
  EXPECT_EQ(device.pci_link().max_generation(), 4u);
  EXPECT_GT(device.memory_bytes(), 15ull << 30);
  EXPECT_EQ(device.xe_generation(), "Xe-HPG");
}

// A table as long as a loader of the version has it, and a guard behind.
template <typename Table>
class TableTest {
 public:
  TableTest(const char* function, uint32_t version, size_t later_entries) : entries_(kOldEntries + later_entries) {
    static void* library = dlopen(MUSTER_SIM_ZE_DRIVER, RTLD_NOW | RTLD_LOCAL);
    using Get = ze_result_t (*)(uint32_t, void*);
    const auto get = reinterpret_cast<Get>(dlsym(library, function));
    EXPECT_NE(get, nullptr) << function;
    storage_.assign(entries_ + 64, nullptr);
    result_ = get == nullptr ? ZE_RESULT_ERROR_UNKNOWN : get(version, storage_.data());
  }
  ze_result_t result() const { return result_; }
  bool guard_untouched() const {
    for (size_t i = entries_; i < storage_.size(); ++i) {
      if (storage_[i] != nullptr) return false;
    }
    return true;
  }
  // Behind the table of 1.4.
  void* later(size_t index) const { return storage_[kOldEntries + index]; }

 private:
  static constexpr size_t kOldEntries = sizeof(Table) / sizeof(void*);
  size_t entries_;
  std::vector<void*> storage_;
  ze_result_t result_;
};

TEST_F(LoaderTest, TablesAreAsLongAsTheVersionHasThem) {
  const TableTest<zes_device_dditable_t> old("zesGetDeviceProcAddrTable", ZE_MAKE_VERSION(1, 4), 0);
  EXPECT_EQ(old.result(), ZE_RESULT_SUCCESS);
  EXPECT_TRUE(old.guard_untouched());
  const TableTest<zes_device_dditable_t> newer("zesGetDeviceProcAddrTable", ZE_MAKE_VERSION(1, 17), 1);
  EXPECT_EQ(newer.result(), ZE_RESULT_SUCCESS);
  EXPECT_NE(newer.later(0), nullptr);
  EXPECT_TRUE(newer.guard_untouched());
  const TableTest<ze_command_list_dditable_t> lists("zeGetCommandListProcAddrTable", ZE_MAKE_VERSION(1, 5), 0);
  EXPECT_TRUE(lists.guard_untouched());
  const TableTest<ze_global_dditable_t> global("zeGetGlobalProcAddrTable", ZE_MAKE_VERSION(1, 99), 1);
  EXPECT_EQ(global.result(), ZE_RESULT_SUCCESS);
  EXPECT_NE(global.later(0), nullptr);
  const TableTest<ze_global_dditable_t> major("zeGetGlobalProcAddrTable", ZE_MAKE_VERSION(2, 0), 0);
  EXPECT_EQ(major.result(), ZE_RESULT_ERROR_UNSUPPORTED_VERSION);
}

// The functions of later versions as a loader of 1.17 finds them.
TEST_F(LoaderTest, SysmanHasItsOwnWayInLaterVersions) {
  unsetenv("ZES_ENABLE_SYSMAN");
  SetScenario(kThree);
  const TableTest<zes_driver_dditable_t> driver("zesGetDriverProcAddrTable", ZE_MAKE_VERSION(1, 17), 3);
  const TableTest<zes_device_dditable_t> device("zesGetDeviceProcAddrTable", ZE_MAKE_VERSION(1, 17), 1);
  void* library = dlopen(MUSTER_SIM_ZE_DRIVER, RTLD_NOW | RTLD_LOCAL);
  ze_result_t (*init)(uint32_t) = nullptr;
  const auto get_global =
      reinterpret_cast<ze_result_t (*)(uint32_t, void*)>(dlsym(library, "zesGetGlobalProcAddrTable"));
  ASSERT_EQ(get_global(ZE_MAKE_VERSION(1, 17), &init), ZE_RESULT_SUCCESS);
  ASSERT_EQ(init(0), ZE_RESULT_SUCCESS);
  const auto get_drivers = reinterpret_cast<ze_result_t (*)(uint32_t*, zes_driver_handle_t*)>(driver.later(0));
  const auto get_devices =
      reinterpret_cast<ze_result_t (*)(zes_driver_handle_t, uint32_t*, zes_device_handle_t*)>(device.later(0));
  uint32_t count = 1;
  zes_driver_handle_t handle = nullptr;
  ASSERT_EQ(get_drivers(&count, &handle), ZE_RESULT_SUCCESS);
  ASSERT_EQ(get_devices(handle, &(count = 0), nullptr), ZE_RESULT_SUCCESS);
  EXPECT_EQ(count, 3u);
}

}  // namespace
}  // namespace muster::sim::ze
