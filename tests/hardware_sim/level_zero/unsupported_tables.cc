// Tables that a loader insists on and that the simulated devices have nothing of: each entry answers
// UNSUPPORTED_FEATURE.
#include <level_zero/ze_ddi.h>
#include <level_zero/zes_ddi.h>
#include <level_zero/zet_ddi.h>

#include "tests/hardware_sim/level_zero/ddi_table.h"

namespace ze = muster::sim::ze;

MUSTER_ZE_EXPORT zeGetImageProcAddrTable(ze_api_version_t version, ze_image_dditable_t* table) {
  return ze::StartTable(version, table);
}
MUSTER_ZE_EXPORT zeGetSamplerProcAddrTable(ze_api_version_t version, ze_sampler_dditable_t* table) {
  return ze::StartTable(version, table);
}
MUSTER_ZE_EXPORT zeGetPhysicalMemProcAddrTable(ze_api_version_t version, ze_physical_mem_dditable_t* table) {
  return ze::StartTable(version, table);
}
MUSTER_ZE_EXPORT zeGetVirtualMemProcAddrTable(ze_api_version_t version, ze_virtual_mem_dditable_t* table) {
  return ze::StartTable(version, table);
}

MUSTER_ZE_EXPORT zesGetDiagnosticsProcAddrTable(ze_api_version_t version, zes_diagnostics_dditable_t* table) {
  return ze::StartTable(version, table);
}
MUSTER_ZE_EXPORT zesGetLedProcAddrTable(ze_api_version_t version, zes_led_dditable_t* table) {
  return ze::StartTable(version, table);
}
MUSTER_ZE_EXPORT zesGetPerformanceFactorProcAddrTable(ze_api_version_t version,
                                                      zes_performance_factor_dditable_t* table) {
  return ze::StartTable(version, table);
}
MUSTER_ZE_EXPORT zesGetPsuProcAddrTable(ze_api_version_t version, zes_psu_dditable_t* table) {
  return ze::StartTable(version, table);
}
MUSTER_ZE_EXPORT zesGetSchedulerProcAddrTable(ze_api_version_t version, zes_scheduler_dditable_t* table) {
  return ze::StartTable(version, table);
}
MUSTER_ZE_EXPORT zesGetStandbyProcAddrTable(ze_api_version_t version, zes_standby_dditable_t* table) {
  return ze::StartTable(version, table);
}

MUSTER_ZE_EXPORT zetGetDeviceProcAddrTable(ze_api_version_t version, zet_device_dditable_t* table) {
  return ze::StartTable(version, table);
}
MUSTER_ZE_EXPORT zetGetContextProcAddrTable(ze_api_version_t version, zet_context_dditable_t* table) {
  return ze::StartTable(version, table);
}
MUSTER_ZE_EXPORT zetGetCommandListProcAddrTable(ze_api_version_t version, zet_command_list_dditable_t* table) {
  return ze::StartTable(version, table);
}
MUSTER_ZE_EXPORT zetGetKernelProcAddrTable(ze_api_version_t version, zet_kernel_dditable_t* table) {
  return ze::StartTable(version, table);
}
MUSTER_ZE_EXPORT zetGetModuleProcAddrTable(ze_api_version_t version, zet_module_dditable_t* table) {
  return ze::StartTable(version, table);
}
MUSTER_ZE_EXPORT zetGetDebugProcAddrTable(ze_api_version_t version, zet_debug_dditable_t* table) {
  return ze::StartTable(version, table);
}
MUSTER_ZE_EXPORT zetGetMetricProcAddrTable(ze_api_version_t version, zet_metric_dditable_t* table) {
  return ze::StartTable(version, table);
}
MUSTER_ZE_EXPORT zetGetMetricGroupProcAddrTable(ze_api_version_t version, zet_metric_group_dditable_t* table) {
  return ze::StartTable(version, table);
}
MUSTER_ZE_EXPORT zetGetMetricQueryProcAddrTable(ze_api_version_t version, zet_metric_query_dditable_t* table) {
  return ze::StartTable(version, table);
}
MUSTER_ZE_EXPORT zetGetMetricQueryPoolProcAddrTable(ze_api_version_t version, zet_metric_query_pool_dditable_t* table) {
  return ze::StartTable(version, table);
}
MUSTER_ZE_EXPORT zetGetMetricStreamerProcAddrTable(ze_api_version_t version, zet_metric_streamer_dditable_t* table) {
  return ze::StartTable(version, table);
}
MUSTER_ZE_EXPORT zetGetTracerExpProcAddrTable(ze_api_version_t version, zet_tracer_exp_dditable_t* table) {
  return ze::StartTable(version, table);
}
