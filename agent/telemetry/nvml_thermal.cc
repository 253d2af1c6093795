// NvmlDevice's temperatures and their limits. The memory's temperature is among the field values.
#include <cmath>

#include "agent/telemetry/nvml_device.h"

namespace muster::agent {

void NvmlDevice::Temperatures() {
  NvmlAnswer core = caller_.Now(f_.temperature, 1, nvml::kSensorGpu);
  if (core.absence == v1::ABSENCE_UNSUPPORTED) {
    nvml::Temperature newer{.version = nvml::kTemperatureV1, .sensor = nvml::kSensorGpu};
    core.absence = caller_.Remembering(f_.temperature_v, 1, [&] { return caller_.Call(f_.temperature_v, &newer); });
    core.value = newer.celsius;
  }
  Put(v1::TEMPERATURE, {"core"}, core);
  struct Limit {
    const char* name;
    int threshold;
    unsigned int margin_field;  // 0: none that is measured at the core.
  };
  static constexpr Limit kLimits[] = {{"throttle", nvml::kThresholdGpuMax, nvml::kFieldGpuMaxMargin},
                                      {"slowdown", nvml::kThresholdSlowdown, nvml::kFieldSlowdownMargin},
                                      {"shutdown", nvml::kThresholdShutdown, nvml::kFieldShutdownMargin},
                                      {"memory_throttle", nvml::kThresholdMemoryMax, 0}};
  for (const Limit& limit : kLimits) {
    NvmlAnswer celsius = caller_.Steady(f_.threshold, limit.threshold + 1, limit.threshold);
    if (celsius.absence == v1::ABSENCE_UNSUPPORTED && limit.margin_field != 0) {
      celsius = LimitByMargin(core, limit.margin_field);
    }
    Put(v1::TEMPERATURE_LIMIT, {limit.name}, celsius);
  }
}

// Since Ada some drivers give limits only as distances: how far the core is from its limit now, and how far beyond that
// (negative) it slows down or shuts off. Both in whole degrees, so the limit is kept for as long as it stays within
// one.
NvmlAnswer NvmlDevice::LimitByMargin(const NvmlAnswer& core, unsigned int field) {
  KeptLimit& limit = limits_[field];
  if (limit.until > caller_.turn()) return {.value = limit.celsius};
  const NvmlAnswer distance = caller_.AskFields({{.field = field}})[0];
  if (!distance.has_value() || !core.has_value()) return distance.has_value() ? core : distance;
  nvml::MarginTemperature margin{.version = nvml::kMarginTemperatureV1};
  const v1::Absence absence = NvmlAbsence(caller_.Call(f_.margin, &margin), false);
  if (absence != v1::ABSENCE_UNSPECIFIED) return {.absence = absence};
  const double now = core.value + margin.celsius - distance.value;
  if (std::abs(now - limit.celsius) > 1) limit.celsius = now;
  limit.until = caller_.turn() + NvmlCaller::kSteadyPeriod;
  return {.value = limit.celsius};
}

}  // namespace muster::agent
