#include "agent/telemetry/drm_sampler.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <set>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "agent/telemetry/intel_fields.h"
#include "agent/telemetry/tile_readings.h"
#include "base/clean_text.h"
#include "base/pci.h"

namespace muster::agent {
namespace {

constexpr size_t kMaxNames = 512;

// Between the card and its tiles.
constexpr int kPackageRank = 1;

v1::Absence AbsenceOf(const absl::Status& status) {
  if (absl::IsNotFound(status)) return v1::ABSENCE_UNSUPPORTED;
  if (absl::IsPermissionDenied(status)) return v1::ABSENCE_NOT_PERMITTED;
  return v1::ABSENCE_FAILING;
}

// A GT of the card: the part of it that has a clock of its own.
struct Gt {
  std::string act_freq;
  std::string max_freq;
  std::string reasons;  // Path up to the reason's name.
  std::string status;
  const char* domain = "graphics";
};

struct ThrottleReason {
  const char* name;
  std::vector<const char*> files;
};
const std::vector<ThrottleReason>& ThrottleReasons() {
  static const auto& reasons = *new std::vector<ThrottleReason>{
      {"power", {"pl1", "pl2", "psys_pl1", "psys_pl2"}},
      {"thermal",
       {"thermal", "prochot", "ratl", "vr_thermalert", "soc_thermal", "mem_thermal", "vr_thermal", "soc_avg_thermal"}},
      {"current", {"pl4", "vr_tdc", "iccmax", "fastvmode", "psys_crit"}},
  };
  return reasons;
}

// One turn on one device.
class DrmTurn {
 public:
  DrmTurn(const base::RootFolder& root, const DrmSampler::ReadLine& read_line, const std::string& address,
          const ReadingSet& known)
      : root_(root), read_line_(read_line), known_(known), folder_(absl::StrCat("/sys/bus/pci/devices/", address)) {
    driver_ = std::filesystem::path(root.ReadLink(folder_ + "/driver")).filename().string();
    card_ = FindCard();
    hwmon_ = FindHwmon();
    for (const std::string& name : Names(hwmon_)) hwmon_files_.insert(name);
  }

  void ReadAll(std::map<std::string, CounterRate>& energies, int64_t now_us) {
    ReadLink();
    for (const Gt& gt : Gts()) {
      Put(kCardRank, v1::CLOCK, {gt.domain}, gt.act_freq, 1e6);
      Put(kCardRank, v1::CLOCK_MAX, {gt.domain}, gt.max_freq, 1e6);
      if (absl::string_view(gt.domain) == "graphics") ReadThrottle(gt);
    }
    ReadEnergy(energies, now_us);
    ReadPowerLimits();
    ReadTemperatures();
    ReadFans();
    ReadMemory();
  }

  void ReadEnergy(std::map<std::string, CounterRate>& energies, int64_t now_us) {
    for (int i = 1; i <= 8; ++i) {
      const std::string file = absl::StrCat("energy", i, "_input");
      if (hwmon_files_.count(file) == 0) continue;
      const std::string domain = Domain(absl::StrCat("energy", i, "_label"), i);
      if (domain.empty() || (Known(v1::ENERGY, {domain}) && Known(v1::POWER, {domain}))) continue;
      const absl::StatusOr<double> microjoules = Number(absl::StrCat(hwmon_, "/", file));
      if (!microjoules.ok() || *microjoules < 0) {
        const v1::Absence absence = microjoules.ok() ? v1::ABSENCE_FAILING : AbsenceOf(microjoules.status());
        readings_.Absent(kCardRank, v1::ENERGY, {domain}, absence);
        readings_.Absent(kCardRank, v1::POWER, {domain}, absence);
        continue;
      }
      readings_.Value(kCardRank, v1::ENERGY, {domain}, Combine::kMax, *microjoules / 1e6);
      const auto watts = energies[domain].Update(static_cast<uint64_t>(*microjoules), static_cast<uint64_t>(now_us));
      if (watts && *watts < 10'000) {
        readings_.Value(kCardRank, v1::POWER, {domain}, Combine::kMax, *watts);
      } else {
        readings_.Absent(kCardRank, v1::POWER, {domain}, v1::ABSENCE_FAILING);
      }
    }
  }

  ReadingSet Combined() const { return readings_.Combined(); }

 private:
  std::vector<std::string> Names(const std::string& folder) const {
    if (folder.empty()) return {};
    return root_.List(folder, kMaxNames).value_or(std::vector<std::string>());
  }

