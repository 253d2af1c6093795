#include "base/parameter.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/names.h"
#include "base/regex.h"
#include "base/status_macros.h"

namespace muster::base {
namespace {

using google::protobuf::Value;

constexpr int kMaxChoices = 64;
constexpr size_t kMaxTextLength = 4096;
// JSON numbers are doubles.
constexpr int64_t kMaxExactInteger = int64_t{1} << 53;
constexpr char kDefaultPattern[] = "[A-Za-z0-9._:/,+-]{0,255}";

// "from 1 to 8", "at least 1", "at most 8", or nothing.
template <typename Bounds>
std::string Range(const Bounds& bounds) {
  if (bounds.has_minimum() && bounds.has_maximum())
    return absl::StrCat(" from ", bounds.minimum(), " to ", bounds.maximum());
  if (bounds.has_minimum()) return absl::StrCat(" of at least ", bounds.minimum());
  if (bounds.has_maximum()) return absl::StrCat(" of at most ", bounds.maximum());
  return "";
}

template <typename Bounds, typename Number>
bool InRange(const Bounds& bounds, Number value) {
  return (!bounds.has_minimum() || value >= bounds.minimum()) && (!bounds.has_maximum() || value <= bounds.maximum());
}

bool IsExact(int64_t value) { return value >= -kMaxExactInteger && value <= kMaxExactInteger; }

absl::Status Expected(const v1::Parameter& parameter, const std::string& what, const std::string& found) {
  return absl::InvalidArgumentError(
      absl::StrCat("parameter ", parameter.name(), ": expected ", what, ", found ", Quoted(found)));
}

absl::StatusOr<Value> ParseInteger(const v1::Parameter& parameter, const std::string& text) {
  int64_t number = 0;
  if (!absl::SimpleAtoi(text, &number) || !IsExact(number) || !InRange(parameter.integer(), number)) {
    return Expected(parameter, absl::StrCat("an integer", Range(parameter.integer())), text);
  }
  Value value;
  value.set_number_value(static_cast<double>(number));
  return value;
}

absl::StatusOr<Value> ParseNumber(const v1::Parameter& parameter, const std::string& text) {
  double number = 0;
  if (!absl::SimpleAtod(text, &number) || !std::isfinite(number) || !InRange(parameter.number(), number)) {
    return Expected(parameter, absl::StrCat("a number", Range(parameter.number())), text);
  }
  Value value;
  value.set_number_value(number);
  return value;
}

absl::StatusOr<Value> ParseBoolean(const v1::Parameter& parameter, const std::string& text) {
  if (text != "true" && text != "false") return Expected(parameter, "true or false", text);
  Value value;
  value.set_bool_value(text == "true");
  return value;
}

absl::Status CheckText(const v1::Parameter& parameter, const std::string& text) {
  const v1::TextParameter& kind = parameter.text();
  if (text.size() > kMaxTextLength || text.find('\0') != std::string::npos) {
    return Expected(parameter, absl::StrCat("text of at most ", kMaxTextLength, " bytes without NUL"), text);
  }
  if (!kind.choices().empty()) {
    if (std::find(kind.choices().begin(), kind.choices().end(), text) != kind.choices().end()) return absl::OkStatus();
    return Expected(parameter, absl::StrCat("one of ", absl::StrJoin(kind.choices(), ", ")), text);
  }
  const std::string pattern = kind.pattern().empty() ? kDefaultPattern : kind.pattern();
  const absl::StatusOr<Regex> regex = CompileRegex(pattern);
  if (!regex.ok()) {
    return absl::InvalidArgumentError(absl::StrCat("parameter ", parameter.name(), ": the pattern ", Quoted(pattern),
                                                   " is no regular expression: ", regex.status().message()));
  }
  if (FullMatch(*regex, text)) return absl::OkStatus();
  return Expected(parameter, absl::StrCat("text like ", pattern), text);
}

absl::StatusOr<Value> ParseText(const v1::Parameter& parameter, const std::string& text) {
  RETURN_IF_ERROR(CheckText(parameter, text));
  Value value;
  value.set_string_value(text);
  return value;
}

Value DefaultValue(const v1::Parameter& parameter) {
  Value value;
  switch (parameter.kind_case()) {
    case v1::Parameter::kInteger:
      value.set_number_value(static_cast<double>(parameter.integer().default_value()));
      break;
    case v1::Parameter::kNumber:
      value.set_number_value(parameter.number().default_value());
      break;
    case v1::Parameter::kBoolean:
      value.set_bool_value(parameter.boolean().default_value());
      break;
    case v1::Parameter::kText:
      value.set_string_value(parameter.text().default_value());
      break;
    case v1::Parameter::KIND_NOT_SET:
      break;
  }
  return value;
}

template <typename Bounds>
absl::Status CheckBounds(const v1::Parameter& parameter, const Bounds& bounds) {
  if (bounds.has_minimum() && bounds.has_maximum() && bounds.minimum() > bounds.maximum()) {
    return absl::InvalidArgumentError(absl::StrCat("parameter ", parameter.name(), ": the minimum ", bounds.minimum(),
                                                   " is above the maximum ", bounds.maximum()));
  }
  if (InRange(bounds, bounds.default_value())) return absl::OkStatus();
  return Expected(parameter, absl::StrCat("a default", Range(bounds)), absl::StrCat(bounds.default_value()));
}

absl::Status CheckInteger(const v1::Parameter& parameter) {
  const v1::IntegerParameter& kind = parameter.integer();
  if (!IsExact(kind.default_value()) || !IsExact(kind.minimum()) || !IsExact(kind.maximum())) {
    return absl::InvalidArgumentError(
        absl::StrCat("parameter ", parameter.name(), ": integers go to 2^53 on either side, as in JSON"));
  }
  return CheckBounds(parameter, kind);
}

absl::Status CheckNumber(const v1::Parameter& parameter) {
  const v1::NumberParameter& kind = parameter.number();
  if (!std::isfinite(kind.default_value()) || !std::isfinite(kind.minimum()) || !std::isfinite(kind.maximum())) {
    return absl::InvalidArgumentError(absl::StrCat("parameter ", parameter.name(), ": expected finite numbers"));
  }
  return CheckBounds(parameter, kind);
}

absl::Status CheckTextKind(const v1::Parameter& parameter) {
  const v1::TextParameter& kind = parameter.text();
  if (kind.choices_size() > kMaxChoices) {
    return absl::InvalidArgumentError(
        absl::StrCat("parameter ", parameter.name(), ": more than ", kMaxChoices, " choices"));
  }
  if (!kind.choices().empty() && !kind.pattern().empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("parameter ", parameter.name(), ": choices and a pattern; keep one of them"));
  }
  return CheckText(parameter, kind.default_value());
}

std::string Declared(const v1::SuiteManifest& manifest) {
  if (manifest.parameters().empty()) return "it declares none";
  return absl::StrCat("it declares ",
                      absl::StrJoin(manifest.parameters(), ", ",
                                    [](std::string* out, const v1::Parameter& p) { out->append(p.name()); }));
}

}  // namespace

