// Device memory, its bandwidth, and the counters of errors (RAS).
#include "agent/telemetry/counter_rate.h"
#include "agent/telemetry/sysman_part.h"

namespace muster::agent {
namespace {

class MemoryPart final : public SysmanPart {
 public:
  explicit MemoryPart(SysmanDevice& device)
      : SysmanPart(device, {v1::MEMORY_SIZE, v1::MEMORY_USED, v1::MEMORY_FREE, v1::MEMORY_RESERVED,
                            v1::MEMORY_READ_BYTES, v1::MEMORY_WRITTEN_BYTES, v1::MEMORY_BANDWIDTH_MAX}) {}

 private:
  struct Module {
    zes_mem_handle_t handle = nullptr;
    int rank = kCardRank;
    uint64_t physical = 0;  // 0: not known.
    CounterRate traffic;
    SysmanMemo state;
    SysmanMemo bandwidth;
  };

  Missing Enumerate() override {
    modules_.clear();
    std::vector<zes_mem_handle_t> handles;
    if (Missing missing = device_.List(MUSTER_SYSMAN(device_, zesDeviceEnumMemoryModules), handles)) return missing;
    for (zes_mem_handle_t handle : handles) {
      zes_mem_properties_t properties = {};
      properties.stype = ZES_STRUCTURE_TYPE_MEM_PROPERTIES;
      SysmanMemo memo;
      const Missing missing = device_.Ask(memo, MUSTER_SYSMAN(device_, zesMemoryGetProperties), handle, &properties);
      if (missing == v1::ABSENCE_UNSUPPORTED) continue;
      if (missing) return missing;
      // What an integrated GPU calls its memory is the machine's.
      if (properties.location != ZES_MEM_LOC_DEVICE) continue;
      const bool known = properties.physicalSize != UINT64_MAX;
      modules_.push_back({.handle = handle,
                          .rank = properties.onSubdevice ? kTileRank : kCardRank,
                          .physical = known ? properties.physicalSize : 0});
    }
    for (Module& module : modules_) ReadBandwidth(module, nullptr);
    return modules_.empty() ? Missing(v1::ABSENCE_UNSUPPORTED) : std::nullopt;
  }

  void ReadParts(TileReadings& readings) override {
    for (Module& module : modules_) {
      ReadState(module, readings);
      ReadBandwidth(module, &readings);
    }
  }

  static void Put(const Module& module, TileReadings& readings, v1::TelemetryField field, uint64_t value,
                  Missing missing) {
    if (missing) return readings.Absent(module.rank, field, {}, *missing);
    readings.Value(module.rank, field, {}, Combine::kSum, static_cast<double>(value));
  }

  void ReadState(Module& module, TileReadings& readings) {
    zes_mem_state_t state = {};
    state.stype = ZES_STRUCTURE_TYPE_MEM_STATE;
    Missing missing = device_.Ask(module.state, MUSTER_SYSMAN(device_, zesMemoryGetState), module.handle, &state);
    if (!missing && (state.size == UINT64_MAX || state.free == UINT64_MAX)) missing = v1::ABSENCE_UNSUPPORTED;
    if (!missing && (state.size == 0 || state.free > state.size)) missing = v1::ABSENCE_FAILING;
    const bool physical = module.physical > 0;
    Put(module, readings, v1::MEMORY_SIZE, physical ? module.physical : state.size, physical ? std::nullopt : missing);
    Put(module, readings, v1::MEMORY_FREE, state.free, missing);
    Put(module, readings, v1::MEMORY_USED, state.size - state.free, missing);
    // What the driver never gives to a program.
    Missing no_reserved = missing;
    if (!missing && module.physical < state.size) no_reserved = v1::ABSENCE_UNSUPPORTED;
    Put(module, readings, v1::MEMORY_RESERVED, module.physical - state.size, no_reserved);
  }

  void ReadBandwidth(Module& module, TileReadings* readings) {
    zes_mem_bandwidth_t bandwidth = {};
    Missing missing =
        device_.Ask(module.bandwidth, MUSTER_SYSMAN(device_, zesMemoryGetBandwidth), module.handle, &bandwidth);
    if (!missing && (bandwidth.readCounter == UINT64_MAX || bandwidth.writeCounter == UINT64_MAX)) {
      missing = v1::ABSENCE_UNSUPPORTED;
    }
    std::optional<double> bytes_per_us;
    if (!missing) {
      bytes_per_us = module.traffic.Update(bandwidth.readCounter + bandwidth.writeCounter, bandwidth.timestamp);
    }
    if (readings == nullptr) return;
    Put(module, *readings, v1::MEMORY_READ_BYTES, bandwidth.readCounter, missing);
    Put(module, *readings, v1::MEMORY_WRITTEN_BYTES, bandwidth.writeCounter, missing);
    const bool known = !missing && bandwidth.maxBandwidth > 0 && bandwidth.maxBandwidth <= INT64_MAX;
    Put(module, *readings, v1::MEMORY_BANDWIDTH_MAX, bandwidth.maxBandwidth,
        known ? std::nullopt : Missing(missing.value_or(v1::ABSENCE_UNSUPPORTED)));
    if (known && bytes_per_us) {
      const double ratio = std::min(1.0, *bytes_per_us * 1e6 / static_cast<double>(bandwidth.maxBandwidth));
      readings->Value(module.rank, v1::UTILIZATION, {"memory"}, Combine::kMean, ratio);
    } else {
      const v1::Absence absence = known ? v1::ABSENCE_FAILING : v1::ABSENCE_UNSUPPORTED;
      readings->Absent(module.rank, v1::UTILIZATION, {"memory"}, missing.value_or(absence));
    }
  }

