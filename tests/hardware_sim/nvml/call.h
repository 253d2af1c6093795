// One call into the simulated NVML: whether it goes well, and what its device reads now.
//
// Any thread, as in NVML. Faults of the scenario come first: a call that hangs does not return before the fault ends
// (or the scenario changes), then one that fails, then the lost device.
#ifndef MUSTER_TESTS_HARDWARE_SIM_NVML_CALL_H_
#define MUSTER_TESTS_HARDWARE_SIM_NVML_CALL_H_

#include <cmath>
#include <initializer_list>
#include <memory>
#include <string>
#include <vector>

#include "agent/inventory/nvml_abi.h"
#include "tests/hardware_sim/world.h"

// What the library gives to others; everything else of it is its own.
#define SIMULATED_NVML extern "C" __attribute__((visibility("default")))

namespace muster::sim {

namespace nvml = agent::nvml;

// nvmlInit and nvmlShutdown, which are counted.
nvml::Return InitLibrary(const char* function);
nvml::Return ShutdownLibrary();
// For calls of no device: kUninitialized, a fault of any of the machine's devices by the function's name, or success.
nvml::Return EnterLibrary(const char* function);

// The machine's NVIDIA devices now, lost ones too. After a successful EnterLibrary().
std::vector<DeviceFacts> NvidiaDevices();
// By its place among them. The handle is valid for ever; what it stands for is looked up in each call.
nvml::Device HandleOf(size_t place);

class Call {
 public:
  // `function` is what the scenario calls it.
  Call(const char* function, nvml::Device handle);

  // When this is not kSuccess there is nothing else.
  nvml::Return result() const { return result_; }
  const DeviceFacts& facts() const { return world_->devices()[index_]; }
  size_t place() const { return place_; }

  // kNotSupported, kNoPermission or kUnknown where there is no value.
  nvml::Return Read(v1::TelemetryField field, const std::vector<std::string>& labels, double& value) const;
  bool Has(v1::TelemetryField field, const std::vector<std::string>& labels) const;

 private:
  nvml::Return Enter(const char* function, nvml::Device handle);

  std::shared_ptr<const World> world_;
  size_t index_ = 0;  // In the world.
  size_t place_ = 0;  // Among NVIDIA's.
  Seconds now_ = 0;
  nvml::Return result_ = nvml::kSuccess;
};

// A call that gives one number: `to` is the reading times `scale`.
template <typename Number>
nvml::Return Give(const char* function, nvml::Device handle, Number* to, v1::TelemetryField field,
                  const std::vector<std::string>& labels, double scale = 1) {
  if (to == nullptr) return nvml::kInvalidArgument;
  const Call call(function, handle);
  if (call.result() != nvml::kSuccess) return call.result();
  double value = 0;
  const nvml::Return result = call.Read(field, labels, value);
  if (result == nvml::kSuccess) *to = static_cast<Number>(std::llround(value * scale));
  return result;
}

// Text with its end, or kInsufficientSize.
nvml::Return GiveText(const std::string& text, char* to, unsigned int size);

}  // namespace muster::sim

#endif  // MUSTER_TESTS_HARDWARE_SIM_NVML_CALL_H_
