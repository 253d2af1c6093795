#include "agent/telemetry/nvml_caller.h"

namespace muster::agent {
namespace {

constexpr size_t kFieldsACall = 64;

}  // namespace

v1::Absence NvmlAbsence(nvml::Return result, bool of_kind) {
  switch (result) {
    case nvml::kSuccess:
      return v1::ABSENCE_UNSPECIFIED;
    case nvml::kNotSupported:
    case nvml::kFunctionNotFound:
    case nvml::kVgpuEccNotSupported:
    case nvml::kArgumentVersionMismatch:
    case nvml::kDeprecated:
      return v1::ABSENCE_UNSUPPORTED;
    case nvml::kInvalidArgument:
      return of_kind ? v1::ABSENCE_UNSUPPORTED : v1::ABSENCE_FAILING;
    case nvml::kNoPermission:
      return v1::ABSENCE_NOT_PERMITTED;
    default:
      return v1::ABSENCE_FAILING;
  }
}

std::vector<NvmlAnswer> NvmlCaller::AskFields(const std::vector<Field>& fields) {
  std::vector<NvmlAnswer> answers(fields.size());
  std::vector<size_t> asked;
  for (size_t i = 0; i < fields.size(); ++i) {
    const Memory& memory = memory_[{functions_.field_values.name, uint64_t{fields[i].field} << 32 | fields[i].scope}];
    answers[i] = memory.answer;
    if (memory.until <= turn_) asked.push_back(i);
  }
  for (size_t begin = 0; begin < asked.size(); begin += kFieldsACall) {
    const size_t count = std::min(kFieldsACall, asked.size() - begin);
    std::vector<nvml::FieldValue> values(count, nvml::FieldValue{});
    for (size_t i = 0; i < count; ++i) {
      values[i].field = fields[asked[begin + i]].field;
      values[i].scope = fields[asked[begin + i]].scope;
    }
    const nvml::Return result = Call(functions_.field_values, static_cast<int>(count), values.data());
    for (size_t i = 0; i < count; ++i) {
      const Field& field = fields[asked[begin + i]];
      const nvml::Return own = result == nvml::kSuccess ? values[i].result : result;
      NvmlAnswer answer{.absence = NvmlAbsence(own, true)};
      if (answer.has_value()) answer = Value(values[i]);
      const int period = answer.absence == v1::ABSENCE_UNSUPPORTED ? Spread(kUnsupportedPeriod) : 1;
      memory_[{functions_.field_values.name, uint64_t{field.field} << 32 | field.scope}] = {answer, turn_ + period};
      answers[asked[begin + i]] = answer;
    }
  }
  return answers;
}

NvmlAnswer NvmlCaller::Value(const nvml::FieldValue& value) const {
  switch (value.type) {
    case nvml::kValueDouble:
      return {.value = value.value.as_double};
    case nvml::kValueUint:
      return Checked(value.value.as_uint);
    case nvml::kValueUlong:
      return Checked(value.value.as_ulong);
    case nvml::kValueUlonglong:
      return Checked(value.value.as_ulonglong);
    case nvml::kValueLonglong:
      return Checked(value.value.as_longlong);
    case nvml::kValueInt:
      return Checked(value.value.as_int);
    case nvml::kValueUshort:
      return Checked(value.value.as_ushort);
    default:
      return {.absence = v1::ABSENCE_UNSUPPORTED};  // A type of a later NVML.
  }
}

}  // namespace muster::agent
