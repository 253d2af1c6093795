// Feeds anything to the reader of scenarios, and asks a world of what it takes for everything that it holds.
//
//   build-fuzz/tests/fuzz/fuzz_scenario -max_total_time=30 CORPUS tests/hardware_sim/scenarios
//
// Besides crashes and sanitizer reports it looks for broken promises: values are finite, and counters never fall.
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>

#include "base/telemetry_field.h"
#include "tests/hardware_sim/scenario_file.h"
#include "tests/hardware_sim/world.h"

namespace {

using muster::sim::World;

void AskEverything(const World& world) {
  for (size_t i = 0; i < world.devices().size(); ++i) {
    for (const auto& info : muster::base::TelemetryFields()) {
      for (const auto& labels : world.LabelsOf(i, info.field)) {
        double last = 0;
        for (const double now : {0.0, 1.5, 59.9, 61.0, 400.0, 1e6}) {
          const muster::v1::Reading reading = world.Read(i, info.field, labels, now);
          if (!reading.has_value()) continue;
          if (!std::isfinite(reading.value())) abort();
          // As far as a double can tell.
          if (info.counter && reading.value() < last * (1 - 1e-9) - 1e-6) abort();
          last = reading.value();
        }
      }
    }
  }
  world.KernelLog(-1, 1e9);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto scenario = muster::sim::ParseScenario(std::string_view(reinterpret_cast<const char*>(data), size), "fuzz");
  if (!scenario.ok()) return 0;
  const auto world = World::Make(*scenario, scenario->machines(0).name());
  if (!world.ok()) abort();
  AskEverything(**world);
  return 0;
}
