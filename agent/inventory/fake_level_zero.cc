// A libze_loader.so.1 with one Arc A770 and one NPU for the tests. It comes twice: with zesInit as newer loaders, and
// without, where sysman answers only when ZES_ENABLE_SYSMAN was set before zeInit. As an old loader does, it dies when
// anything follows a failed zeInit.
#include <level_zero/ze_api.h>
#include <level_zero/zes_api.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <initializer_list>

namespace {

enum class State { kNew, kReady, kFailed };

State state = State::kNew;
bool sysman = false;
int driver;
int gpu;
int npu;
int firmware;

void RequireReady() {
  if (state != State::kReady) std::abort();
}

template <size_t kSize>
void Put(char (&to)[kSize], const char* text) {
  std::snprintf(to, kSize, "%s", text);
}

// Level Zero's way to list.
template <typename Handle>
ze_result_t Give(uint32_t* count, Handle* handles, std::initializer_list<void*> all) {
  if (handles == nullptr) {
    *count = static_cast<uint32_t>(all.size());
    return ZE_RESULT_SUCCESS;
  }
  uint32_t i = 0;
  for (void* one : all) {
    if (i < *count) handles[i++] = reinterpret_cast<Handle>(one);
  }
  *count = i;
  return ZE_RESULT_SUCCESS;
}

}  // namespace

extern "C" {

#ifdef MUSTER_FAKE_ZES_INIT
ze_result_t zesInit(uint32_t) {
  if (state != State::kNew || std::getenv("ZES_ENABLE_SYSMAN") != nullptr)
    std::abort();  // sysman first, and one way alone
  sysman = true;
  return ZE_RESULT_SUCCESS;
}
#endif

ze_result_t zeInit(ze_init_flags_t) {
  if (std::getenv("ZES_ENABLE_SYSMAN") != nullptr) sysman = true;
  state = std::getenv("FAKE_ZE_INIT") == nullptr ? State::kReady : State::kFailed;
  return state == State::kReady ? ZE_RESULT_SUCCESS : ZE_RESULT_ERROR_UNINITIALIZED;
}
ze_result_t zeDriverGet(uint32_t* count, ze_driver_handle_t* handles) {
  RequireReady();
  return Give(count, handles, {&driver});
}
ze_result_t zeDriverGetProperties(ze_driver_handle_t, ze_driver_properties_t* properties) {
  properties->driverVersion = (1u << 24) | (3u << 16) | 24595;
  return ZE_RESULT_SUCCESS;
}
ze_result_t zeDeviceGet(ze_driver_handle_t, uint32_t* count, ze_device_handle_t* handles) {
  return Give(count, handles, {&npu, &gpu});
}
ze_result_t zeDeviceGetProperties(ze_device_handle_t handle, ze_device_properties_t* properties) {
  properties->type = static_cast<void*>(handle) == &gpu ? ZE_DEVICE_TYPE_GPU : ZE_DEVICE_TYPE_VPU;
  properties->vendorId = 0x8086;
  properties->deviceId = 0x56a0;
  const uint8_t uuid[] = {0x86, 0x80, 0xa0, 0x56, 8, 0, 0, 0, 3};
  std::memcpy(properties->uuid.id, uuid, sizeof(uuid));
  Put(properties->name, "Intel(R) Arc(TM) A770 Graphics");
  return ZE_RESULT_SUCCESS;
}
ze_result_t zeDevicePciGetPropertiesExt(ze_device_handle_t, ze_pci_ext_properties_t*) {
  return ZE_RESULT_ERROR_UNSUPPORTED_FEATURE;
}
ze_result_t zeDeviceGetMemoryProperties(ze_device_handle_t, uint32_t* count, ze_device_memory_properties_t* memories) {
  *count = 1;
  if (memories != nullptr) memories->totalSize = 16225243136;
  return ZE_RESULT_SUCCESS;
}
ze_result_t zesDeviceGetProperties(zes_device_handle_t, zes_device_properties_t* properties) {
  if (!sysman) return ZE_RESULT_ERROR_UNINITIALIZED;
  Put(properties->serialNumber, "unknown");
  return ZE_RESULT_SUCCESS;
}
ze_result_t zesDevicePciGetProperties(zes_device_handle_t, zes_pci_properties_t* properties) {
  properties->address = {0, 3, 0, 0};
  properties->maxSpeed = {4, 16, -1};
  return ZE_RESULT_SUCCESS;
}
ze_result_t zesDevicePciGetState(zes_device_handle_t, zes_pci_state_t* state) {
  state->speed = {-1, 8, -1};
  return ZE_RESULT_SUCCESS;
}
ze_result_t zesDeviceEnumFirmwares(zes_device_handle_t, uint32_t* count, zes_firmware_handle_t* handles) {
  return Give(count, handles, {&firmware});
}
ze_result_t zesFirmwareGetProperties(zes_firmware_handle_t, zes_firmware_properties_t* properties) {
  Put(properties->name, "GFX");
  Put(properties->version, "DG02_1.3275");
  return ZE_RESULT_SUCCESS;
}
ze_result_t zesDeviceGetEccState(zes_device_handle_t, zes_device_ecc_properties_t* properties) {
  properties->currentState = ZES_DEVICE_ECC_STATE_UNAVAILABLE;
  return ZE_RESULT_SUCCESS;
}
}