  // Names in `folder` of `prefix` and a number, in the order of the numbers.
  std::vector<std::string> Numbered(const std::string& folder, absl::string_view prefix) const {
    std::vector<std::pair<uint64_t, std::string>> found;
    for (const std::string& name : Names(folder)) {
      absl::string_view rest = name;
      if (!absl::ConsumePrefix(&rest, prefix)) continue;
      if (const auto number = base::ParseNumber(rest)) found.emplace_back(*number, name);
    }
    std::sort(found.begin(), found.end());
    std::vector<std::string> names;
    for (const auto& [number, name] : found) names.push_back(name);
    return names;
  }

  std::string FindCard() const {
    const std::vector<std::string> cards = Numbered(folder_ + "/drm", "card");
    return cards.empty() ? std::string() : absl::StrCat(folder_, "/drm/", cards.front());
  }

  // The one of the whole device: i915 has others, "i915_gt0", for its GTs.
  std::string FindHwmon() const {
    for (const std::string& name : Numbered(folder_ + "/hwmon", "hwmon")) {
      const std::string folder = absl::StrCat(folder_, "/hwmon/", name);
      if (root_.ReadLine(folder + "/name") == driver_) return folder;
    }
    return std::string();
  }

  bool Known(v1::TelemetryField field, const ReadingLabels& labels) const { return known_.HasValue(field, labels); }

  absl::StatusOr<double> Number(const std::string& path) const {
    const absl::StatusOr<std::string> text = read_line_(path);
    if (!text.ok()) return text.status();
    int64_t number = 0;
    if (!absl::SimpleAtoi(*text, &number) || number < -1'000'000) {
      return absl::DataLossError(absl::StrCat("expected a number in ", path, ", found \"", *text, "\""));
    }
    return static_cast<double>(number);
  }

  void Put(int rank, v1::TelemetryField field, const ReadingLabels& labels, const std::string& path, double scale) {
    if (Known(field, labels)) return;
    const absl::StatusOr<double> number = Number(path);
    if (!number.ok()) {
      readings_.Absent(rank, field, labels, AbsenceOf(number.status()));
    } else if (*number < 0) {
      readings_.Absent(rank, field, labels, v1::ABSENCE_FAILING);
    } else {
      readings_.Value(rank, field, labels, Combine::kMax, *number * scale);
    }
  }

  void ReadLink() {
    const v1::PciLink link = base::ReadPciLink(root_, folder_, base::kPciVendorIntel);
    const auto put = [&](v1::TelemetryField field, bool has, uint32_t value) {
      if (has) return readings_.Value(kCardRank, field, {}, Combine::kMax, value);
      readings_.Absent(kCardRank, field, {}, v1::ABSENCE_UNSUPPORTED);
    };
    put(v1::PCIE_LINK_GENERATION, link.has_generation(), link.generation());
    put(v1::PCIE_LINK_GENERATION_MAX, link.has_max_generation(), link.max_generation());
    put(v1::PCIE_LINK_LANES, link.has_width(), link.width());
    put(v1::PCIE_LINK_LANES_MAX, link.has_max_width(), link.max_width());
  }

  std::vector<Gt> Gts() const {
    std::vector<Gt> gts;
    if (driver_ == "xe") {
      for (const std::string& tile : Numbered(folder_, "tile")) {
        const std::string tile_folder = absl::StrCat(folder_, "/", tile);
        bool first = true;  // The others of a tile are media GTs.
        for (const std::string& name : Numbered(tile_folder, "gt")) {
          const std::string freq = absl::StrCat(tile_folder, "/", name, "/freq0");
          gts.push_back({.act_freq = freq + "/act_freq",
                         .max_freq = freq + "/rp0_freq",
                         .reasons = freq + "/throttle/reason_",
                         .status = freq + "/throttle/status",
                         .domain = first ? "graphics" : "media"});
          first = false;
        }
      }
      return gts;
    }
    if (card_.empty()) return gts;
    for (const std::string& name : Numbered(card_ + "/gt", "gt")) {
      const std::string gt = absl::StrCat(card_, "/gt/", name);
      gts.push_back({.act_freq = gt + "/rps_act_freq_mhz",
                     .max_freq = gt + "/rps_RP0_freq_mhz",
                     .reasons = gt + "/throttle_reason_",
                     .status = gt + "/throttle_reason_status"});
    }
    // Kernels before 5.18.
    if (gts.empty()) {
      gts.push_back({.act_freq = card_ + "/gt_act_freq_mhz",
                     .max_freq = card_ + "/gt_RP0_freq_mhz",
                     .reasons = card_ + "/throttle_reason_",
                     .status = card_ + "/throttle_reason_status"});
    }
    return gts;
  }

