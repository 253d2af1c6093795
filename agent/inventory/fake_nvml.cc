// A libnvidia-ml.so.1 of two devices for the tests, the second of which has fallen off the bus. It prints to stdout, as
// libraries do.
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "agent/inventory/nvml_abi.h"

namespace nvml = muster::agent::nvml;

namespace {

int device;

nvml::Return Give(const char* text, char* to, unsigned int size) {
  std::snprintf(to, size, "%s", text);
  return nvml::kSuccess;
}

nvml::Return Give(unsigned int number, unsigned int* to) {
  *to = number;
  return nvml::kSuccess;
}

}  // namespace

extern "C" {

nvml::Return nvmlInit_v2() {
  std::puts("fake NVML prints what nobody asked for");
  std::fflush(stdout);
  return std::getenv("FAKE_NVML_INIT") == nullptr ? nvml::kSuccess : 18;
}
nvml::Return nvmlShutdown() { return nvml::kSuccess; }
const char* nvmlErrorString(nvml::Return result) {
  return result == 18 ? "Driver/library version mismatch" : "GPU is lost";
}
nvml::Return nvmlSystemGetDriverVersion(char* to, unsigned int size) { return Give("580.159.04", to, size); }
nvml::Return nvmlDeviceGetCount_v2(unsigned int* count) { return Give(2, count); }
nvml::Return nvmlDeviceGetHandleByIndex_v2(unsigned int index, nvml::Device* handle) {
  *handle = &device;
  return index == 0 ? nvml::kSuccess : 15;
}
nvml::Return nvmlDeviceGetName(nvml::Device, char* to, unsigned int size) { return Give("NVIDIA H200", to, size); }
nvml::Return nvmlDeviceGetUUID(nvml::Device, char* to, unsigned int size) { return Give("GPU-1-2", to, size); }
// Longer than it was given room for, and without an end.
nvml::Return nvmlDeviceGetSerial(nvml::Device, char* to, unsigned int size) {
  std::memset(to, '7', size);
  return nvml::kSuccess;
}
nvml::Return nvmlDeviceGetVbiosVersion(nvml::Device, char* to, unsigned int size) {
  return Give("96.00\x01", to, size);
}
nvml::Return nvmlDeviceGetPciInfo_v3(nvml::Device, nvml::PciInfo* info) {
  info->pci_device_id = 0x233510de;
  std::strcpy(info->bus_id, "00000000:41:00.0");
  return nvml::kSuccess;
}
nvml::Return nvmlDeviceGetMemoryInfo(nvml::Device, nvml::Memory* memory) {
  memory->total = 143771ULL << 20;
  return nvml::kSuccess;
}
nvml::Return nvmlDeviceGetEccMode(nvml::Device, int* current, int* pending) {
  if (std::getenv("FAKE_NVML_NO_ECC") != nullptr) return nvml::kNotSupported;
  *current = *pending = nvml::kEnabled;
  return nvml::kSuccess;
}
nvml::Return nvmlDeviceGetCudaComputeCapability(nvml::Device, int* major, int* minor) {
  *major = 9;
  *minor = 0;
  return nvml::kSuccess;
}
nvml::Return nvmlDeviceGetCurrPcieLinkGeneration(nvml::Device, unsigned int* to) { return Give(1, to); }
nvml::Return nvmlDeviceGetMaxPcieLinkGeneration(nvml::Device, unsigned int* to) { return Give(5, to); }
nvml::Return nvmlDeviceGetCurrPcieLinkWidth(nvml::Device, unsigned int* to) { return Give(16, to); }
nvml::Return nvmlDeviceGetMaxPcieLinkWidth(nvml::Device, unsigned int*) { return nvml::kNotSupported; }
nvml::Return nvmlDeviceGetMinorNumber(nvml::Device, unsigned int* to) { return Give(3, to); }
}
