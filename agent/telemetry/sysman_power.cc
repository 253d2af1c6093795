// Power, energy and limits.
//
// Sysman gives energy, not power: power is what the counter gained between two turns, divided by its own time stamps.
#include <array>

#include "agent/telemetry/counter_rate.h"
#include "agent/telemetry/sysman_part.h"

namespace muster::agent {
namespace {

// Newer than the oldest headers.
constexpr int kDomainMemory = 4;
constexpr int kDomainGpu = 5;

// More is a counter that jumped.
constexpr double kMaxWatts = 10'000;

// Between the card and its tiles.
constexpr int kPackageRank = 1;

constexpr uint32_t kMaxLimits = 16;

class PowerPart final : public SysmanPart {
 public:
  explicit PowerPart(SysmanDevice& device) : SysmanPart(device, {v1::POWER, v1::POWER_LIMIT, v1::ENERGY}) {}

 private:
  struct Domain {
    zes_pwr_handle_t handle = nullptr;
    std::string name;  // As the field's label.
    int rank = kCardRank;
    int limit_rank = kCardRank;
    int32_t default_mw = -1;
    int32_t minimum_mw = -1;
    int32_t maximum_mw = -1;
    CounterRate watts;
    SysmanMemo energy;
    SysmanMemo limits;
    SysmanMemo limits_ext;
  };

  static void Name(int kind, bool on_tile, Domain& domain) {
    domain.rank = on_tile ? kTileRank : kCardRank;
    domain.name = on_tile || kind == ZES_POWER_DOMAIN_PACKAGE || kind == ZES_POWER_DOMAIN_STACK || kind == kDomainGpu
                      ? "gpu"
                      : "card";
    if (kind == kDomainMemory) domain.name = "memory";
    domain.limit_rank = on_tile ? kTileRank : domain.name == "card" ? kCardRank : kPackageRank;
  }

  Missing Enumerate() override {
    domains_.clear();
    std::vector<zes_pwr_handle_t> handles;
    if (Missing missing = device_.List(MUSTER_SYSMAN(device_, zesDeviceEnumPowerDomains), handles)) return missing;
    for (zes_pwr_handle_t handle : handles) {
      zes_power_ext_properties_t ext = {};
      ext.stype = ZES_STRUCTURE_TYPE_POWER_EXT_PROPERTIES;
      zes_power_limit_ext_desc_t default_limit = {};
      default_limit.stype = ZES_STRUCTURE_TYPE_POWER_LIMIT_EXT_DESC;
      ext.defaultLimit = &default_limit;
      zes_power_properties_t properties = {};
      properties.stype = ZES_STRUCTURE_TYPE_POWER_PROPERTIES;
      properties.pNext = &ext;
      SysmanMemo memo;
      const Missing missing = device_.Ask(memo, MUSTER_SYSMAN(device_, zesPowerGetProperties), handle, &properties);
      if (missing == v1::ABSENCE_UNSUPPORTED) continue;
      if (missing) return missing;
      Domain domain = {.handle = handle,
                       .default_mw = properties.defaultLimit,
                       .minimum_mw = properties.minLimit,
                       .maximum_mw = properties.maxLimit};
      if (default_limit.limitUnit == ZES_LIMIT_UNIT_POWER && default_limit.limit > 0) {
        domain.default_mw = default_limit.limit;
      }
      Name(ext.domain, properties.onSubdevice, domain);
      if (IsNew(domain)) domains_.push_back(domain);
    }
    for (Domain& domain : domains_) ReadEnergy(domain, nullptr);
    return domains_.empty() ? Missing(v1::ABSENCE_UNSUPPORTED) : std::nullopt;
  }

  // Two handles for the same place (package and GPU) are not added up.
  bool IsNew(const Domain& domain) const {
    return domain.rank == kTileRank || std::none_of(domains_.begin(), domains_.end(), [&](const Domain& other) {
             return other.rank == domain.rank && other.name == domain.name;
           });
  }

  void ReadParts(TileReadings& readings) override {
    for (Domain& domain : domains_) {
      ReadEnergy(domain, &readings);
      ReadLimits(domain, readings);
    }
  }

