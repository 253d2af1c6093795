// NVIDIA's dcgm-exporter: the families of its default file and those of the ECC and retired-page rows that it has
// commented out, in its units, with its labels. Not Xid counts: what it says of Xids is the last one's number.
#include <cctype>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "agent/exporter/compat_metrics.h"

namespace muster::agent {
namespace {

using base::MetricType;

constexpr double kToMega = 1e-6;
constexpr double kToMilli = 1e3;
constexpr double kToPercent = 100;
constexpr double kToMebi = 1.0 / (1 << 20);
constexpr MetricType kGauge = MetricType::kGauge;
constexpr MetricType kCounter = MetricType::kCounter;

const std::vector<CompatMetric>& Table() {
  static const auto& table = *new std::vector<CompatMetric>{
      {"DCGM_FI_DEV_SM_CLOCK", kGauge, "SM clock frequency (in MHz).", v1::CLOCK, {{"sm"}}, kToMega},
      {"DCGM_FI_DEV_MEM_CLOCK", kGauge, "Memory clock frequency (in MHz).", v1::CLOCK, {{"memory"}}, kToMega},
      {"DCGM_FI_DEV_MEMORY_TEMP", kGauge, "Memory temperature (in C).", v1::TEMPERATURE, {{"memory"}}},
      {"DCGM_FI_DEV_GPU_TEMP", kGauge, "GPU temperature (in C).", v1::TEMPERATURE, {{"core"}}},
      {"DCGM_FI_DEV_POWER_USAGE", kGauge, "Power draw (in W).", v1::POWER, {{"card"}, {"gpu"}}},
      {"DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION",
       kCounter,
       "Total energy consumption since boot (in mJ).",
       v1::ENERGY,
       {{"card"}, {"gpu"}},
       kToMilli},
      {"DCGM_FI_DEV_PCIE_REPLAY_COUNTER", kCounter, "Total number of PCIe retries.", v1::PCIE_REPLAYS, {{}}},
      {"DCGM_FI_DEV_GPU_UTIL", kGauge, "GPU utilization (in %).", v1::UTILIZATION, {{"gpu"}}, kToPercent},
      {"DCGM_FI_DEV_MEM_COPY_UTIL", kGauge, "Memory utilization (in %).", v1::UTILIZATION, {{"memory"}}, kToPercent},
      {"DCGM_FI_DEV_ENC_UTIL", kGauge, "Encoder utilization (in %).", v1::UTILIZATION, {{"encoder"}}, kToPercent},
      {"DCGM_FI_DEV_DEC_UTIL", kGauge, "Decoder utilization (in %).", v1::UTILIZATION, {{"decoder"}}, kToPercent},
      {"DCGM_FI_DEV_FB_FREE", kGauge, "Framebuffer memory free (in MiB).", v1::MEMORY_FREE, {{}}, kToMebi},
      {"DCGM_FI_DEV_FB_USED", kGauge, "Framebuffer memory used (in MiB).", v1::MEMORY_USED, {{}}, kToMebi},
      {"DCGM_FI_DEV_FB_RESERVED", kGauge, "Framebuffer memory reserved (in MiB).", v1::MEMORY_RESERVED, {{}}, kToMebi},
      {"DCGM_FI_DEV_ECC_SBE_VOL_TOTAL",
       kCounter,
       "Total number of single-bit volatile ECC errors.",
       v1::ECC_ERRORS,
       {{"corrected", "total", "volatile"}}},
      {"DCGM_FI_DEV_ECC_DBE_VOL_TOTAL",
       kCounter,
       "Total number of double-bit volatile ECC errors.",
       v1::ECC_ERRORS,
       {{"uncorrected", "total", "volatile"}}},
      {"DCGM_FI_DEV_ECC_SBE_AGG_TOTAL",
       kCounter,
       "Total number of single-bit persistent ECC errors.",
       v1::ECC_ERRORS,
       {{"corrected", "total", "aggregate"}}},
      {"DCGM_FI_DEV_ECC_DBE_AGG_TOTAL",
       kCounter,
       "Total number of double-bit persistent ECC errors.",
       v1::ECC_ERRORS,
       {{"uncorrected", "total", "aggregate"}}},
      {"DCGM_FI_DEV_RETIRED_SBE",
       kCounter,
       "Total number of retired pages due to single-bit errors.",
       v1::RETIRED_PAGES,
       {{"single_bit"}}},
      {"DCGM_FI_DEV_RETIRED_DBE",
       kCounter,
       "Total number of retired pages due to double-bit errors.",
       v1::RETIRED_PAGES,
       {{"double_bit"}}},
      {"DCGM_FI_DEV_UNCORRECTABLE_REMAPPED_ROWS",
       kCounter,
       "Number of remapped rows for uncorrectable errors",
       v1::ROW_REMAPS,
       {{"uncorrected"}}},
      {"DCGM_FI_DEV_CORRECTABLE_REMAPPED_ROWS",
       kCounter,
       "Number of remapped rows for correctable errors",
       v1::ROW_REMAPS,
       {{"corrected"}}},
      {"DCGM_FI_DEV_ROW_REMAP_FAILURE", kGauge, "Whether remapping of rows has failed", v1::ROW_REMAP_FAILED, {{}}},
      {"DCGM_FI_PROF_PCIE_TX_BYTES",
       kGauge,
       "The rate of data transmitted over the PCIe bus (in bytes per second).",
       v1::PCIE_THROUGHPUT,
       {{"transmit"}}},
      {"DCGM_FI_PROF_PCIE_RX_BYTES",
       kGauge,
       "The rate of data received over the PCIe bus (in bytes per second).",
       v1::PCIE_THROUGHPUT,
       {{"receive"}}},
  };
  return table;
}

// "00000000:41:00.0": DCGM's domains have eight digits, and capitals.
std::string BusId(const std::string& pci_address) {
  std::string id = pci_address.size() == 12 ? "0000" + pci_address : pci_address;
  for (char& c : id) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return id;
}

// "nvidia3": by the device's node where the inventory has it, else by its place among NVIDIA's.
std::string NodeName(const v1::Device& device, const std::string& index) {
  for (const std::string& node : device.device_nodes()) {
    absl::string_view rest = node;
    int minor = 0;
    if (absl::ConsumePrefix(&rest, "/dev/nvidia") && absl::SimpleAtoi(rest, &minor))
      return absl::StrCat("nvidia", minor);
  }
  return "nvidia" + index;
}

// The number of the last Xid of the device, 0 where there was none.
double LastXid(const MonitorSnapshot& snapshot, const std::string& device_id) {
  int last = 0;
  if (snapshot.health == nullptr) return last;
  for (const v1::HealthEvent& event : snapshot.health->events()) {
    absl::string_view code = event.code();
    int number = 0;
    if (event.device_id() == device_id && absl::ConsumePrefix(&code, "nvidia.xid.") && absl::SimpleAtoi(code, &number))
      last = number;
  }
  return last;
}

std::vector<CompatDevice> NvidiaDevices(const MonitorSnapshot& snapshot, const AgentFacts& facts) {
  std::vector<CompatDevice> devices;
  for (const DeviceSnapshot& seen : snapshot.devices) {
    const v1::Device& device = *seen.device;
    if (device.vendor() != v1::VENDOR_NVIDIA) continue;
    const std::string index = std::to_string(devices.size());
    CompatDevice& added = devices.emplace_back();
    added.snapshot = &seen;
    added.sample = CurrentSample(seen, facts);
    const std::string& host = snapshot.machine == nullptr || snapshot.machine->host_name().empty()
                                  ? facts.machine
                                  : snapshot.machine->host_name();
    added.labels = base::PrometheusLabels({{"gpu", index},
                                           {"UUID", device.uuid()},
                                           {"pci_bus_id", BusId(device.pci_address())},
                                           {"device", NodeName(device, index)},
                                           {"modelName", device.model()},
                                           {"Hostname", host},
                                           {"DCGM_FI_DRIVER_VERSION", device.driver_version()}});
    if (device.simulated()) base::AppendPrometheusLabel(added.labels, "simulated", "true");
  }
  return devices;
}

}  // namespace

void AppendDcgmMetrics(std::string& out, const MonitorSnapshot& snapshot, const AgentFacts& facts) {
  const std::vector<CompatDevice> devices = NvidiaDevices(snapshot, facts);
  AppendCompatTable(out, Table(), devices);
  base::PrometheusFamily xids(out, "DCGM_FI_DEV_XID_ERRORS", kGauge, "Value of the last XID error encountered.");
  for (const CompatDevice& device : devices) {
    const double xid = LastXid(snapshot, device.snapshot->device->id());
    if (xid != 0 || device.sample != nullptr) xids.Add(device.labels, xid);  // Of a device that none reads: not "none".
  }
}

}  // namespace muster::agent
