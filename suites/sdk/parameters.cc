#include "suites/sdk/parameters.h"

#include <cmath>

#include "absl/strings/str_cat.h"
#include "suites/sdk/outcome.h"
#include "suites/sdk/session.h"

namespace muster::sdk {
namespace {

template <typename T>
T Typed(const std::string& name, const char* type) {
  const auto& parameters = Session::Current().environment().parameters;
  const auto found = parameters.find(name);
  if (found == parameters.end()) {
    throw ToolError(absl::StrCat("parameter \"", name, "\" is not set; declare it in suite.textproto"));
  }
  const T* value = std::get_if<T>(&found->second);
  if (value == nullptr) throw ToolError(absl::StrCat("parameter \"", name, "\" is not ", type));
  return *value;
}

}  // namespace

template <>
double Parameter<double>(const std::string& name) {
  return Typed<double>(name, "a number");
}

template <>
int64_t Parameter<int64_t>(const std::string& name) {
  const double value = Typed<double>(name, "a number");
  if (value != std::floor(value) || std::abs(value) > 9.0e15) {
    throw ToolError(absl::StrCat("parameter \"", name, "\" is ", value, ", which is no integer"));
  }
  return static_cast<int64_t>(value);
}

template <>
bool Parameter<bool>(const std::string& name) {
  return Typed<bool>(name, "a truth value");
}

template <>
std::string Parameter<std::string>(const std::string& name) {
  return Typed<std::string>(name, "text");
}

}  // namespace muster::sdk
