// What Muster calls of NVML, declared from its public reference: the C ABI of libnvidia-ml.so.1, which NVIDIA keeps
// stable by giving each changed call a new suffix (_v2, _v3). Nothing of the CUDA toolkit is needed to build.
#ifndef MUSTER_AGENT_INVENTORY_NVML_ABI_H_
#define MUSTER_AGENT_INVENTORY_NVML_ABI_H_

namespace muster::agent::nvml {

using Return = int;  // nvmlReturn_t
inline constexpr Return kSuccess = 0;
inline constexpr Return kNotSupported = 3;

using Device = void*;  // nvmlDevice_t

// nvmlPciInfo_t, third version.
struct PciInfo {
  char bus_id_legacy[16];
  unsigned int domain;
  unsigned int bus;
  unsigned int device;
  unsigned int pci_device_id;  // device id in the upper half, vendor id in the lower
  unsigned int pci_sub_system_id;
  char bus_id[32];
};

// nvmlMemory_t, first version: bytes.
struct Memory {
  unsigned long long total;
  unsigned long long free;
  unsigned long long used;
};

// nvmlEnableState_t.
inline constexpr int kDisabled = 0;
inline constexpr int kEnabled = 1;

extern "C" {
using InitFunction = Return (*)();                                         // nvmlInit_v2, nvmlShutdown
using ErrorStringFunction = const char* (*)(Return);                       // nvmlErrorString
using SystemTextFunction = Return (*)(char*, unsigned int);                // nvmlSystemGetDriverVersion
using CountFunction = Return (*)(unsigned int*);                           // nvmlDeviceGetCount_v2
using HandleByIndexFunction = Return (*)(unsigned int, Device*);           // nvmlDeviceGetHandleByIndex_v2
using DeviceTextFunction = Return (*)(Device, char*, unsigned int);        // …GetName, …GetUUID, …GetSerial, …
using DeviceNumberFunction = Return (*)(Device, unsigned int*);            // …GetMaxPcieLinkGeneration, …
using DevicePciInfoFunction = Return (*)(Device, PciInfo*);                // nvmlDeviceGetPciInfo_v3
using DeviceMemoryFunction = Return (*)(Device, Memory*);                  // nvmlDeviceGetMemoryInfo
using DeviceEccFunction = Return (*)(Device, int* current, int* pending);  // nvmlDeviceGetEccMode
using DeviceCapabilityFunction = Return (*)(Device, int* major, int* minor);  // nvmlDeviceGetCudaComputeCapability
}

}  // namespace muster::agent::nvml

#endif  // MUSTER_AGENT_INVENTORY_NVML_ABI_H_
