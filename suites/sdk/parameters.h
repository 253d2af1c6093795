// The parameters of the run, typed: Parameter<int64_t>("size"). Each is declared in suite.textproto with its default
// and bounds.
//
// Throws ToolError when the manifest does not declare the parameter or gives it another type.
#ifndef MUSTER_SUITES_SDK_PARAMETERS_H_
#define MUSTER_SUITES_SDK_PARAMETERS_H_

#include <cstdint>
#include <string>

namespace muster::sdk {

// T: int64_t, double, bool or std::string.
template <typename T>
T Parameter(const std::string& name);

template <>
int64_t Parameter<int64_t>(const std::string& name);
template <>
double Parameter<double>(const std::string& name);
template <>
bool Parameter<bool>(const std::string& name);
template <>
std::string Parameter<std::string>(const std::string& name);

}  // namespace muster::sdk

#endif  // MUSTER_SUITES_SDK_PARAMETERS_H_
