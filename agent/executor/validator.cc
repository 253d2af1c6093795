#include "agent/executor/validator.h"

#include <re2/re2.h>

#include <optional>

#include "base/text.h"
#include "google/protobuf/util/json_util.h"

namespace muster::agent {
namespace {

using google::protobuf::Value;

constexpr int64_t kMaxRegexMemoryBytes = int64_t{1} << 20;

bool IsScalar(const Value& value) {
  return value.kind_case() == Value::kNumberValue || value.kind_case() == Value::kStringValue ||
         value.kind_case() == Value::kBoolValue;
}

// Of two scalars of one kind.
bool Equal(const Value& left, const Value& right) {
  switch (left.kind_case()) {
    case Value::kNumberValue:
      return left.number_value() == right.number_value();
    case Value::kStringValue:
      return left.string_value() == right.string_value();
    default:
      return left.bool_value() == right.bool_value();
  }
}

// Each returns whether the relation holds, or nothing when it is not defined for these operands.
std::optional<bool> Equality(const Value& measured, const Value& expected) {
  if (!IsScalar(measured) || measured.kind_case() != expected.kind_case()) return std::nullopt;
  return Equal(measured, expected);
}

std::optional<int> Order(const Value& measured, const Value& expected) {
  if (measured.kind_case() != Value::kNumberValue || expected.kind_case() != Value::kNumberValue) return std::nullopt;
  const double left = measured.number_value();
  const double right = expected.number_value();
  if (left != left || right != right) return std::nullopt;
  return left < right ? -1 : left > right ? 1 : 0;
}

std::optional<bool> Matches(const std::string& text, const Value& pattern) {
  if (pattern.kind_case() != Value::kStringValue) return std::nullopt;
  RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(kMaxRegexMemoryBytes);
  const RE2 expression(pattern.string_value(), options);
  if (!expression.ok()) return std::nullopt;
  return RE2::PartialMatch(text, expression);
}

std::optional<bool> RegexMatch(const Value& measured, const Value& expected) {
  if (measured.kind_case() != Value::kStringValue) return std::nullopt;
  if (expected.kind_case() != Value::kListValue) return Matches(measured.string_value(), expected);
  if (expected.list_value().values().empty()) return std::nullopt;
  bool any = false;
  for (const Value& pattern : expected.list_value().values()) {
    const std::optional<bool> matches = Matches(measured.string_value(), pattern);
    if (!matches) return std::nullopt;
    any |= *matches;
  }
  return any;
}

std::optional<bool> InSet(const Value& measured, const Value& expected) {
  if (measured.kind_case() != Value::kStringValue && measured.kind_case() != Value::kNumberValue) return std::nullopt;
  if (expected.kind_case() != Value::kListValue) return std::nullopt;
  bool found = false;
  for (const Value& member : expected.list_value().values()) {
    if (member.kind_case() != measured.kind_case()) return std::nullopt;
    found |= Equal(measured, member);
  }
  return found;
}

std::optional<bool> Not(std::optional<bool> value) {
  if (value) value = !*value;
  return value;
}

std::optional<bool> Evaluate(const Value& measured, const std::string& type, const Value& expected) {
  if (type == "EQUAL") return Equality(measured, expected);
  if (type == "NOT_EQUAL") return Not(Equality(measured, expected));
  if (type == "REGEX_MATCH") return RegexMatch(measured, expected);
  if (type == "REGEX_NO_MATCH") return Not(RegexMatch(measured, expected));
  if (type == "IN_SET") return InSet(measured, expected);
  if (type == "NOT_IN_SET") return Not(InSet(measured, expected));
  const std::optional<int> order = Order(measured, expected);
  if (!order) return std::nullopt;
  if (type == "LESS_THAN") return *order < 0;
  if (type == "LESS_THAN_OR_EQUAL") return *order <= 0;
  if (type == "GREATER_THAN") return *order > 0;
  if (type == "GREATER_THAN_OR_EQUAL") return *order >= 0;
  return std::nullopt;
}

}  // namespace

std::string JsonText(const Value& value) {
  if (value.kind_case() == Value::KIND_NOT_SET) return "null";
  std::string text;
  if (!google::protobuf::util::MessageToJsonString(value, &text).ok()) return "?";
  return text;
}

Validation Validate(const Value& measured, const v1::ocptv::Validator& validator) {
  const std::optional<bool> holds = Evaluate(measured, validator.type(), validator.value());
  if (holds.value_or(false)) return {};
  const std::string text = base::Text(JsonText(measured), " ", validator.type(), " ", JsonText(validator.value()));
  if (holds) return {.result = Validation::kViolated, .text = text};
  return {.result = Validation::kUnsupported,
          .text = base::Text(text, " is not defined: operands of one type that ", validator.type(),
                             " compares are expected, and valid regular expressions")};
}

}  // namespace muster::agent
