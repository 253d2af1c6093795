// muster-telemetry: prints what the agent's samplers read, one JSON object a line: {"sample": v1.DeviceSample} and
// {"status": …}. For developers and scripts/soak-nvml; needs no coordinator.
//
//   muster-telemetry [--kind=nvml|intel] [--turns=N] [--interval-ms=N] [--root=DIR]
//   muster-telemetry --calls [--turns=N]       how long each call into NVML takes, in this process
//   muster-telemetry --fields                  every field: {"field":{"name":…,"metric":…,"labels":[…]}}
//
// Ends after N turns (0, the default: never), or when the sampler is absent or broken; then with exit status 1.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "agent/telemetry/nvml_sampler.h"
#include "agent/telemetry/sampler_process.h"
#include "base/event_loop.h"
#include "base/json.h"
#include "base/telemetry_field.h"

namespace muster::agent {
namespace {

using Clock = std::chrono::steady_clock;

constexpr absl::string_view kStates[] = {"absent", "starting", "running", "hung", "broken"};

struct Arguments {
  SamplerProcess::Options sampler;
  int turns = 0;
  bool calls = false;
  bool fields = false;
};

bool ParseArguments(int argc, char** argv, Arguments& arguments) {
  for (int i = 1; i < argc; ++i) {
    absl::string_view word = argv[i];
    bool known = true;
    if (absl::ConsumePrefix(&word, "--kind=")) {
      arguments.sampler.kind = word == SamplerName(SamplerKind::kIntel) ? SamplerKind::kIntel : SamplerKind::kNvml;
      known = word == SamplerName(arguments.sampler.kind);
    } else if (absl::ConsumePrefix(&word, "--turns=")) {
      known = absl::SimpleAtoi(word, &arguments.turns);
    } else if (absl::ConsumePrefix(&word, "--interval-ms=")) {
      known = absl::SimpleAtoi(word, &arguments.sampler.interval_ms);
    } else if (absl::ConsumePrefix(&word, "--root=")) {
      arguments.sampler.root = std::string(word);
    } else {
      arguments.calls |= word == "--calls";
      arguments.fields |= word == "--fields";
      known = word == "--calls" || word == "--fields";
    }
    if (!known) return false;
  }
  return true;
}

// Times each call.
class Stopwatch final : public CallMarker {
 public:
  void Enter(absl::string_view, const char* call) override {
    call_ = call;
    began_ = Clock::now();
  }
  void Leave() override {
    times_us_[call_].push_back(std::chrono::duration<double, std::micro>(Clock::now() - began_).count());
  }
  void Print() {
    std::printf("%-48s %8s %10s %10s %10s\n", "call", "calls", "median us", "max us", "sum us");
    for (auto& [call, times] : times_us_) {
      std::sort(times.begin(), times.end());
      double sum = 0;
      for (const double time : times) sum += time;
      std::printf("%-48s %8zu %10.1f %10.1f %10.1f\n", call.c_str(), times.size(), times[times.size() / 2],
                  times.back(), sum);
    }
  }

 private:
  const char* call_ = "";
  Clock::time_point began_;
  std::map<std::string, std::vector<double>> times_us_;
};

int TimeCalls(int turns) {
  Stopwatch stopwatch;
  const auto sampler = MakeNvmlSampler(stopwatch);
  if (const absl::Status status = sampler->Start(); !status.ok()) {
    std::fprintf(stderr, "muster-telemetry: %s\n", std::string(status.message()).c_str());
    return 1;
  }
  std::vector<double> turns_ms;
  for (int i = 0; i < std::max(turns, 1); ++i) {
    const Clock::time_point begin = Clock::now();
    if (!sampler->Sample({}).ok()) return 1;
    turns_ms.push_back(std::chrono::duration<double, std::milli>(Clock::now() - begin).count());
  }
  stopwatch.Print();
  std::printf("first turn %.1f ms", turns_ms.front());
  std::sort(turns_ms.begin(), turns_ms.end());
  std::printf(", median %.1f ms, longest %.1f ms\n", turns_ms[turns_ms.size() / 2], turns_ms.back());
  return 0;
}

int PrintFields() {
  for (const base::TelemetryFieldInfo& info : base::TelemetryFields()) {
    std::string labels;
    for (const std::string_view label : info.labels) {
      absl::StrAppend(&labels, labels.empty() ? "" : ",", base::JsonString(label));
    }
    std::printf("{\"field\":{\"name\":%s,\"metric\":%s,\"labels\":[%s]}}\n",
                base::JsonString(v1::TelemetryField_Name(info.field)).c_str(), base::JsonString(info.metric).c_str(),
                labels.c_str());
  }
  return 0;
}

void PrintStatus(const SamplerStatus& status) {
  std::printf("{\"status\":{\"sampler\":\"%s\",\"state\":\"%s\",\"detail\":%s,\"hangs\":%llu,\"crashes\":%llu}}\n",
              std::string(SamplerName(status.kind)).c_str(), kStates[static_cast<int>(status.state)].data(),
              base::JsonString(status.detail).c_str(), static_cast<unsigned long long>(status.hangs),
              static_cast<unsigned long long>(status.crashes));
  std::fflush(stdout);
}

int Print(const Arguments& arguments) {
  base::ThreadEventLoop loop;
  int turns = 0;
  int result = 0;
  const auto sampler = SamplerProcess::Start(
      loop, arguments.sampler,
      {.on_samples =
           [&](const std::vector<v1::DeviceSample>& samples) {
             for (const v1::DeviceSample& sample : samples) {
               std::printf("{\"sample\":%s}\n", base::ToJson(sample).c_str());
             }
             std::fflush(stdout);
             if (++turns == arguments.turns) loop.Stop();
           },
       .on_status =
           [&](const SamplerStatus& status) {
             PrintStatus(status);
             if (status.state != SamplerStatus::State::kAbsent && status.state != SamplerStatus::State::kBroken) return;
             result = 1;
             loop.Stop();
           }});
  loop.Run();
  return result;
}

}  // namespace
}  // namespace muster::agent

int main(int argc, char** argv) {
  absl::string_view first = argc > 1 ? argv[1] : "";
  if (absl::ConsumePrefix(&first, muster::agent::kSamplerFlag)) return muster::agent::SamplerMain(first, argc, argv);
  muster::agent::Arguments arguments;
  if (!muster::agent::ParseArguments(argc, argv, arguments)) {
    std::fprintf(stderr,
                 "usage: muster-telemetry [--kind=nvml|intel] [--turns=N] [--interval-ms=N] [--root=DIR] | --calls | "
                 "--fields\n");
    return 2;
  }
  if (arguments.fields) return muster::agent::PrintFields();
  return arguments.calls ? muster::agent::TimeCalls(arguments.turns) : muster::agent::Print(arguments);
}