  void ReadThrottle(const Gt& gt) {
    if (Known(v1::THROTTLED, {"power"})) return;
    const absl::StatusOr<double> status = Number(gt.status);
    bool explained = false;
    for (const ThrottleReason& reason : ThrottleReasons()) {
      if (status.ok() && *status == 0) {
        readings_.Value(kCardRank, v1::THROTTLED, {reason.name}, Combine::kMax, 0);
        continue;
      }
      if (!status.ok()) {
        readings_.Absent(kCardRank, v1::THROTTLED, {reason.name}, AbsenceOf(status.status()));
        continue;
      }
      bool held = false;
      for (const char* file : reason.files) held = held || Number(gt.reasons + file).value_or(0) > 0;
      explained = explained || held;
      readings_.Value(kCardRank, v1::THROTTLED, {reason.name}, Combine::kMax, held ? 1 : 0);
    }
    if (!status.ok()) return readings_.Absent(kCardRank, v1::THROTTLED, {"other"}, AbsenceOf(status.status()));
    readings_.Value(kCardRank, v1::THROTTLED, {"other"}, Combine::kMax, *status > 0 && !explained ? 1 : 0);
  }

  // What a channel of hwmon measures, by its label, else by its number. Empty: none of what is read.
  std::string Domain(const std::string& label_file, int number) const {
    const std::string label = hwmon_files_.count(label_file) > 0 ? root_.ReadLine(hwmon_ + "/" + label_file) : "";
    if (label == "card" || (label.empty() && number == 1)) return "card";
    if (label == "pkg" || (label.empty() && number == 2)) return "gpu";
    if (label == "vram" || (label.empty() && number == 3)) return "memory";
    return std::string();
  }

  // The card's channel is number 1, the package's 2. A limit of 0 is switched off.
  void ReadPowerLimits() {
    struct Limit {
      const char* file;
      const char* kind;
    };
    static constexpr Limit kLimits[] = {
        {"max", "enforced"}, {"rated_max", "default"}, {"cap", "burst"}, {"crit", "peak"}};
    for (const Limit& limit : kLimits) {
      if (Known(v1::POWER_LIMIT, {limit.kind})) continue;
      for (int i = 1; i <= 2; ++i) {
        const std::string file = absl::StrCat("power", i, "_", limit.file);
        if (hwmon_files_.count(file) == 0) continue;
        const int rank = i == 1 ? kCardRank : kPackageRank;
        const absl::StatusOr<double> microwatts = Number(absl::StrCat(hwmon_, "/", file));
        if (!microwatts.ok() || *microwatts <= 0) {
          const v1::Absence absence = microwatts.ok() ? v1::ABSENCE_UNSUPPORTED : AbsenceOf(microwatts.status());
          readings_.Absent(rank, v1::POWER_LIMIT, {limit.kind}, absence);
        } else {
          readings_.Value(rank, v1::POWER_LIMIT, {limit.kind}, Combine::kMax, *microwatts / 1e6);
        }
      }
    }
  }

  void ReadTemperatures() {
    for (int i = 1; i <= 8; ++i) {
      const std::string prefix = absl::StrCat("temp", i, "_");
      if (hwmon_files_.count(prefix + "input") == 0) continue;
      std::string domain = Domain(prefix + "label", i);
      if (domain == "card" && hwmon_files_.count(prefix + "label") == 0) domain = "gpu";  // i915's only one.
      if (domain.empty()) continue;
      const bool memory = domain == "memory";
      PutTemperature(v1::TEMPERATURE, {memory ? "memory" : domain == "gpu" ? "core" : "board"}, prefix + "input");
      if (domain == "card") continue;
      if (hwmon_files_.count(prefix + "max") > 0 && !memory) {
        PutTemperature(v1::TEMPERATURE_LIMIT, {"throttle"}, prefix + "max");
      }
      if (hwmon_files_.count(prefix + "crit") > 0) {
        PutTemperature(v1::TEMPERATURE_LIMIT, {memory ? "memory_throttle" : "slowdown"}, prefix + "crit");
      }
      if (hwmon_files_.count(prefix + "emergency") > 0 && !memory) {
        PutTemperature(v1::TEMPERATURE_LIMIT, {"shutdown"}, prefix + "emergency");
      }
    }
  }

