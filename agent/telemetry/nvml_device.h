// Everything that NVML tells of one GPU, as readings.
#ifndef MUSTER_AGENT_TELEMETRY_NVML_DEVICE_H_
#define MUSTER_AGENT_TELEMETRY_NVML_DEVICE_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "agent/telemetry/nvml_caller.h"
#include "agent/telemetry/nvml_functions.h"
#include "agent/telemetry/sampler.h"
#include "muster/v1/telemetry.pb.h"

namespace muster::agent {

class NvmlDevice {
 public:
  // `functions` and `marker` outlive the object. `index` spreads what is not read every turn over the turns.
  NvmlDevice(const NvmlFunctions& functions, nvml::Device handle, std::string pci_address, std::string uuid, int index,
             CallMarker& marker);

  const std::string& pci_address() const { return pci_address_; }
  // Each field of base/telemetry_field.h at least once.
  v1::DeviceSample Sample();
  // The last turn found it lost, or NVML not initialised.
  bool lost() const { return caller_.lost(); }
  bool wants_restart() const { return caller_.wants_restart(); }

 private:
  using Labels = std::vector<std::string>;
  // A place of the sample that a field value of NVML fills.
  struct FieldPlace {
    NvmlCaller::Field field;
    v1::TelemetryField to = v1::TELEMETRY_FIELD_UNSPECIFIED;
    Labels labels;
    double scale = 1;
  };

  void Put(v1::TelemetryField field, Labels labels, const NvmlAnswer& answer, double scale = 1);
  void PutAbsent(v1::TelemetryField field, Labels labels, v1::Absence absence) {
    Put(field, std::move(labels), {.absence = absence});
  }
  void PutTwo(v1::TelemetryField field, Labels first, Labels second, const NvmlAnswer& a, const NvmlAnswer& b,
              double scale);

  // nvml_thermal.cc.
  void Temperatures();
  NvmlAnswer LimitByMargin(const NvmlAnswer& core, unsigned int field);
  // nvml_device.cc.
  void Power();
  void Clocks();
  void ThrottleReasons();
  void Utilizations();
  void EngineUtilization(const char* engine, const NvmlFunction<nvml::DeviceTwoNumbersFunction>& function);
  void MemoryUse();
  void Pcie();
  void PcieTraffic();
  void EccErrors();
  void RemappedRows();
  void Fans();
  void Processes();
  // Batched: throttle times, memory temperature and power, retired pages, recovery action.
  void FieldValues();
  // nvml_links.cc.
  void Links();
  void LinkErrors(unsigned int links);
  // What none of these gave: unsupported.
  void TheRest();

  const NvmlFunctions& f_;
  const std::string pci_address_;
  const std::string uuid_;
  const int index_;
  NvmlCaller caller_;
  v1::DeviceSample* sample_ = nullptr;  // While in Sample().

  // Limits known by their distance, by field, and the turn in which they are looked at again.
  struct KeptLimit {
    double celsius = 0;
    int until = 0;
  };
  std::map<unsigned int, KeptLimit> limits_;

  NvmlAnswer receive_;  // PCIe traffic as last measured.
  NvmlAnswer transmit_;
};

}  // namespace muster::agent

#endif  // MUSTER_AGENT_TELEMETRY_NVML_DEVICE_H_
