// How busy the engines are.
//
// An engine's counter is that of a group ("all copy engines") or of one engine; a group on the card speaks before
// groups on its tiles (their mean), those before single engines (the busiest). "gpu" is the group of all engines, and
// where the driver has none, the busiest of what it has.
#include "agent/telemetry/counter_rate.h"
#include "agent/telemetry/sysman_part.h"

namespace muster::agent {
namespace {

constexpr int kTileGroupRank = 1;
constexpr int kSingleRank = 2;
constexpr int kAnyRank = 3;

struct Kind {
  int type;
  bool group;
  // Labels that it speaks for; the second for want of a group.
  const char* name;
  const char* also;
};
// 14 is newer than the oldest headers.
constexpr Kind kKinds[] = {
    {ZES_ENGINE_GROUP_ALL, true, "gpu", nullptr},
    {ZES_ENGINE_GROUP_COMPUTE_ALL, true, "compute", nullptr},
    {ZES_ENGINE_GROUP_MEDIA_ALL, true, "media", nullptr},
    {ZES_ENGINE_GROUP_COPY_ALL, true, "copy", nullptr},
    {ZES_ENGINE_GROUP_RENDER_ALL, true, "render", nullptr},
    {ZES_ENGINE_GROUP_3D_RENDER_COMPUTE_ALL, true, nullptr, nullptr},
    {ZES_ENGINE_GROUP_COMPUTE_SINGLE, false, "compute", nullptr},
    {ZES_ENGINE_GROUP_RENDER_SINGLE, false, "render", nullptr},
    {ZES_ENGINE_GROUP_3D_SINGLE, false, "render", nullptr},
    {ZES_ENGINE_GROUP_3D_ALL, false, "render", nullptr},
    {ZES_ENGINE_GROUP_COPY_SINGLE, false, "copy", nullptr},
    {ZES_ENGINE_GROUP_MEDIA_DECODE_SINGLE, false, "decoder", "media"},
    {ZES_ENGINE_GROUP_MEDIA_ENCODE_SINGLE, false, "encoder", "media"},
    {ZES_ENGINE_GROUP_MEDIA_ENHANCEMENT_SINGLE, false, nullptr, "media"},
    {14 /* media codec */, false, nullptr, "media"},
};

const Kind* FindKind(int type) {
  for (const Kind& kind : kKinds) {
    if (kind.type == type) return &kind;
  }
  return nullptr;
}

// Seconds of a busy counter. Drivers count in microseconds or, newer ones, in ticks of a clock that they do not name:
// then the busy share of each turn is added up from the start.
class BusyTime {
 public:
  struct Reading {
    std::optional<double> ratio;
    double seconds = 0;
  };
  Reading Update(const zes_engine_stats_t& stats, int64_t now_us) {
    Reading reading;
    reading.ratio = rate_.Update(stats.activeTime, stats.timestamp);
    if (reading.ratio) reading.ratio = std::min(*reading.ratio, 1.0);
    if (started_ && now_us > now_us_ && stats.timestamp > timestamp_) {
      const double speed = static_cast<double>(stats.timestamp - timestamp_) / static_cast<double>(now_us - now_us_);
      if (speed < 0.5 || speed > 2) ticks_ = true;
    }
    if (started_ && reading.ratio) added_ += *reading.ratio * static_cast<double>(now_us - now_us_) / 1e6;
    reading.seconds = ticks_ ? added_ : static_cast<double>(stats.activeTime) / 1e6;
    started_ = true;
    timestamp_ = stats.timestamp;
    now_us_ = now_us;
    return reading;
  }

 private:
  CounterRate rate_;
  bool started_ = false;
  bool ticks_ = false;
  uint64_t timestamp_ = 0;
  int64_t now_us_ = 0;
  double added_ = 0;
};

class EnginePart final : public SysmanPart {
 public:
  explicit EnginePart(SysmanDevice& device) : SysmanPart(device, {v1::UTILIZATION, v1::ENGINE_ACTIVE_SECONDS}) {}

 private:
  struct Engine {
    zes_engine_handle_t handle = nullptr;
    const Kind* kind = nullptr;
    bool on_tile = false;
    BusyTime busy;
    SysmanMemo activity;
  };

  Missing Enumerate() override {
    engines_.clear();
    std::vector<zes_engine_handle_t> handles;
    if (Missing missing = device_.List(MUSTER_SYSMAN(device_, zesDeviceEnumEngineGroups), handles)) return missing;
    for (zes_engine_handle_t handle : handles) {
      zes_engine_properties_t properties = {};
      properties.stype = ZES_STRUCTURE_TYPE_ENGINE_PROPERTIES;
      SysmanMemo memo;
      const Missing missing = device_.Ask(memo, MUSTER_SYSMAN(device_, zesEngineGetProperties), handle, &properties);
      if (missing == v1::ABSENCE_UNSUPPORTED) continue;
      if (missing) return missing;
      const Kind* kind = FindKind(properties.type);
      if (kind == nullptr) continue;
      engines_.push_back({.handle = handle, .kind = kind, .on_tile = properties.onSubdevice != 0});
    }
    for (Engine& engine : engines_) ReadEngine(engine, nullptr);
    return engines_.empty() ? Missing(v1::ABSENCE_UNSUPPORTED) : std::nullopt;
  }

  void ReadParts(TileReadings& readings) override {
    for (Engine& engine : engines_) ReadEngine(engine, &readings);
  }

  void ReadEngine(Engine& engine, TileReadings* readings) {
    zes_engine_stats_t stats = {};
    Missing missing = device_.Ask(engine.activity, MUSTER_SYSMAN(device_, zesEngineGetActivity), engine.handle, &stats);
    if (!missing && stats.activeTime == UINT64_MAX) missing = v1::ABSENCE_UNSUPPORTED;
    BusyTime::Reading busy;
    if (!missing) busy = engine.busy.Update(stats, device_.now_us());
    if (readings == nullptr) return;
    const auto put = [&](int rank, const char* name, Combine combine) {
      if (missing || !busy.ratio) {
        readings->Absent(rank, v1::UTILIZATION, {name}, missing.value_or(v1::ABSENCE_FAILING));
      } else {
        readings->Value(rank, v1::UTILIZATION, {name}, combine, *busy.ratio);
      }
      if (missing) return readings->Absent(rank, v1::ENGINE_ACTIVE_SECONDS, {name}, *missing);
      readings->Value(rank, v1::ENGINE_ACTIVE_SECONDS, {name}, combine, busy.seconds);
    };
    const int rank = engine.kind->group ? (engine.on_tile ? kTileGroupRank : kCardRank) : kSingleRank;
    const Combine combine = engine.kind->group ? Combine::kMean : Combine::kMax;
    if (engine.kind->name != nullptr) put(rank, engine.kind->name, combine);
    if (engine.kind->also != nullptr) put(kSingleRank, engine.kind->also, Combine::kMax);
    put(kAnyRank, "gpu", Combine::kMax);
  }

  std::vector<Engine> engines_;
};

}  // namespace

std::unique_ptr<SysmanPart> MakeEnginePart(SysmanDevice& device) { return std::make_unique<EnginePart>(device); }

}  // namespace muster::agent