  void ReadEnergy(Domain& domain, TileReadings* readings) {
    zes_power_energy_counter_t counter = {};
    const Missing missing =
        device_.Ask(domain.energy, MUSTER_SYSMAN(device_, zesPowerGetEnergyCounter), domain.handle, &counter);
    // Microjoules by microseconds.
    double watts = -1;  // Not known.
    if (!missing) watts = domain.watts.Update(counter.energy, counter.timestamp).value_or(-1);
    if (readings == nullptr) return;
    const ReadingLabels labels = {domain.name};
    if (missing || counter.energy == UINT64_MAX) {
      for (const auto field : {v1::POWER, v1::ENERGY}) {
        readings->Absent(domain.rank, field, labels, missing.value_or(v1::ABSENCE_UNSUPPORTED));
      }
      return;
    }
    readings->Value(domain.rank, v1::ENERGY, labels, Combine::kSum, static_cast<double>(counter.energy) / 1e6);
    if (watts >= 0 && watts <= kMaxWatts) {
      readings->Value(domain.rank, v1::POWER, labels, Combine::kSum, watts);
    } else {
      readings->Absent(domain.rank, v1::POWER, labels, v1::ABSENCE_FAILING);
    }
  }

  // In milliwatts, by kind; those that the domain has.
  struct Limits {
    std::array<int32_t, 3> mw = {-1, -1, -1};  // sustained, burst, peak
    Missing missing;
  };

  void ReadLimits(Domain& domain, TileReadings& readings) {
    if (domain.name == "memory") return;
    Limits limits;
    limits.missing = LimitsExt(domain, limits);
    if (limits.missing) limits.missing = OldLimits(domain, limits);
    PutLimit(domain, readings, "enforced", limits.mw[0], limits.missing);
    PutLimit(domain, readings, "default", domain.default_mw, std::nullopt);
    PutLimit(domain, readings, "minimum", domain.minimum_mw, std::nullopt);
    PutLimit(domain, readings, "maximum", domain.maximum_mw, std::nullopt);
    if (limits.mw[1] > 0) PutLimit(domain, readings, "burst", limits.mw[1], std::nullopt);
    if (limits.mw[2] > 0) PutLimit(domain, readings, "peak", limits.mw[2], std::nullopt);
  }

  static void PutLimit(const Domain& domain, TileReadings& readings, const char* kind, int32_t mw, Missing missing) {
    if (mw > 0) {
      readings.Value(domain.limit_rank, v1::POWER_LIMIT, {kind}, Combine::kSum, mw / 1000.0);
    } else {
      readings.Absent(domain.limit_rank, v1::POWER_LIMIT, {kind}, missing.value_or(v1::ABSENCE_UNSUPPORTED));
    }
  }

  Missing LimitsExt(Domain& domain, Limits& limits) {
    uint32_t count = 0;
    const auto ask = [&](zes_power_limit_ext_desc_t* descriptions) {
      return device_.Ask(domain.limits_ext, MUSTER_SYSMAN(device_, zesPowerGetLimitsExt), domain.handle, &count,
                         descriptions);
    };
    if (const Missing missing = ask(nullptr)) return missing;
    if (count == 0) return v1::ABSENCE_UNSUPPORTED;
    zes_power_limit_ext_desc_t empty = {};
    empty.stype = ZES_STRUCTURE_TYPE_POWER_LIMIT_EXT_DESC;
    std::vector<zes_power_limit_ext_desc_t> all(std::min(count, kMaxLimits), empty);
    count = static_cast<uint32_t>(all.size());
    if (const Missing missing = ask(all.data())) return missing;
    for (const zes_power_limit_ext_desc_t& one : all) {
      // A limit in amperes, one that is ignored, and one for the battery are none here.
      if (one.limitUnit != ZES_LIMIT_UNIT_POWER || !one.enabled || one.source == ZES_POWER_SOURCE_BATTERY) continue;
      if (one.level == ZES_POWER_LEVEL_SUSTAINED) limits.mw[0] = one.limit;
      if (one.level == ZES_POWER_LEVEL_BURST) limits.mw[1] = one.limit;
      if (one.level == ZES_POWER_LEVEL_PEAK) limits.mw[2] = one.limit;
    }
    return std::nullopt;
  }

  Missing OldLimits(Domain& domain, Limits& limits) {
    zes_power_sustained_limit_t sustained = {};
    zes_power_burst_limit_t burst = {};
    zes_power_peak_limit_t peak = {};
    if (Missing missing = device_.Ask(domain.limits, MUSTER_SYSMAN(device_, zesPowerGetLimits), domain.handle,
                                      &sustained, &burst, &peak)) {
      return missing;
    }
    if (sustained.enabled) limits.mw[0] = sustained.power;
    if (burst.enabled) limits.mw[1] = burst.power;
    limits.mw[2] = peak.powerAC;
    return std::nullopt;
  }

  std::vector<Domain> domains_;
};

}  // namespace

std::unique_ptr<SysmanPart> MakePowerPart(SysmanDevice& device) { return std::make_unique<PowerPart>(device); }

}  // namespace muster::agent
