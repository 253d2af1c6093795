// The functions of NVML that the sampler calls, each with its name. One that the driver's library lacks is null.
#ifndef MUSTER_AGENT_TELEMETRY_NVML_FUNCTIONS_H_
#define MUSTER_AGENT_TELEMETRY_NVML_FUNCTIONS_H_

#include "agent/inventory/nvml_abi.h"
#include "agent/inventory/shared_library.h"

namespace muster::agent {

template <typename Function>
struct NvmlFunction {
  const char* name;
  Function call = nullptr;
};

struct NvmlFunctions {
  NvmlFunction<nvml::InitFunction> init{"nvmlInit_v2"};
  NvmlFunction<nvml::InitFunction> shutdown{"nvmlShutdown"};
  NvmlFunction<nvml::ErrorStringFunction> error_string{"nvmlErrorString"};
  NvmlFunction<nvml::CountFunction> count{"nvmlDeviceGetCount_v2"};
  NvmlFunction<nvml::HandleByIndexFunction> handle{"nvmlDeviceGetHandleByIndex_v2"};
  NvmlFunction<nvml::DevicePciInfoFunction> pci_info{"nvmlDeviceGetPciInfo_v3"};
  NvmlFunction<nvml::DeviceTextFunction> uuid{"nvmlDeviceGetUUID"};

  NvmlFunction<nvml::DeviceFieldValuesFunction> field_values{"nvmlDeviceGetFieldValues"};

  NvmlFunction<nvml::DeviceKindFunction> temperature{"nvmlDeviceGetTemperature"};
  NvmlFunction<nvml::DeviceTemperatureVFunction> temperature_v{"nvmlDeviceGetTemperatureV"};
  NvmlFunction<nvml::DeviceKindFunction> threshold{"nvmlDeviceGetTemperatureThreshold"};
  NvmlFunction<nvml::DeviceMarginFunction> margin{"nvmlDeviceGetMarginTemperature"};

  NvmlFunction<nvml::DeviceNumberFunction> power{"nvmlDeviceGetPowerUsage"};
  NvmlFunction<nvml::DeviceNumberFunction> enforced_limit{"nvmlDeviceGetEnforcedPowerLimit"};
  NvmlFunction<nvml::DeviceNumberFunction> default_limit{"nvmlDeviceGetPowerManagementDefaultLimit"};
  NvmlFunction<nvml::DeviceTwoNumbersFunction> limit_constraints{"nvmlDeviceGetPowerManagementLimitConstraints"};
  NvmlFunction<nvml::DeviceBigNumberFunction> energy{"nvmlDeviceGetTotalEnergyConsumption"};
  NvmlFunction<nvml::DeviceNumberFunction> performance_state{"nvmlDeviceGetPerformanceState"};

  NvmlFunction<nvml::DeviceKindFunction> clock{"nvmlDeviceGetClockInfo"};
  NvmlFunction<nvml::DeviceKindFunction> clock_max{"nvmlDeviceGetMaxClockInfo"};
  NvmlFunction<nvml::DeviceBigNumberFunction> event_reasons{"nvmlDeviceGetCurrentClocksEventReasons"};
  NvmlFunction<nvml::DeviceBigNumberFunction> throttle_reasons{"nvmlDeviceGetCurrentClocksThrottleReasons"};
  NvmlFunction<nvml::DeviceBigNumberFunction> supported_event_reasons{"nvmlDeviceGetSupportedClocksEventReasons"};
  NvmlFunction<nvml::DeviceBigNumberFunction> supported_throttle_reasons{"nvmlDeviceGetSupportedClocksThrottleReasons"};
  NvmlFunction<nvml::DeviceViolationFunction> violation{"nvmlDeviceGetViolationStatus"};

  NvmlFunction<nvml::DeviceUtilizationFunction> utilization{"nvmlDeviceGetUtilizationRates"};
  NvmlFunction<nvml::DeviceTwoNumbersFunction> encoder{"nvmlDeviceGetEncoderUtilization"};
  NvmlFunction<nvml::DeviceTwoNumbersFunction> decoder{"nvmlDeviceGetDecoderUtilization"};
  NvmlFunction<nvml::DeviceTwoNumbersFunction> jpeg{"nvmlDeviceGetJpgUtilization"};
  NvmlFunction<nvml::DeviceTwoNumbersFunction> ofa{"nvmlDeviceGetOfaUtilization"};

  NvmlFunction<nvml::DeviceMemoryFunction> memory{"nvmlDeviceGetMemoryInfo"};
  NvmlFunction<nvml::DeviceMemoryV2Function> memory_v2{"nvmlDeviceGetMemoryInfo_v2"};
  NvmlFunction<nvml::DeviceNumberFunction> bus_width{"nvmlDeviceGetMemoryBusWidth"};

  NvmlFunction<nvml::DeviceNumberFunction> link_generation{"nvmlDeviceGetCurrPcieLinkGeneration"};
  NvmlFunction<nvml::DeviceNumberFunction> link_generation_max{"nvmlDeviceGetMaxPcieLinkGeneration"};
  NvmlFunction<nvml::DeviceNumberFunction> link_width{"nvmlDeviceGetCurrPcieLinkWidth"};
  NvmlFunction<nvml::DeviceNumberFunction> link_width_max{"nvmlDeviceGetMaxPcieLinkWidth"};
  NvmlFunction<nvml::DeviceKindFunction> pcie_throughput{"nvmlDeviceGetPcieThroughput"};
  NvmlFunction<nvml::DeviceNumberFunction> pcie_replays{"nvmlDeviceGetPcieReplayCounter"};

  NvmlFunction<nvml::DeviceTotalEccFunction> total_ecc{"nvmlDeviceGetTotalEccErrors"};
  NvmlFunction<nvml::DeviceMemoryErrorFunction> memory_errors{"nvmlDeviceGetMemoryErrorCounter"};
  NvmlFunction<nvml::DeviceRemappedRowsFunction> remapped_rows{"nvmlDeviceGetRemappedRows"};

  NvmlFunction<nvml::DeviceLinkErrorFunction> link_errors{"nvmlDeviceGetNvLinkErrorCounter"};
  NvmlFunction<nvml::DeviceKindFunction> link_state{"nvmlDeviceGetNvLinkState"};

  NvmlFunction<nvml::DeviceNumberFunction> fan_count{"nvmlDeviceGetNumFans"};
  NvmlFunction<nvml::DeviceFanPercentFunction> fan_percent{"nvmlDeviceGetFanSpeed_v2"};
  NvmlFunction<nvml::DeviceFanRpmFunction> fan_rpm{"nvmlDeviceGetFanSpeedRPM"};

  NvmlFunction<nvml::DeviceProcessesFunction> compute_processes{"nvmlDeviceGetComputeRunningProcesses_v3"};
  NvmlFunction<nvml::DeviceProcessesFunction> graphics_processes{"nvmlDeviceGetGraphicsRunningProcesses_v3"};
};

NvmlFunctions FindNvmlFunctions(const SharedLibrary& library);

}  // namespace muster::agent

#endif  // MUSTER_AGENT_TELEMETRY_NVML_FUNCTIONS_H_
