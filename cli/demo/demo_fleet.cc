#include "cli/demo/demo_fleet.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "base/text.h"

namespace muster::cli {
namespace {

// The simulation keeps every fault for ever, and bounds how many a device may have.
constexpr size_t kMaxFaultsOfDevice = 200;

constexpr const char* kIntelModels[] = {"ARC_A770", "ARC_PRO_B60"};
constexpr const char* kNvidiaModels[] = {"H200", "H100"};

}  // namespace

DemoFleet::DemoFleet(size_t machines, uint64_t seed) : random_(seed) {
  for (size_t i = 0; i < machines; ++i) {
    const size_t number = i / 2;
    if (i % 2 == 0) {
      machines_.push_back({absl::StrCat("demo-intel-", number + 1), v1::VENDOR_INTEL, kIntelModels[number % 2]});
    } else {
      machines_.push_back({absl::StrCat("demo-nvidia-", number + 1), v1::VENDOR_NVIDIA, kNvidiaModels[number % 2]});
    }
  }
}

const FaultKind& DemoFleet::NextKind() {
  if (deck_.empty()) {
    for (const FaultKind& kind : FaultKinds()) {
      const bool possible = kind.vendor == v1::VENDOR_UNSPECIFIED ||
                            std::any_of(machines_.begin(), machines_.end(),
                                        [&](const Machine& machine) { return machine.vendor == kind.vendor; });
      if (possible) deck_.push_back(&kind);
    }
    std::shuffle(deck_.begin(), deck_.end(), random_);
    std::stable_partition(deck_.begin(), deck_.end(), [](const FaultKind* kind) { return kind->lasts; });
  }
  const FaultKind& next = *deck_.back();
  deck_.pop_back();
  return next;
}

DemoFleet::Target DemoFleet::Choose(const FaultKind& kind, const std::set<Target>& avoid) {
  std::vector<Target> able;
  std::vector<Target> good;
  for (size_t machine = 0; machine < machines_.size(); ++machine) {
    if (kind.vendor != v1::VENDOR_UNSPECIFIED && machines_[machine].vendor != kind.vendor) continue;
    for (size_t gpu = 0; gpu < kGpusPerMachine; ++gpu) {
      able.push_back({machine, gpu});
      if (!avoid.contains(able.back())) good.push_back(able.back());
    }
  }
  const std::vector<Target>& from = good.empty() ? able : good;
  return from[random_() % from.size()];
}

void DemoFleet::Inject(const FaultKind& kind, const Target& target, double at_s, double until_s) {
  const auto of_target = [&](const Injected& injected) { return injected.target == target; };
  if (static_cast<size_t>(std::count_if(injected_.begin(), injected_.end(), of_target)) >= kMaxFaultsOfDevice) {
    injected_.erase(std::find_if(injected_.begin(), injected_.end(), of_target));
  }
  injected_.push_back({target, base::Text("at_s: ", at_s, " until_s: ", until_s, " ", kind.text)});
}

std::string DemoFleet::ScenarioText() const {
  std::string text =
      "# SIMULATED hardware of `muster demo`, which writes this file anew with each fault.\n"
      "# proto-file: tests/hardware_sim/scenario.proto\n";
  for (size_t machine = 0; machine < machines_.size(); ++machine) {
    absl::StrAppend(&text, "machines {\n  name: \"", machines_[machine].name, "\"\n");
    for (size_t gpu = 0; gpu < kGpusPerMachine; ++gpu) {
      // Busy, each at a pace of its own.
      const double period_s = 90 + 37 * static_cast<double>(machine) + 11 * static_cast<double>(gpu);
      absl::StrAppend(&text, "  devices {\n    model: ", machines_[machine].model,
                      "\n    load { wave { mean: 0.75 amplitude: 0.15 period_s: ", period_s, " } }\n");
      for (const Injected& injected : injected_) {
        if (injected.target == Target{machine, gpu}) absl::StrAppend(&text, "    faults { ", injected.text, " }\n");
      }
      text += "  }\n";
    }
    text += "}\n";
  }
  return text;
}

}  // namespace muster::cli
