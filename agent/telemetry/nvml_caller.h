// Calls NVML for one device: marks each call, makes absences of result codes, and remembers what need not be asked
// every turn: what the device does not have, and what hardly ever changes.
#ifndef MUSTER_AGENT_TELEMETRY_NVML_CALLER_H_
#define MUSTER_AGENT_TELEMETRY_NVML_CALLER_H_

#include <cstdint>
#include <limits>
#include <map>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "agent/telemetry/nvml_functions.h"
#include "agent/telemetry/sampler.h"
#include "muster/v1/telemetry.pb.h"

namespace muster::agent {

// What a result code says of a value. ABSENCE_UNSPECIFIED: it is there. `of_kind`: the call was of a kind, location or
// field, which an old driver may not know.
v1::Absence NvmlAbsence(nvml::Return result, bool of_kind);

// A value, or why there is none.
struct NvmlAnswer {
  v1::Absence absence = v1::ABSENCE_UNSPECIFIED;
  double value = 0;
  bool has_value() const { return absence == v1::ABSENCE_UNSPECIFIED; }
};

class NvmlCaller {
 public:
  // Turns after which what the device does not have is asked again, at the earliest.
  static constexpr int kUnsupportedPeriod = 60;
  // The same for what hardly ever changes: limits and maxima.
  static constexpr int kSteadyPeriod = 20;

  struct Field {
    unsigned int field = 0;
    unsigned int scope = 0;
  };

  NvmlCaller(const NvmlFunctions& functions, nvml::Device handle, std::string device, CallMarker& marker)
      : functions_(functions), handle_(handle), device_(std::move(device)), marker_(marker) {}

  void BeginTurn() {
    ++turn_;
    lost_ = false;
  }
  int turn() const { return turn_; }
  // This turn a call said so; no other is made in it.
  bool lost() const { return lost_; }
  // A call said that NVML must be started anew.
  bool wants_restart() const { return wants_restart_; }
  const NvmlFunctions& functions() const { return functions_; }

  // One call, without memory.
  template <typename Function, typename... Arguments>
  nvml::Return Call(const NvmlFunction<Function>& function, Arguments... arguments) {
    if (function.call == nullptr) return nvml::kFunctionNotFound;
    if (lost_) return nvml::kGpuIsLost;
    marker_.Enter(device_, function.name);
    const nvml::Return result = function.call(handle_, arguments...);
    marker_.Leave();
    lost_ = result == nvml::kGpuIsLost || result == nvml::kGpuNotFound;
    wants_restart_ |= result == nvml::kUninitialized || result == nvml::kDriverNotLoaded;
    return result;
  }

  // `read` makes the call and gives its result; it fills `values` when that is a success. Left out while the device is
  // known not to have it. `kind` tells calls of one function apart; 0: it has no kinds.
  template <typename Name, typename Read>
  v1::Absence Remembering(const NvmlFunction<Name>& function, uint64_t kind, Read read) {
    Memory& memory = memory_[{function.name, kind}];
    if (memory.until > turn_) return memory.answer.absence;
    memory.answer = {.absence = NvmlAbsence(read(), kind != 0)};
    memory.until = turn_ + (memory.answer.absence == v1::ABSENCE_UNSUPPORTED ? Spread(kUnsupportedPeriod) : 1);
    return memory.answer.absence;
  }

  // The number that the function writes last.
  template <typename Number, typename Function, typename... Arguments>
  NvmlAnswer Ask(int period, const NvmlFunction<Function>& function, uint64_t kind, Arguments... arguments) {
    Memory& memory = memory_[{function.name, kind}];
    if (memory.until > turn_) return memory.answer;
    Number number{};
    NvmlAnswer answer{.absence = NvmlAbsence(Call(function, arguments..., &number), kind != 0)};
    if (answer.has_value()) answer = Checked(number);
    memory.answer = answer;
    memory.until = turn_ + (answer.absence == v1::ABSENCE_UNSUPPORTED ? Spread(kUnsupportedPeriod)
                            : answer.has_value() && period > 1        ? Spread(period)
                                                                      : 1);
    return answer;
  }
  template <typename Number = unsigned int, typename Function, typename... Arguments>
  NvmlAnswer Now(const NvmlFunction<Function>& function, uint64_t kind = 0, Arguments... arguments) {
    return Ask<Number>(1, function, kind, arguments...);
  }
  template <typename Number = unsigned int, typename Function, typename... Arguments>
  NvmlAnswer Steady(const NvmlFunction<Function>& function, uint64_t kind = 0, Arguments... arguments) {
    return Ask<Number>(kSteadyPeriod, function, kind, arguments...);
  }

  // Answers in the order of `fields`.
  std::vector<NvmlAnswer> AskFields(const std::vector<Field>& fields);

  // NVML's "not available" is no number.
  template <typename Number>
  static NvmlAnswer Checked(Number number) {
    if (std::is_unsigned_v<Number> && number == std::numeric_limits<Number>::max()) {
      return {.absence = v1::ABSENCE_UNSUPPORTED};
    }
    return {.value = static_cast<double>(number)};
  }

 private:
  struct Memory {
    NvmlAnswer answer;
    int until = 0;  // The turn in which it is asked again.
  };

  // Between `period` and twice that, so that not all falls due in one turn.
  int Spread(int period) { return period + static_cast<int>(spread_++ % static_cast<unsigned>(period)); }
  NvmlAnswer Value(const nvml::FieldValue& value) const;

  const NvmlFunctions& functions_;
  const nvml::Device handle_;
  const std::string device_;
  CallMarker& marker_;
  int turn_ = 0;
  bool lost_ = false;
  bool wants_restart_ = false;
  unsigned spread_ = 0;
  std::map<std::pair<const char*, uint64_t>, Memory> memory_;
};

}  // namespace muster::agent

#endif  // MUSTER_AGENT_TELEMETRY_NVML_CALLER_H_