absl::Status ValidateParameter(const v1::Parameter& parameter) {
  RETURN_IF_ERROR(CheckParameterName(parameter.name()));
  switch (parameter.kind_case()) {
    case v1::Parameter::kInteger:
      return CheckInteger(parameter);
    case v1::Parameter::kNumber:
      return CheckNumber(parameter);
    case v1::Parameter::kBoolean:
      return absl::OkStatus();
    case v1::Parameter::kText:
      return CheckTextKind(parameter);
    case v1::Parameter::KIND_NOT_SET:
      break;
  }
  return absl::InvalidArgumentError(
      absl::StrCat("parameter ", parameter.name(), ": expected a kind: integer {}, number {}, boolean {} or text {}"));
}

absl::StatusOr<Value> ParseParameter(const v1::Parameter& parameter, const std::string& text) {
  switch (parameter.kind_case()) {
    case v1::Parameter::kInteger:
      return ParseInteger(parameter, text);
    case v1::Parameter::kNumber:
      return ParseNumber(parameter, text);
    case v1::Parameter::kBoolean:
      return ParseBoolean(parameter, text);
    case v1::Parameter::kText:
      return ParseText(parameter, text);
    case v1::Parameter::KIND_NOT_SET:
      break;
  }
  return absl::FailedPreconditionError(
      absl::StrCat("parameter ", parameter.name(), " is of a kind unknown to this version"));
}

absl::StatusOr<google::protobuf::Struct> ResolveParameters(
    const v1::SuiteManifest& manifest, const google::protobuf::Map<std::string, std::string>& given) {
  google::protobuf::Struct resolved;
  for (const v1::Parameter& parameter : manifest.parameters()) {
    Value& value = (*resolved.mutable_fields())[parameter.name()];
    const auto found = given.find(parameter.name());
    if (found == given.end()) {
      value = DefaultValue(parameter);
    } else {
      ASSIGN_OR_RETURN(value, ParseParameter(parameter, found->second));
    }
  }
  for (const auto& entry : given) {
    if (resolved.fields().count(entry.first) != 0) continue;
    return absl::InvalidArgumentError(
        absl::StrCat("suite ", manifest.name(), " has no parameter ", Quoted(entry.first), ": ", Declared(manifest)));
  }
  return resolved;
}

}  // namespace muster::base