  std::vector<Module> modules_;
};

constexpr const char* kCategories[] = {"reset", "programming", "driver", "compute", "non_compute", "cache"};
// Of zesRasGetStateExp, from 7 on.
constexpr uint32_t kFirstExpCategory = 7;
constexpr const char* kExpCategories[] = {"memory", "scale", "l3_fabric"};

class RasPart final : public SysmanPart {
 public:
  explicit RasPart(SysmanDevice& device) : SysmanPart(device, {v1::RAS_ERRORS}) {}

 private:
  struct Set {
    zes_ras_handle_t handle = nullptr;
    std::string kind;
    int rank = kCardRank;
    SysmanMemo state;
    SysmanMemo state_exp;
  };

  Missing Enumerate() override {
    sets_.clear();
    std::vector<zes_ras_handle_t> handles;
    if (Missing missing = device_.List(MUSTER_SYSMAN(device_, zesDeviceEnumRasErrorSets), handles)) return missing;
    for (zes_ras_handle_t handle : handles) {
      zes_ras_properties_t properties = {};
      properties.stype = ZES_STRUCTURE_TYPE_RAS_PROPERTIES;
      SysmanMemo memo;
      const Missing missing = device_.Ask(memo, MUSTER_SYSMAN(device_, zesRasGetProperties), handle, &properties);
      if (missing == v1::ABSENCE_UNSUPPORTED) continue;
      if (missing) return missing;
      sets_.push_back({.handle = handle,
                       .kind = properties.type == ZES_RAS_ERROR_TYPE_CORRECTABLE ? "corrected" : "uncorrected",
                       .rank = properties.onSubdevice ? kTileRank : kCardRank});
    }
    return sets_.empty() ? Missing(v1::ABSENCE_UNSUPPORTED) : std::nullopt;
  }

  void ReadParts(TileReadings& readings) override {
    for (Set& set : sets_) {
      zes_ras_state_t state = {};
      state.stype = ZES_STRUCTURE_TYPE_RAS_STATE;
      // Never cleared: the counters are everybody's.
      const Missing missing = device_.Ask(set.state, MUSTER_SYSMAN(device_, zesRasGetState), set.handle, 0, &state);
      for (size_t i = 0; i < std::size(kCategories); ++i) {
        Put(set, readings, kCategories[i], state.category[i], missing);
      }
      ReadExp(set, readings);
    }
  }

  static void Put(const Set& set, TileReadings& readings, const char* category, uint64_t count, Missing missing) {
    const ReadingLabels labels = {set.kind, category};
    if (!missing && count == UINT64_MAX) missing = v1::ABSENCE_UNSUPPORTED;
    if (missing) return readings.Absent(set.rank, v1::RAS_ERRORS, labels, *missing);
    readings.Value(set.rank, v1::RAS_ERRORS, labels, Combine::kSum, static_cast<double>(count));
  }

  // Only some devices have these categories; what is not there is not mentioned.
  void ReadExp(Set& set, TileReadings& readings) {
    const auto ask = [&](uint32_t* count, SysmanRasStateExp* states) {
      return device_.Ask(set.state_exp, MUSTER_SYSMAN(device_, zesRasGetStateExp), set.handle, count, states);
    };
    uint32_t count = 0;
    if (ask(&count, nullptr) || count == 0) return;
    std::vector<SysmanRasStateExp> states(std::min(count, 64u));
    count = static_cast<uint32_t>(states.size());
    const Missing missing = ask(&count, states.data());
    if (missing) {
      for (const char* category : kExpCategories) Put(set, readings, category, 0, missing);
      return;
    }
    states.resize(std::min<size_t>(count, states.size()));
    for (const SysmanRasStateExp& state : states) {
      const uint32_t index = state.category - kFirstExpCategory;  // Wraps round for the others.
      if (index < std::size(kExpCategories)) {
        Put(set, readings, kExpCategories[index], state.error_counter, std::nullopt);
      }
    }
  }

  std::vector<Set> sets_;
};

}  // namespace

std::unique_ptr<SysmanPart> MakeMemoryPart(SysmanDevice& device) { return std::make_unique<MemoryPart>(device); }
std::unique_ptr<SysmanPart> MakeRasPart(SysmanDevice& device) { return std::make_unique<RasPart>(device); }

}  // namespace muster::agent
