#include "base/case_context.h"

#include <cmath>
#include <map>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "base/telemetry_field.h"
#include "base/units.h"

namespace muster::base {
namespace {

std::string Label(const v1::ReadingSummary& reading) { return absl::StrJoin(reading.labels(), " "); }

std::string Range(double low, double high, const std::string& unit) {
  const std::string from = FormatQuantity(low, unit);
  const std::string to = FormatQuantity(high, unit);
  return from == to ? to : absl::StrCat(from, " to ", to);
}

// Empty when the reading is not worth a place in one line.
std::string Words(const v1::ReadingSummary& reading) {
  const double grown = reading.last() - reading.first();
  switch (reading.field()) {
    case v1::TEMPERATURE:
    case v1::POWER:
      return absl::StrCat(Label(reading), " ",
                          Range(reading.minimum(), reading.maximum(), reading.field() == v1::POWER ? "W" : "Cel"));
    case v1::CLOCK:
      return absl::StrCat(Label(reading), " ", Range(reading.minimum(), reading.maximum(), "Hz"));
    case v1::UTILIZATION:
      return absl::StrFormat("%s %.0f to %.0f %% busy", Label(reading), 100 * reading.minimum(),
                             100 * reading.maximum());
    case v1::THROTTLED:
      return reading.maximum() > 0 ? absl::StrCat("throttled by ", Label(reading)) : "";
    case v1::PCIE_REPLAYS:
    case v1::ECC_ERRORS:
    case v1::RAS_ERRORS:
    case v1::ROW_REMAPS:
    case v1::RETIRED_PAGES:
    case v1::LINK_ERRORS: {
      if (!(grown > 0)) return "";
      const std::vector<std::string> labels(reading.labels().begin(), reading.labels().end());
      return absl::StrFormat("%s +%.0f", DescribeReading(reading.field(), labels), grown);
    }
    default:
      return "";
  }
}

}  // namespace

std::vector<std::string> ContextLines(const v1::CaseContext& context) {
  std::vector<std::string> lines;
  for (const v1::CaseContext::DeviceContext& device : context.devices()) {
    std::vector<std::string> words;
    for (const v1::ReadingSummary& reading : device.readings()) {
      if (std::string one = Words(reading); !one.empty()) words.push_back(std::move(one));
    }
    // Of an id MACHINE/PCI-ADDRESS, what tells the devices of one machine apart.
    const std::string name = device.device_id().substr(device.device_id().rfind('/') + 1);
    if (!words.empty()) lines.push_back(absl::StrCat(name, ": ", absl::StrJoin(words, ", ")));
  }
  std::map<std::string, uint64_t> counts;
  for (const v1::HealthEvent& event : context.events()) counts[event.code()] += event.count();
  std::vector<std::string> events;
  for (const auto& [code, count] : counts) events.push_back(count > 1 ? absl::StrCat(code, " (", count, ")") : code);
  if (!events.empty()) lines.push_back(absl::StrCat("events: ", absl::StrJoin(events, ", ")));
  return lines;
}

}  // namespace muster::base
