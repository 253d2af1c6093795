// What Muster calls of NVML, declared from its public reference: the C ABI of libnvidia-ml.so.1, which NVIDIA keeps
// stable by giving each changed call a new suffix (_v2, _v3). Nothing of the CUDA toolkit is needed to build.
//
// Numbers (result codes, kinds, field ids) are in nvml_constants.h. agent/telemetry/nvml_abi_test.cc checks sizes.
#ifndef MUSTER_AGENT_INVENTORY_NVML_ABI_H_
#define MUSTER_AGENT_INVENTORY_NVML_ABI_H_

#include <cstddef>

#include "agent/inventory/nvml_constants.h"

namespace muster::agent::nvml {

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
static_assert(sizeof(PciInfo) == 68);

// nvmlMemory_t, first version: bytes.
struct Memory {
  unsigned long long total;
  unsigned long long free;
  unsigned long long used;
};
static_assert(sizeof(Memory) == 24);

// A structure's version: its size, and its number in the top byte.
constexpr unsigned int StructVersion(size_t size, unsigned int number) {
  return static_cast<unsigned int>(size) | number << 24;
}

// nvmlMemory_v2_t: bytes; `used` is without `reserved`.
struct MemoryV2 {
  unsigned int version;  // kMemoryV2
  unsigned long long total;
  unsigned long long reserved;
  unsigned long long free;
  unsigned long long used;
};
static_assert(sizeof(MemoryV2) == 40);
inline constexpr unsigned int kMemoryV2 = StructVersion(sizeof(MemoryV2), 2);

// nvmlUtilization_t: percent of the last sampling period.
struct Utilization {
  unsigned int gpu;
  unsigned int memory;
};
static_assert(sizeof(Utilization) == 8);

// nvmlViolationTime_t: microseconds, nanoseconds.
struct ViolationTime {
  unsigned long long reference_us;
  unsigned long long violation_ns;
};
static_assert(sizeof(ViolationTime) == 16);

// nvmlProcessInfo_v2_t, which the calls with _v3 fill, too.
struct ProcessInfo {
  unsigned int pid;
  unsigned long long used_bytes;
  unsigned int gpu_instance;
  unsigned int compute_instance;
};
static_assert(sizeof(ProcessInfo) == 24);

// nvmlFanSpeedInfo_v1_t.
struct FanSpeedInfo {
  unsigned int version;  // kFanSpeedInfoV1
  unsigned int fan;
  unsigned int rpm;
};
static_assert(sizeof(FanSpeedInfo) == 12);
inline constexpr unsigned int kFanSpeedInfoV1 = StructVersion(sizeof(FanSpeedInfo), 1);

// nvmlTemperature_v1_t.
struct Temperature {
  unsigned int version;  // kTemperatureV1
  int sensor;
  int celsius;
};
static_assert(sizeof(Temperature) == 12);
inline constexpr unsigned int kTemperatureV1 = StructVersion(sizeof(Temperature), 1);

// nvmlMarginTemperature_v1_t: degrees until the GPU slows down.
struct MarginTemperature {
  unsigned int version;  // kMarginTemperatureV1
  int celsius;
};
static_assert(sizeof(MarginTemperature) == 8);
inline constexpr unsigned int kMarginTemperatureV1 = StructVersion(sizeof(MarginTemperature), 1);

// nvmlFieldValue_t: asked by field and scope (a link, a power scope; 0 otherwise), answered each with its own result.
struct FieldValue {
  unsigned int field;
  unsigned int scope;
  long long timestamp_us;
  long long latency_us;
  int type;  // kValue…
  Return result;
  union {
    double as_double;
    unsigned int as_uint;
    unsigned long as_ulong;
    unsigned long long as_ulonglong;
    long long as_longlong;
    int as_int;
    unsigned short as_ushort;
  } value;
};
static_assert(sizeof(FieldValue) == 40);

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

// Of the telemetry. DeviceNumberFunction serves …GetPowerUsage (mW), …GetEnforcedPowerLimit (mW),
// …GetPowerManagementDefaultLimit (mW), …GetPcieReplayCounter, …GetNumFans, …GetMemoryBusWidth (bits),
// …GetPerformanceState and the PCIe link's figures, too.
using DeviceTwoNumbersFunction = Return (*)(Device, unsigned int*, unsigned int*);
// …GetPowerManagementLimitConstraints (mW: least, greatest); …Get{Encoder,Decoder,Jpg,Ofa}Utilization (%, period in us)
using DeviceKindFunction = Return (*)(Device, int kind, unsigned int*);
// …GetTemperature (sensor), …GetTemperatureThreshold, …Get{,Max}ClockInfo (MHz), …GetPcieThroughput (KB/s)
using DeviceBigNumberFunction = Return (*)(Device, unsigned long long*);
// …GetTotalEnergyConsumption (mJ), …GetCurrentClocks{Event,Throttle}Reasons and …GetSupportedClocks… (bits)
using DeviceMemoryV2Function = Return (*)(Device, MemoryV2*);                    // nvmlDeviceGetMemoryInfo_v2
using DeviceUtilizationFunction = Return (*)(Device, Utilization*);              // nvmlDeviceGetUtilizationRates
using DeviceViolationFunction = Return (*)(Device, int policy, ViolationTime*);  // nvmlDeviceGetViolationStatus
using DeviceTotalEccFunction = Return (*)(Device, int kind, int lifetime, unsigned long long*);  // …GetTotalEccErrors
// nvmlDeviceGetMemoryErrorCounter
using DeviceMemoryErrorFunction = Return (*)(Device, int kind, int lifetime, int location, unsigned long long*);
// nvmlDeviceGetRemappedRows
using DeviceRemappedRowsFunction = Return (*)(Device, unsigned int* corrected, unsigned int* uncorrected,
                                              unsigned int* pending, unsigned int* failed);
// nvmlDeviceGet{Compute,Graphics}RunningProcesses_v3: with kInsufficientSize `count` is what is there.
using DeviceProcessesFunction = Return (*)(Device, unsigned int* count, ProcessInfo*);
using DeviceFanPercentFunction = Return (*)(Device, unsigned int fan, unsigned int*);  // nvmlDeviceGetFanSpeed_v2
using DeviceFanRpmFunction = Return (*)(Device, FanSpeedInfo*);                        // nvmlDeviceGetFanSpeedRPM
using DeviceTemperatureVFunction = Return (*)(Device, Temperature*);                   // nvmlDeviceGetTemperatureV
using DeviceMarginFunction = Return (*)(Device, MarginTemperature*);                   // nvmlDeviceGetMarginTemperature
using DeviceFieldValuesFunction = Return (*)(Device, int count, FieldValue*);          // nvmlDeviceGetFieldValues
using DeviceLinkErrorFunction = Return (*)(Device, unsigned int link, int counter, unsigned long long*);
// nvmlDeviceGetNvLinkErrorCounter
}

}  // namespace muster::agent::nvml

#endif  // MUSTER_AGENT_INVENTORY_NVML_ABI_H_