  // In thousandths; the cold is no sentinel here.
  void PutTemperature(v1::TelemetryField field, const ReadingLabels& labels, const std::string& file) {
    if (Known(field, labels)) return;
    const absl::StatusOr<double> number = Number(absl::StrCat(hwmon_, "/", file));
    if (!number.ok()) return readings_.Absent(kCardRank, field, labels, AbsenceOf(number.status()));
    const double celsius = *number / 1000;
    if (celsius < -40 || celsius > 150) return readings_.Absent(kCardRank, field, labels, v1::ABSENCE_FAILING);
    readings_.Value(kCardRank, field, labels, Combine::kMax, celsius);
  }

  void ReadFans() {
    for (int i = 1; i <= 8; ++i) {
      const std::string file = absl::StrCat("fan", i, "_input");
      if (hwmon_files_.count(file) == 0) continue;
      Put(kCardRank, v1::FAN_SPEED_RPM, {absl::StrCat(i - 1)}, absl::StrCat(hwmon_, "/", file), 1);
    }
  }

  // xe says how much each tile has; Intel's own builds of i915 how much is free, too.
  void ReadMemory() {
    if (Known(v1::MEMORY_SIZE, {})) return;
    for (const std::string& tile : Numbered(folder_, "tile")) {
      const absl::StatusOr<std::string> text =
          read_line_(absl::StrCat(folder_, "/", tile, "/physical_vram_size_bytes"));
      if (!text.ok()) {
        readings_.Absent(kTileRank, v1::MEMORY_SIZE, {}, AbsenceOf(text.status()));
      } else if (const auto bytes = base::ParseNumber(*text, absl::StartsWith(*text, "0x") ? 16 : 10)) {
        readings_.Value(kTileRank, v1::MEMORY_SIZE, {}, Combine::kSum, static_cast<double>(*bytes));
      } else {
        readings_.Absent(kTileRank, v1::MEMORY_SIZE, {}, v1::ABSENCE_FAILING);
      }
    }
    if (card_.empty() || driver_ == "xe") return;
    Put(kCardRank, v1::MEMORY_SIZE, {}, card_ + "/lmem_total_bytes", 1);
    Put(kCardRank, v1::MEMORY_FREE, {}, card_ + "/lmem_avail_bytes", 1);
    const ReadingSet so_far = readings_.Combined();
    const ReadingSet::Entry* size = so_far.Find(v1::MEMORY_SIZE, {});
    const ReadingSet::Entry* free = so_far.Find(v1::MEMORY_FREE, {});
    if (size != nullptr && free != nullptr && size->value && free->value && *size->value >= *free->value) {
      readings_.Value(kCardRank, v1::MEMORY_USED, {}, Combine::kMax, *size->value - *free->value);
    }
  }

  const base::RootFolder& root_;
  const DrmSampler::ReadLine& read_line_;
  const ReadingSet& known_;
  const std::string folder_;
  std::string driver_;
  std::string card_;
  std::string hwmon_;
  std::set<std::string> hwmon_files_;
  TileReadings readings_;
};

}  // namespace

DrmSampler::DrmSampler(const base::RootFolder& root, CallMarker& marker, std::function<int64_t()> now_us,
                       ReadLine read_line)
    : root_(root),
      marker_(marker),
      now_us_(std::move(now_us)),
      read_line_(read_line ? std::move(read_line)
                           : [&root](const std::string& path) { return root.TryReadLine(path); }) {}

bool DrmSampler::Prepare(const std::string& pci_address) {
  if (energies_.count(pci_address) > 0) return false;
  auto& energies = energies_[pci_address];
  marker_.Enter(pci_address, "read /sys");
  DrmTurn(root_, read_line_, pci_address, ReadingSet()).ReadEnergy(energies, now_us_());
  marker_.Leave();
  return !energies.empty();
}

ReadingSet DrmSampler::Read(const std::string& pci_address, const ReadingSet& known) {
  marker_.Enter(pci_address, "read /sys");
  DrmTurn turn(root_, read_line_, pci_address, known);
  turn.ReadAll(energies_[pci_address], now_us_());
  marker_.Leave();
  return turn.Combined();
}

}  // namespace muster::agent
