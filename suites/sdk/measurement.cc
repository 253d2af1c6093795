#include "suites/sdk/measurement.h"

#include <gtest/gtest.h>

#include <cmath>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/units.h"
#include "suites/sdk/devices.h"
#include "suites/sdk/outcome.h"
#include "suites/sdk/session.h"

namespace muster::sdk {
namespace {

constexpr double kHighestShare = 1.05;
constexpr double kLowestFloor = 0.5;

std::string Quantity(double value, const std::string& unit) {
  return base::FormatQuantity(value, unit == "1" ? "" : unit);
}

std::string InWords(const MeasuredValue& value, const std::string& unit) {
  if (const auto* number = std::get_if<double>(&value)) return Quantity(*number, unit);
  if (const auto* truth = std::get_if<bool>(&value)) return *truth ? "true" : "false";
  return absl::StrCat("\"", std::get<std::string>(value), "\"");
}

}  // namespace

Measurement::Measurement(std::string name, MeasuredValue value, std::string unit, std::source_location location)
    : record_{.name = std::move(name), .value = std::move(value), .unit = std::move(unit)},
      location_{location.file_name(), static_cast<int>(location.line())} {}

Measurement::~Measurement() {
  if (record_.device_id.empty()) record_.device_id = FailureContext::DeviceId();
  const auto* number = std::get_if<double>(&record_.value);
  if (number != nullptr && !std::isfinite(*number)) {
    ADD_FAILURE_AT(location_.file.c_str(), location_.line)
        << kToolErrorMark << record_.name << " is " << *number << ", not a finite number: it was not measured";
    return;
  }
  Session::Current().report().Measure(record_);
  if (broken_.empty()) return;
  const FailureContext context(record_.device_id, absl::StrCat(record_.name, "-out-of-range"));
  ADD_FAILURE_AT(location_.file.c_str(), location_.line)
      << record_.name << " is " << InWords(record_.value, record_.unit) << "; expected " << broken_;
}

Measurement& Measurement::OnDevice(const v1::Device& device) {
  record_.device_id = device.id();
  return *this;
}

Measurement& Measurement::OfPart(std::string subcomponent) {
  record_.subcomponent = std::move(subcomponent);
  return *this;
}

Measurement& Measurement::Check(bool holds, const char* type, MeasuredValue limit, const std::string& words) {
  record_.validators.push_back({.type = type, .value = std::move(limit)});
  if (!holds) absl::StrAppend(&broken_, broken_.empty() ? "" : " and ", words);
  return *this;
}

namespace {
// NaN compares false: it never holds.
double Number(const MeasuredValue& value) {
  const auto* number = std::get_if<double>(&value);
  return number == nullptr ? std::nan("") : *number;
}
// A limit that is no number has no place in JSON.
double Limit(double limit) {
  if (!std::isfinite(limit)) throw ToolError(absl::StrCat("a validator's limit is ", limit, ", not a finite number"));
  return limit;
}
}  // namespace

Measurement& Measurement::AtLeast(double limit) {
  return Check(Number(record_.value) >= limit, "GREATER_THAN_OR_EQUAL", Limit(limit),
               "at least " + Quantity(limit, record_.unit));
}

Measurement& Measurement::AtMost(double limit) {
  return Check(Number(record_.value) <= limit, "LESS_THAN_OR_EQUAL", Limit(limit),
               "at most " + Quantity(limit, record_.unit));
}

Measurement& Measurement::MoreThan(double limit) {
  return Check(Number(record_.value) > limit, "GREATER_THAN", Limit(limit),
               "more than " + Quantity(limit, record_.unit));
}

Measurement& Measurement::LessThan(double limit) {
  return Check(Number(record_.value) < limit, "LESS_THAN", Limit(limit), "less than " + Quantity(limit, record_.unit));
}

Measurement& Measurement::ExpectEqual(double expected) {
  return Check(Number(record_.value) == expected, "EQUAL", Limit(expected), Quantity(expected, record_.unit));
}

Measurement& Measurement::ExpectEqual(const std::string& expected) {
  const auto* text = std::get_if<std::string>(&record_.value);
  return Check(text != nullptr && *text == expected, "EQUAL", expected, absl::StrCat("\"", expected, "\""));
}

Measurement& Measurement::ExpectTrue() {
  const auto* truth = std::get_if<bool>(&record_.value);
  return Check(truth != nullptr && *truth, "EQUAL", true, "true");
}

void ReportWork(const std::string& kind, double amount) {
  const std::string unit = kind == "bytes" ? "B" : kind == "flop" ? "FLOP" : "1";
  Measure("work." + kind, amount, unit);
}

void MeasureShare(const std::string& name, double value, const std::string& unit, std::optional<double> expected,
                  double floor_share, std::source_location location, const std::string& part) {
  if (floor_share != 0 && !(floor_share >= kLowestFloor && floor_share <= 1)) {
    RecordToolError(
        absl::StrCat("the floor of ", name, " is ", floor_share, " of what the device can do; a floor lies from ",
                     kLowestFloor, " to 1, or is 0 for none"),
        location);
    return;
  }
  Measure(name, value, unit, location).OfPart(part);
  if (!expected.has_value()) {
    Session::Current().report().Log(Severity::kWarning,
                                    absl::StrCat(name, ": this device does not say what to expect"));
    return;
  }
  Measure(name + ".expected", *expected, unit, location).OfPart(part);
  const double share = value / *expected;
  const bool judged = SpeedsAreReal();
  if (share > kHighestShare && judged) {
    RecordToolError(absl::StrCat(name, " is ", Quantity(value, unit), ", more than the ", Quantity(*expected, unit),
                                 " that the device can do at best: the time or the expectation is wrong"),
                    location);
  } else if (floor_share == 0 || !judged) {
    Measure(name + ".share", share, "1", location).OfPart(part);
  } else {
    Measure(name + ".share", share, "1", location).OfPart(part).AtLeast(floor_share);
  }
}

}  // namespace muster::sdk
