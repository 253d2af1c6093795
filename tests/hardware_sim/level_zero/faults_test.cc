// What goes wrong by the scenario goes wrong for the application.
#include <gmock/gmock.h>

#include <future>

#include "tests/hardware_sim/level_zero/compute_fixture.h"

namespace muster::sim::ze {
namespace {

using FaultsTest = ComputeTest;

std::string OneDevice(const std::string& faults) {
  return "machines { name: 'm' devices { model: ARC_A770 " + faults + " } }";
}

TEST_F(FaultsTest, OneBitIsWrong) {
  SetScenario(OneDevice("faults { at_s: 1 wrong_results { kernel: 'fill_with_hash' byte_offset: 401 bit: 3 } }"));
  StartContext();
  std::vector<uint32_t> expected = HashOnHost(1000, 7);
  expected[100] ^= 1u << 11;  // Byte 401 is the second of number 100.
  EXPECT_EQ(HashOnDevice(1000, 7), expected);
}

TEST_F(FaultsTest, OtherKernelsAreRight) {
  SetScenario(OneDevice("faults { at_s: 1 wrong_results { kernel: 'vector_add' } }"));
  StartContext();
  EXPECT_EQ(HashOnDevice(1000, 7), HashOnHost(1000, 7));
}

TEST_F(FaultsTest, CallsFailAsTheScenarioSays) {
  SetScenario(
      OneDevice("faults { at_s: 1 call_fails { function: 'zeCommandQueueExecuteCommandLists' result: 0x70000003 } }"
                "faults { at_s: 1 call_fails { function: 'zesDevicePciGetState' result: 0x78000003 } }"));
  StartContext();
  ze_command_queue_handle_t queue = MakeQueue();
  ze_command_list_handle_t list = MakeList();
  ASSERT_EQ(zeCommandListClose(list), ZE_RESULT_SUCCESS);
  EXPECT_EQ(zeCommandQueueExecuteCommandLists(queue, 1, &list, nullptr), ZE_RESULT_ERROR_OUT_OF_DEVICE_MEMORY);
  zes_pci_state_t state = {ZES_STRUCTURE_TYPE_PCI_STATE};
  EXPECT_EQ(zesDevicePciGetState(sysman_[0], &state), ZE_RESULT_ERROR_UNSUPPORTED_FEATURE);
  EXPECT_EQ(zeCommandQueueSynchronize(queue, UINT64_MAX), ZE_RESULT_SUCCESS);
}

TEST_F(FaultsTest, CallsHangUntilTheFaultIsOver) {
  for (const char* function : {"zesTemperatureGetState", "zeEventHostSynchronize"}) {
    SCOPED_TRACE(function);
    if (context_ == nullptr) StartContext();
    ze_event_handle_t event = MakeEvent();
    ASSERT_EQ(zeEventHostSignal(event), ZE_RESULT_SUCCESS);
    zes_temp_handle_t sensor = List(zesDeviceEnumTemperatureSensors, sysman_[0]).at(0);
    const bool of_sysman = std::string(function) == "zesTemperatureGetState";
    const auto call = [&] {
      double celsius = 0;
      return of_sysman ? zesTemperatureGetState(sensor, &celsius) : zeEventHostSynchronize(event, 0);
    };
    EXPECT_EQ(call(), ZE_RESULT_SUCCESS);
    SetScenario(OneDevice("faults { at_s: 1 call_hangs { function: '" + std::string(function) + "' } }"));
    std::future<ze_result_t> hanging;
    Await([&] {  // The driver looks at the file now and then.
      hanging = std::async(std::launch::async, call);
      return hanging.wait_for(std::chrono::milliseconds(200)) == std::future_status::timeout;
    });
    EXPECT_EQ(zeDeviceGetStatus(devices_[0]), ZE_RESULT_SUCCESS) << "other calls go on";
    SetScenario(OneDevice(""));
    EXPECT_EQ(hanging.get(), ZE_RESULT_SUCCESS);
  }
}

TEST_F(FaultsTest, ALostDeviceIsLostEverywhere) {
  SetScenario("machines { name: 'm' devices { model: ARC_A770 } devices { model: MAX_1550 } }");
  StartContext();
  ze_event_handle_t never = MakeEvent();
  ze_command_list_handle_t waiting = MakeImmediateList();
  ASSERT_EQ(zeCommandListAppendWaitOnEvents(waiting, 1, &never), ZE_RESULT_SUCCESS);
  ze_command_queue_handle_t queue = MakeQueue();
  ze_command_list_handle_t list = MakeList();
  ASSERT_EQ(zeCommandListAppendWaitOnEvents(list, 1, &never), ZE_RESULT_SUCCESS);
  ASSERT_EQ(zeCommandListClose(list), ZE_RESULT_SUCCESS);
  ASSERT_EQ(zeCommandQueueExecuteCommandLists(queue, 1, &list, nullptr), ZE_RESULT_SUCCESS);
  EXPECT_EQ(zeCommandQueueSynchronize(queue, 1'000'000), ZE_RESULT_NOT_READY);
  auto sync = std::async(std::launch::async, [&] { return zeCommandQueueSynchronize(queue, UINT64_MAX); });
  auto wait = std::async(std::launch::async, [&] { return zeEventHostSynchronize(never, UINT64_MAX); });
  SetScenario(
      "machines { name: 'm' devices { model: ARC_A770 faults { at_s: 1 device_lost {} } } devices { model: MAX_1550 } "
      "}");
  EXPECT_EQ(sync.get(), ZE_RESULT_ERROR_DEVICE_LOST);
  EXPECT_EQ(wait.get(), ZE_RESULT_ERROR_DEVICE_LOST);
  EXPECT_EQ(zeDeviceGetStatus(devices_[0]), ZE_RESULT_ERROR_DEVICE_LOST);
  EXPECT_EQ(zeCommandListAppendBarrier(waiting, nullptr, 0, nullptr), ZE_RESULT_ERROR_DEVICE_LOST);
  void* memory = nullptr;
  const ze_device_mem_alloc_desc_t desc = {ZE_STRUCTURE_TYPE_DEVICE_MEM_ALLOC_DESC};
  EXPECT_EQ(zeMemAllocDevice(context_, &desc, 64, 64, devices_[0], &memory), ZE_RESULT_ERROR_DEVICE_LOST);
  zes_device_state_t state = {ZES_STRUCTURE_TYPE_DEVICE_STATE};
  EXPECT_EQ(zesDeviceGetState(sysman_[0], &state), ZE_RESULT_ERROR_DEVICE_LOST);
  EXPECT_EQ(zesDeviceGetState(sysman_[1], &state), ZE_RESULT_SUCCESS);
  EXPECT_EQ(HashOnDevice(100, 1, 1), HashOnHost(100, 1)) << "the other device works";
  EXPECT_EQ(zeCommandListDestroy(waiting), ZE_RESULT_SUCCESS);
  EXPECT_EQ(zeCommandQueueDestroy(queue), ZE_RESULT_SUCCESS);
}

TEST_F(FaultsTest, WhatWasLostBeforeIsNotListed) {
  SetScenario(
      "machines { name: 'm' devices { model: ARC_A770 faults { at_s: 1 device_lost {} } } devices { model: MAX_1550 } "
      "}");
  Start();
  EXPECT_EQ(devices_.size(), 1u);
}

TEST_F(FaultsTest, NoDeviceIsNoDriver) {
  SetScenario("machines { name: 'm' devices { model: H200 } }");
  EXPECT_EQ(zeInit(0), ZE_RESULT_ERROR_UNINITIALIZED);
}

TEST_F(FaultsTest, ABadScenarioIsNoDriver) {
  SetScenario("machines { name: 'm' devices { modell: ARC_A770 } }");
  EXPECT_EQ(zeInit(0), ZE_RESULT_ERROR_UNINITIALIZED);
}

}  // namespace
}  // namespace muster::sim::ze
