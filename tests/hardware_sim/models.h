// The GPU models that a scenario can name, with their makers' published figures.
#ifndef MUSTER_TESTS_HARDWARE_SIM_MODELS_H_
#define MUSTER_TESTS_HARDWARE_SIM_MODELS_H_

#include <cstdint>
#include <string_view>

#include "tests/hardware_sim/scenario.pb.h"

namespace muster::sim {

inline constexpr uint32_t kIntel = 0x8086;
inline constexpr uint32_t kNvidia = 0x10de;

// What a scenario's CustomModel does not say.
struct ModelTraits {
  bool hbm = false;  // Its memory has a temperature and one clock.
  uint32_t memory_bus_bits = 0;
  double memory_bandwidth = 0;  // Byte per second.
  double idle_clock_hertz = 0;
  double media_clock_hertz = 0;       // NVIDIA's video clock.
  double link_bandwidth = 0;          // Of one NVLink or Xe Link, one way, byte per second.
  uint32_t idle_pcie_generation = 0;  // What the link falls to while idle; 0: it does not.
  uint64_t memory_reserved_bytes = 0;
  int compute_capability_major = 0;  // NVIDIA.
  int compute_capability_minor = 0;
  std::string_view xe_generation;  // Intel.
  std::string_view kernel_driver;
  std::string_view vbios_version;
  std::string_view firmware_version;
};

struct ModelFacts {
  CustomModel model;
  ModelTraits traits;
};

// The figures of a device's model, its name with "(simulated)" behind it. The device is in order (scenario_file.h).
ModelFacts FactsOf(const Device& device);

// Of one lane, one way, byte per second; generation 1 to 6.
double LaneBandwidth(uint32_t pcie_generation);

}  // namespace muster::sim

#endif  // MUSTER_TESTS_HARDWARE_SIM_MODELS_H_
