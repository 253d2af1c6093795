#include "cli/health_view.h"

#include <algorithm>
#include <initializer_list>
#include <map>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/time.h"
#include "base/telemetry_field.h"
#include "base/units.h"
#include "cli/text.h"

namespace muster::cli {
namespace {

// Worst last.
int Badness(v1::HealthState state) {
  switch (state) {
    case v1::HEALTH_STATE_HEALTHY:
      return 0;
    case v1::HEALTH_STATE_DEGRADED:
      return 2;
    case v1::HEALTH_STATE_FAILED:
      return 3;
    default:
      return 1;
  }
}

absl::string_view HealthSymbol(v1::HealthState state, const Palette& palette) {
  switch (state) {
    case v1::HEALTH_STATE_HEALTHY:
      return palette.Symbol(v1::PASSED);
    case v1::HEALTH_STATE_DEGRADED:
      return palette.Symbol(v1::ERROR);
    case v1::HEALTH_STATE_FAILED:
      return palette.Symbol(v1::FAILED);
    default:
      return palette.Symbol(v1::MISSED);
  }
}

std::string Ago(int64_t since_unix_ms, int64_t now_unix_ms) {
  return base::FormatDuration(std::max<int64_t>(now_unix_ms - since_unix_ms, 0));
}

// The first that has one of the labels, in the order of `preferred`; any when there is none of them.
const v1::Reading* Find(const v1::DeviceSample& sample, v1::TelemetryField field,
                        std::initializer_list<const char*> preferred) {
  const v1::Reading* any = nullptr;
  const v1::Reading* best = nullptr;
  size_t best_rank = preferred.size();
  for (const v1::Reading& reading : sample.readings()) {
    if (reading.field() != field) continue;
    if (any == nullptr || (!any->has_value() && reading.has_value())) any = &reading;
    const std::string label = reading.labels().empty() ? "" : reading.labels(0);
    const auto* at = std::find(preferred.begin(), preferred.end(), label);
    const size_t rank = static_cast<size_t>(at - preferred.begin());
    if (reading.has_value() && rank < best_rank) {
      best = &reading;
      best_rank = rank;
    }
  }
  return best != nullptr ? best : any;
}

std::string ValueOf(const v1::Reading& reading) {
  if (!reading.has_value()) {
    const std::string absence(base::AbsenceName(reading.absence()));
    return reading.absence() == v1::ABSENCE_NOT_PERMITTED ? "not permitted" : absence;
  }
  if (reading.field() == v1::UTILIZATION) return base::FormatQuantity(reading.value() * 100, "%");
  if (reading.field() == v1::MEMORY_USED || reading.field() == v1::MEMORY_SIZE)
    return base::FormatBytes(static_cast<uint64_t>(std::max(reading.value(), 0.0)));
  const base::TelemetryFieldInfo* info = base::FindTelemetryField(reading.field());
  return base::FormatQuantity(reading.value(), info == nullptr ? "" : std::string(info->unit));
}

void AddReading(const char* name, const v1::Reading* reading, const v1::Reading* limit,
                std::vector<std::string>& parts) {
  if (reading == nullptr) return;
  std::string text = absl::StrCat(name, " ", ValueOf(*reading));
  if (reading->has_value() && limit != nullptr && limit->has_value()) absl::StrAppend(&text, " of ", ValueOf(*limit));
  parts.push_back(std::move(text));
}

std::string QuarantineLine(const v1::Quarantine& quarantine, const Palette& palette, int64_t now_unix_ms) {
  return palette.Paint(
      Style::kWarning,
      absl::StrCat(palette.Symbol(v1::CANCELLED), " QUARANTINED for ", Ago(quarantine.since_unix_ms(), now_unix_ms),
                   " by ", Sanitize(quarantine.author(), 128), ": ", Sanitize(quarantine.reason())));
}

void AppendConditions(const google::protobuf::RepeatedPtrField<v1::HealthCondition>& conditions, const Palette& palette,
                      int64_t now_unix_ms, std::string& out) {
  for (const v1::HealthCondition& condition : conditions) {
    absl::StrAppend(&out, "    ", palette.Paint(HealthStyle(condition.state()), HealthName(condition.state())), "  ",
                    Sanitize(condition.code(), 128), "  for ", Ago(condition.since_unix_ms(), now_unix_ms),
                    condition.message().empty() ? "" : absl::StrCat("  ", Sanitize(condition.message())), "\n");
    if (!condition.action().empty()) absl::StrAppend(&out, "      do: ", Sanitize(condition.action()), "\n");
    if (!condition.clears_when().empty())
      absl::StrAppend(&out, "      clears with: ", Sanitize(condition.clears_when()), "\n");
  }
}

const v1::DeviceHealth* HealthOf(const v1::MachineStatus& status, const std::string& device_id) {
  for (const v1::DeviceHealth& health : status.health().devices()) {
    if (health.device_id() == device_id) return &health;
  }
  return nullptr;
}

std::string NameOf(const v1::MachineStatus& status, const std::string& device_id) {
  int index = 0;
  for (const v1::Device& device : status.machine().devices()) {
    if (device.id() == device_id) return absl::StrCat("GPU ", index);
    ++index;
  }
  return device_id.empty() ? "machine" : Truncate(Sanitize(device_id, 64), 12);
}

Style SeverityStyle(v1::EventSeverity severity) {
  switch (severity) {
    case v1::EVENT_SEVERITY_CRITICAL:
    case v1::EVENT_SEVERITY_ERROR:
      return Style::kBad;
    case v1::EVENT_SEVERITY_WARNING:
      return Style::kWarning;
    default:
      return Style::kPlain;
  }
}

std::string SeverityName(v1::EventSeverity severity) {
  const std::string& name = v1::EventSeverity_Name(severity);
  constexpr size_t kPrefix = sizeof("EVENT_SEVERITY_") - 1;
  return name.size() > kPrefix ? name.substr(kPrefix) : "UNKNOWN";
}

}  // namespace

std::string HealthName(v1::HealthState state) {
  switch (Badness(state)) {
    case 0:
      return "HEALTHY";
    case 2:
      return "DEGRADED";
    case 3:
      return "FAILED";
    default:
      return "UNKNOWN";
  }
}

Style HealthStyle(v1::HealthState state) {
  switch (Badness(state)) {
    case 0:
      return Style::kGood;
    case 2:
      return Style::kWarning;
    case 3:
      return Style::kBad;
    default:
      return Style::kDim;
  }
}

Cell HealthSummary(const v1::MachineStatus& status, const Palette& palette) {
  v1::HealthState worst = v1::HEALTH_STATE_HEALTHY;
  std::map<int, int> counts;
  for (const v1::Device& device : status.machine().devices()) {
    const v1::DeviceHealth* health = HealthOf(status, device.id());
    const v1::HealthState state = health == nullptr ? v1::HEALTH_STATE_UNKNOWN : health->state();
    ++counts[Badness(state)];
    if (Badness(state) > Badness(worst)) worst = state;
  }
  Cell cell;
  const int total = status.machine().devices_size();
  if (total > 0) {
    const int count = counts[Badness(worst)];
    cell.text = absl::StrCat(HealthSymbol(worst, palette), " ",
                             count == total ? "" : absl::StrCat(count, " of ", total, " "), HealthName(worst));
    cell.style = HealthStyle(worst);
  }
  int devices = 0, whole = 0;
  for (const v1::Quarantine& quarantine : status.quarantines()) ++(quarantine.device_id().empty() ? whole : devices);
  if (whole + devices == 0) return cell;
  absl::StrAppend(&cell.text, cell.text.empty() ? "" : ", ", whole > 0 ? "" : absl::StrCat(devices, " "),
                  "QUARANTINED");
  if (cell.style != Style::kBad) cell.style = Style::kWarning;
  return cell;
}

std::string ReadingsLine(const v1::DeviceSample& sample) {
  std::vector<std::string> parts;
  AddReading("temperature", Find(sample, v1::TEMPERATURE, {"core", "hotspot", "board"}), nullptr, parts);
  AddReading("power", Find(sample, v1::POWER, {"card", "gpu"}), Find(sample, v1::POWER_LIMIT, {"enforced", "default"}),
             parts);
  AddReading("clock", Find(sample, v1::CLOCK, {"graphics", "sm"}), Find(sample, v1::CLOCK_MAX, {"graphics", "sm"}),
             parts);
  AddReading("utilization", Find(sample, v1::UTILIZATION, {"gpu", "compute", "render"}), nullptr, parts);
  AddReading("memory", Find(sample, v1::MEMORY_USED, {}), Find(sample, v1::MEMORY_SIZE, {}), parts);
  std::vector<std::string> throttled;
  for (const v1::Reading& reading : sample.readings()) {
    if (reading.field() == v1::THROTTLED && reading.value() > 0 && !reading.labels().empty())
      throttled.push_back(Sanitize(reading.labels(0), 64));
  }
  if (!throttled.empty()) parts.push_back(absl::StrCat("throttled by ", absl::StrJoin(throttled, ", ")));
  return absl::StrJoin(parts, "  ");
}

std::string HealthDetails(const v1::MachineStatus& status, const Palette& palette, int64_t now_unix_ms) {
  std::string out;
  int index = 0;
  for (const v1::Device& device : status.machine().devices()) {
    const v1::DeviceHealth* health = HealthOf(status, device.id());
    const v1::HealthState state = health == nullptr ? v1::HEALTH_STATE_UNKNOWN : health->state();
    absl::StrAppend(
        &out, "  GPU ", index++, "  ",
        palette.Paint(HealthStyle(state), absl::StrCat(HealthSymbol(state, palette), " ", HealthName(state))),
        health != nullptr && health->since_unix_ms() > 0
            ? absl::StrCat(" for ", Ago(health->since_unix_ms(), now_unix_ms))
            : "",
        device.simulated() ? "  (simulated)" : "", "\n");
    for (const v1::Quarantine& quarantine : status.quarantines()) {
      if (quarantine.device_id() == device.id() && !device.id().empty())
        absl::StrAppend(&out, "    ", QuarantineLine(quarantine, palette, now_unix_ms), "\n");
    }
    if (health != nullptr) AppendConditions(health->conditions(), palette, now_unix_ms, out);
    for (const v1::DeviceSample& sample : status.samples()) {
      if (sample.device_id() != device.id() || device.id().empty()) continue;
      if (const std::string line = ReadingsLine(sample); !line.empty()) absl::StrAppend(&out, "    ", line, "\n");
    }
  }
  std::string whole;
  for (const v1::Quarantine& quarantine : status.quarantines()) {
    if (HealthOf(status, quarantine.device_id()) != nullptr) continue;  // With its device.
    absl::StrAppend(&whole, "    ", QuarantineLine(quarantine, palette, now_unix_ms),
                    quarantine.device_id().empty()
                        ? ""
                        : absl::StrCat(" (", Sanitize(quarantine.device_id(), 128), ", which is not there)"),
                    "\n");
  }
  AppendConditions(status.health().machine_conditions(), palette, now_unix_ms, whole);
  if (!whole.empty()) absl::StrAppend(&out, "  machine\n", whole);
  return out;
}

std::string EventLines(const v1::MachineStatus& status, const Palette& palette) {
  std::string out;
  for (const v1::HealthEvent& event : status.health().events()) {
    absl::StrAppend(
        &out, "  ",
        absl::FormatTime("%Y-%m-%d %H:%M:%S", absl::FromUnixMillis(event.time_unix_ms()), absl::LocalTimeZone()), "  ",
        palette.Paint(SeverityStyle(event.severity()), SeverityName(event.severity())), "  ",
        NameOf(status, event.device_id()), "  ", Sanitize(event.code(), 128),
        event.count() > 1 ? absl::StrCat(" (", event.count(), " times)") : "", "  ", Sanitize(event.title(), 256),
        event.detail().empty() ? "" : absl::StrCat(": ", Sanitize(event.detail())), "\n");
  }
  return out;
}

}  // namespace muster::cli
