// Which fields and labels a device has: those that its vendor's library gives for such a card.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "tests/hardware_sim/readings.h"

namespace muster::sim {
namespace {

// Every combination of one value of each list.
std::vector<Labels> Product(const std::vector<Labels>& lists) {
  std::vector<Labels> product = {{}};
  for (const Labels& list : lists) {
    std::vector<Labels> longer;
    for (const Labels& prefix : product) {
      for (const std::string& value : list) {
        longer.push_back(prefix);
        longer.back().push_back(value);
      }
    }
    product = std::move(longer);
  }
  return product;
}

Labels Numbers(uint32_t count) {
  Labels numbers;
  for (uint32_t i = 0; i < count; ++i) numbers.push_back(absl::StrCat(i));
  return numbers;
}

void AddMissing(const std::vector<std::string>& values, Labels& to) {
  for (const std::string& value : values) {
    if (std::find(to.begin(), to.end(), value) == to.end()) to.push_back(value);
  }
}

const Labels kKinds = {"corrected", "uncorrected"};
const Labels kDirections = {"receive", "transmit"};

std::vector<Labels> Nvidia(v1::TelemetryField field, const Device& device, const DeviceFacts& facts) {
  const CustomModel& model = facts.model;
  const std::vector<Labels> with_ecc = model.ecc() ? std::vector<Labels>{{}} : std::vector<Labels>();
  switch (field) {
    case v1::TEMPERATURE:
      return Product({facts.traits.hbm ? Labels{"core", "memory"} : Labels{"core"}});
    case v1::TEMPERATURE_LIMIT:
      return Product({facts.traits.hbm ? Labels{"throttle", "slowdown", "shutdown", "memory_throttle"}
                                       : Labels{"throttle", "slowdown", "shutdown"}});
    case v1::POWER:
    case v1::ENERGY:
      return Product({{"card"}});
    case v1::POWER_LIMIT:
      return Product({{"enforced", "default", "minimum", "maximum"}});
    case v1::CLOCK:
    case v1::CLOCK_MAX:
      return Product({{"graphics", "sm", "memory", "video"}});
    case v1::THROTTLED:
      return Product({{"power", "thermal", "hw_slowdown", "hw_thermal", "hw_power_brake", "sync_boost", "current",
                       "idle", "setting"}});
    case v1::THROTTLE_SECONDS:
      return Product({{"power", "thermal", "hw_thermal", "hw_power_brake", "sync_boost"}});
    case v1::UTILIZATION:
      return Product({{"gpu", "memory", "encoder", "decoder", "jpeg", "ofa"}});
    case v1::MEMORY_RESERVED:
    case v1::MEMORY_BANDWIDTH_MAX:
    case v1::PERFORMANCE_STATE:
      return {{}};
    case v1::PCIE_THROUGHPUT:
      return Product({kDirections});
    case v1::PCIE_BYTES:
      return facts.traits.compute_capability_major >= 9 ? Product({kDirections}) : std::vector<Labels>();
    case v1::ECC_ERRORS: {
      if (!model.ecc()) return {};
      Labels locations = {"total", "dram", "sram"};
      AddMissing(MemoryErrorLocations(device), locations);
      return Product({kKinds, locations, {"volatile", "aggregate"}});
    }
    case v1::ROW_REMAPS:
      return model.ecc() ? Product({kKinds}) : std::vector<Labels>();
    case v1::ROW_REMAP_PENDING:
    case v1::ROW_REMAP_FAILED:
      return with_ecc;
    case v1::LINK_ERRORS:
      return Product({Numbers(model.links()), {"crc_flit", "crc_data", "replay", "recovery", "ecc"}});
    case v1::FAN_SPEED_RATIO:
      return Product({Numbers(model.fans())});
    default:
      return {};
  }
}

std::vector<Labels> Intel(v1::TelemetryField field, const Device& device, const DeviceFacts& facts) {
  const CustomModel& model = facts.model;
  switch (field) {
    case v1::TEMPERATURE:
      return Product({{"core", "memory"}});
    case v1::TEMPERATURE_LIMIT:
      return Product({{"throttle", "shutdown"}});
    case v1::POWER:
    case v1::ENERGY:
      return Product({facts.traits.hbm ? Labels{"card", "gpu", "memory"} : Labels{"card", "gpu"}});
    case v1::POWER_LIMIT:
      return Product({{"enforced", "default", "maximum"}});
    case v1::CLOCK:
    case v1::CLOCK_MAX:
      return Product({{"graphics", "memory", "media"}});
    case v1::THROTTLED:
      return Product({{"power", "thermal", "current", "hw_power_brake", "setting", "other"}});
    case v1::UTILIZATION:
    case v1::ENGINE_ACTIVE_SECONDS:
      return Product({{"gpu", "compute", "copy", "render", "media"}});
    case v1::MEMORY_READ_BYTES:
    case v1::MEMORY_WRITTEN_BYTES:
    case v1::MEMORY_BANDWIDTH_MAX:
    case v1::WEDGED:
      return {{}};
    case v1::PCIE_BYTES:
      return Product({kDirections});
    case v1::RAS_ERRORS: {
      if (!model.ecc()) return {};
      Labels categories = {"reset", "programming", "driver", "compute", "non_compute", "cache", "memory"};
      std::vector<std::string> named = MemoryErrorLocations(device);
      for (std::string& location : named) location = RasCategory(location);
      AddMissing(named, categories);
      return Product({kKinds, categories});
    }
    case v1::LINK_ERRORS:
      return Product({Numbers(model.links()), {"fw_error", "fw_comm_error", "flap"}});
    default:
      return {};
  }
}

}  // namespace

std::vector<Labels> Readings::OwnLabelsOf(v1::TelemetryField field) const {
  const CustomModel& model = facts_.model;
  switch (field) {
    case v1::MEMORY_SIZE:
    case v1::MEMORY_USED:
    case v1::MEMORY_FREE:
    case v1::PCIE_LINK_GENERATION:
    case v1::PCIE_LINK_GENERATION_MAX:
    case v1::PCIE_LINK_LANES:
    case v1::PCIE_LINK_LANES_MAX:
    case v1::PCIE_REPLAYS:
      return {{}};
    case v1::LINK_UP:
    case v1::LINK_BANDWIDTH:
      return Product({Numbers(model.links())});
    case v1::LINK_BYTES:
      return Product({Numbers(model.links()), kDirections});
    case v1::FAN_SPEED_RPM:
      return Product({Numbers(model.fans())});
    case v1::PROCESSES:
      return Product({{"compute", "graphics"}});
    default:
      return IsNvidia() ? Nvidia(field, scenario_, facts_) : Intel(field, scenario_, facts_);
  }
}

}  // namespace muster::sim
