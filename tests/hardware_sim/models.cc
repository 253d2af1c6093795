#include "tests/hardware_sim/models.h"

#include <algorithm>
#include <array>
#include <string>

namespace muster::sim {
namespace {

constexpr double kMega = 1e6;
constexpr double kGiga = 1e9;
constexpr uint64_t kMiB = uint64_t{1} << 20;

struct Row {
  Model model;
  const char* name;
  uint32_t vendor;
  uint32_t device;
  uint64_t memory_mib;
  double power_limit_watts;
  double idle_watts;
  double clock_max_mhz;
  double memory_clock_mhz;
  uint32_t pcie_generation;
  uint32_t pcie_lanes;
  uint32_t fans;
  uint32_t links;
  bool ecc;
  double throttle_celsius;
  double shutdown_celsius;
  ModelTraits traits;
};

// Intel publishes no temperature limits; those here are what its drivers are seen to say. NVIDIA's memory sizes are as
// nvidia-smi shows them.
constexpr Row kRows[] = {
    {ARC_A770,
     "Intel(R) Arc(TM) A770 Graphics",
     kIntel,
     0x56a0,
     16384,
     225,
     38,
     2400,
     2187.5,
     4,
     16,
     2,
     0,
     false,
     100,
     110,
     {.memory_bus_bits = 256,
      .memory_bandwidth = 560 * kGiga,
      .idle_clock_hertz = 300 * kMega,
      .media_clock_hertz = 1200 * kMega,
      .xe_generation = "Xe-HPG",
      .kernel_driver = "i915",
      .vbios_version = "20.0.1069",
      .firmware_version = "DG02_1.3268"}},
    {ARC_PRO_B60,
     "Intel(R) Arc(TM) Pro B60 Graphics",
     kIntel,
     0xe211,
     24576,
     200,
     30,
     2400,
     2375,
     5,
     8,
     1,
     0,
     true,
     100,
     110,
     {.memory_bus_bits = 192,
      .memory_bandwidth = 456 * kGiga,
      .idle_clock_hertz = 400 * kMega,
      .media_clock_hertz = 1200 * kMega,
      .xe_generation = "Xe2",
      .kernel_driver = "xe",
      .vbios_version = "23.0.1009",
      .firmware_version = "BMG__21.1147"}},
    {FLEX_170,
     "Intel(R) Data Center GPU Flex 170",
     kIntel,
     0x56c0,
     16384,
     150,
     34,
     2050,
     2250,
     4,
     16,
     0,
     0,
     true,
     100,
     110,
     {.memory_bus_bits = 256,
      .memory_bandwidth = 576 * kGiga,
      .idle_clock_hertz = 300 * kMega,
      .media_clock_hertz = 1000 * kMega,
      .xe_generation = "Xe-HPG",
      .kernel_driver = "i915",
      .vbios_version = "20.0.1015",
      .firmware_version = "DG02_2.2277"}},
    {MAX_1550,
     "Intel(R) Data Center GPU Max 1550",
     kIntel,
     0x0bd5,
     131072,
     600,
     150,
     1600,
     3200,
     5,
     16,
     0,
     16,
     true,
     105,
     118,
     {.hbm = true,
      .memory_bus_bits = 8192,
      .memory_bandwidth = 3276.8 * kGiga,
      .idle_clock_hertz = 900 * kMega,
      .media_clock_hertz = 1000 * kMega,
      .link_bandwidth = 26.5 * kGiga,
      .xe_generation = "Xe-HPC",
      .kernel_driver = "i915",
      .vbios_version = "18.0.1037",
      .firmware_version = "PVC2_1.23362"}},
    {H100,
     "NVIDIA H100 80GB HBM3",
     kNvidia,
     0x2330,
     81559,
     700,
     70,
     1980,
     2619,
     5,
     16,
     0,
     18,
     true,
     87,
     95,
     {.hbm = true,
      .memory_bus_bits = 5120,
      .idle_clock_hertz = 345 * kMega,
      .media_clock_hertz = 1545 * kMega,
      .link_bandwidth = 25 * kGiga,
      .memory_reserved_bytes = 551 * kMiB,
      .compute_capability_major = 9,
      .compute_capability_minor = 0,
      .kernel_driver = "nvidia",
      .vbios_version = "96.00.A5.00.01",
      .firmware_version = "G520.0200.00.05"}},
    {H200,
     "NVIDIA H200",
     kNvidia,
     0x2335,
     143771,
     700,
     75,
     1980,
     3201,
     5,
     16,
     0,
     18,
     true,
     87,
     95,
     {.hbm = true,
      .memory_bus_bits = 6144,
      .idle_clock_hertz = 345 * kMega,
      .media_clock_hertz = 1545 * kMega,
      .link_bandwidth = 25 * kGiga,
      .memory_reserved_bytes = 611 * kMiB,
      .compute_capability_major = 9,
      .compute_capability_minor = 0,
      .kernel_driver = "nvidia",
      .vbios_version = "96.00.BC.00.01",
      .firmware_version = "G525.0225.00.05"}},
    {L40S,
     "NVIDIA L40S",
     kNvidia,
     0x26b9,
     46068,
     350,
     33,
     2520,
     9001,
     4,
     16,
     0,
     0,
     true,
     88,
     97,
     {.memory_bus_bits = 384,
      .idle_clock_hertz = 210 * kMega,
      .media_clock_hertz = 1965 * kMega,
      .idle_pcie_generation = 1,
      .memory_reserved_bytes = 473 * kMiB,
      .compute_capability_major = 8,
      .compute_capability_minor = 9,
      .kernel_driver = "nvidia",
      .vbios_version = "95.02.66.00.01",
      .firmware_version = "G133.0242.00.03"}},
    {B200,
     "NVIDIA B200",
     kNvidia,
     0x2901,
     183359,
     1000,
     140,
     1965,
     3996,
     5,
     16,
     0,
     18,
     true,
     87,
     95,
     {.hbm = true,
      .memory_bus_bits = 8192,
      .idle_clock_hertz = 120 * kMega,
      .media_clock_hertz = 1965 * kMega,
      .link_bandwidth = 50 * kGiga,
      .memory_reserved_bytes = 1032 * kMiB,
      .compute_capability_major = 10,
      .compute_capability_minor = 0,
      .kernel_driver = "nvidia",
      .vbios_version = "97.00.88.00.0F",
      .firmware_version = "G548.0201.00.06"}},
};

CustomModel ModelOf(const Row& row) {
  CustomModel model;
  model.set_name(row.name);
  model.set_pci_vendor_id(row.vendor);
  model.set_pci_device_id(row.device);
  model.set_memory_bytes(row.memory_mib * kMiB);
  model.set_power_limit_watts(row.power_limit_watts);
  model.set_idle_watts(row.idle_watts);
  model.set_clock_max_hertz(row.clock_max_mhz * kMega);
  model.set_memory_clock_hertz(row.memory_clock_mhz * kMega);
  model.set_pcie_generation(row.pcie_generation);
  model.set_pcie_lanes(row.pcie_lanes);
  model.set_fans(row.fans);
  model.set_links(row.links);
  model.set_ecc(row.ecc);
  model.set_throttle_celsius(row.throttle_celsius);
  model.set_shutdown_celsius(row.shutdown_celsius);
  return model;
}

// A model of nobody's: a plain card of its vendor.
ModelTraits TraitsOf(const CustomModel& model) {
  ModelTraits traits = {.memory_bus_bits = 256,
                        .idle_clock_hertz = model.clock_max_hertz() / 8,
                        .media_clock_hertz = model.clock_max_hertz() / 2,
                        .link_bandwidth = 25 * kGiga,
                        .vbios_version = "1.0",
                        .firmware_version = "1.0"};
  if (model.pci_vendor_id() == kNvidia) {
    traits.compute_capability_major = 9;
    traits.kernel_driver = "nvidia";
    traits.memory_reserved_bytes = std::min(256 * kMiB, model.memory_bytes() / 16);
  } else {
    traits.xe_generation = "Xe2";
    traits.kernel_driver = "xe";
  }
  return traits;
}

}  // namespace

ModelFacts FactsOf(const Device& device) {
  ModelFacts facts;
  for (const Row& row : kRows) {
    if (row.model == device.model()) facts = {ModelOf(row), row.traits};
  }
  if (device.model() == CUSTOM) facts = {device.custom(), TraitsOf(device.custom())};
  // Two bits a clock on every pin.
  const double pins = facts.traits.memory_bus_bits / 8.0 * 2;
  if (facts.traits.memory_bandwidth == 0) facts.traits.memory_bandwidth = pins * facts.model.memory_clock_hertz();
  facts.model.set_name(facts.model.name() + " (simulated)");
  return facts;
}

double LaneBandwidth(uint32_t pcie_generation) {
  constexpr std::array<double, 7> kBandwidth = {0, 0.25e9, 0.5e9, 0.985e9, 1.969e9, 3.938e9, 7.563e9};
  return kBandwidth[std::min<size_t>(pcie_generation, kBandwidth.size() - 1)];
}

}  // namespace muster::sim
