#include "cli/figures.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <map>
#include <tuple>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/strip.h"
#include "base/units.h"
#include "cli/text.h"

namespace muster::cli {
namespace {

// What makes two measurements values of one figure.
using Key = std::tuple<std::string, std::string, std::string>;  // Name, subcomponent, device.

Key KeyOf(const v1::Measurement& m) { return {m.name(), m.subcomponent(), m.device_id()}; }

using Values = std::vector<const v1::Measurement*>;

std::string ValueOf(const v1::Measurement& m) {
  switch (m.value_case()) {
    case v1::Measurement::kNumber:
      return base::FormatQuantity(m.number(), Sanitize(m.unit(), 32));
    case v1::Measurement::kText:
      return Sanitize(m.text(), 200);
    case v1::Measurement::kBoolean:
      return m.boolean() ? "yes" : "no";
    default:
      return "";
  }
}

std::string ValueOfSeries(const Values& values) {
  std::vector<double> numbers;
  for (const v1::Measurement* m : values) {
    if (m->value_case() == v1::Measurement::kNumber) numbers.push_back(m->number());
  }
  if (values.size() == 1 || numbers.size() != values.size()) return ValueOf(*values.back());
  std::sort(numbers.begin(), numbers.end());
  const std::string unit = Sanitize(values.front()->unit(), 32);
  return absl::StrCat(base::FormatQuantity(numbers.front(), unit), " … ",
                      base::FormatQuantity(numbers[numbers.size() / 2], unit), " … ",
                      base::FormatQuantity(numbers.back(), unit));
}

absl::string_view OperatorOf(absl::string_view type) {
  struct Known {
    absl::string_view type;
    absl::string_view symbol;
  };
  constexpr std::array kKnown = std::to_array<Known>({{"EQUAL", "="},
                                                      {"NOT_EQUAL", "≠"},
                                                      {"LESS_THAN", "<"},
                                                      {"LESS_THAN_OR_EQUAL", "≤"},
                                                      {"GREATER_THAN", ">"},
                                                      {"GREATER_THAN_OR_EQUAL", "≥"},
                                                      {"REGEX_MATCH", "~"},
                                                      {"IN_SET", "in"},
                                                      {"NOT_IN_SET", "not in"}});
  const auto* it = std::find_if(kKnown.begin(), kKnown.end(), [&](const Known& known) { return known.type == type; });
  return it == kKnown.end() ? type : it->symbol;
}

std::string RemarkOfValidators(const v1::Measurement& m) {
  std::string out;
  for (const v1::Validator& validator : m.validators()) {
    double number = 0;
    const bool is_number =
        m.value_case() == v1::Measurement::kNumber && absl::SimpleAtod(validator.value_json(), &number);
    absl::StrAppend(
        &out, out.empty() ? "" : ", ", Sanitize(OperatorOf(validator.type()), 40), " ",
        is_number ? base::FormatQuantity(number, Sanitize(m.unit(), 32)) : Sanitize(validator.value_json(), 80));
  }
  return out;
}

const v1::Measurement* Companion(const std::map<Key, Values>& by_key, const v1::Measurement& m,
                                 absl::string_view suffix) {
  const auto it = by_key.find({absl::StrCat(m.name(), suffix), m.subcomponent(), m.device_id()});
  return it == by_key.end() || it->second.back()->value_case() != v1::Measurement::kNumber ? nullptr
                                                                                           : it->second.back();
}

// Whether the measurement is shown on another one's row.
bool IsCompanion(const std::map<Key, Values>& by_key, const v1::Measurement& m) {
  for (const absl::string_view suffix : {".expected", ".share"}) {
    absl::string_view name = m.name();
    if (absl::ConsumeSuffix(&name, suffix) && by_key.count({std::string(name), m.subcomponent(), m.device_id()}) > 0)
      return true;
  }
  return false;
}

}  // namespace

std::vector<Figure> MakeFigures(const std::vector<const v1::Measurement*>& measurements, const FigureOptions& options) {
  std::map<Key, Values> by_key;
  std::vector<Key> order;
  for (const v1::Measurement* m : measurements) {
    Values& values = by_key[KeyOf(*m)];
    if (values.empty()) order.push_back(KeyOf(*m));
    values.push_back(m);
  }
  std::vector<Figure> figures;
  for (const Key& key : order) {
    const Values& values = by_key[key];
    const v1::Measurement& last = *values.back();
    if (absl::StartsWith(last.name(), "work.") && !options.work) continue;
    if (IsCompanion(by_key, last)) continue;
    Figure figure{
        .name = Sanitize(last.name(), 128), .value = ValueOfSeries(values), .remark = RemarkOfValidators(last)};
    if (!last.subcomponent().empty()) absl::StrAppend(&figure.name, " ", Sanitize(last.subcomponent(), 64));
    if (options.name_devices != nullptr && !last.device_id().empty()) {
      absl::StrAppend(&figure.name, " (", options.name_devices->Short(last.device_id()), ")");
    }
    figure.valid = std::all_of(values.begin(), values.end(),
                               [](const v1::Measurement* m) { return m->valid() || m->validators().empty(); });
    const v1::Measurement* share = Companion(by_key, last, ".share");
    const v1::Measurement* expected = Companion(by_key, last, ".expected");
    if (share != nullptr) {
      figure.remark = absl::StrFormat("%.1f %%", share->number() * 100);
      if (expected != nullptr) absl::StrAppend(&figure.remark, " of ", ValueOf(*expected));
      figure.valid = figure.valid && (share->valid() || share->validators().empty());
    }
    figures.push_back(std::move(figure));
  }
  return figures;
}

}  // namespace muster::cli
