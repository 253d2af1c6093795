#include "suites/sdk/injection.h"

#include <variant>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace muster::sdk {
namespace {

constexpr char kPrefix[] = "inject";

// What the parameter asks for; empty for nothing.
std::string Asked(const ParameterValue& value) {
  if (const auto* text = std::get_if<std::string>(&value)) return *text;
  if (const auto* number = std::get_if<double>(&value)) return *number == 0 ? "" : absl::StrCat(*number);
  return std::get<bool>(value) ? "true" : "";
}

}  // namespace

std::vector<std::string> InjectionWarnings(const Environment& environment) {
  std::vector<std::string> warnings;
  for (const auto& [name, value] : environment.parameters) {
    if (!absl::StartsWith(name, kPrefix)) continue;
    const std::string asked = Asked(value);
    if (asked.empty()) continue;
    warnings.push_back(absl::StrCat("this run makes a fault by itself, to test the tests: ", name, " is \"", asked,
                                    "\"; what it finds says nothing of the devices"));
  }
  return warnings;
}

}  // namespace muster::sdk
