// muster-inventory: prints this machine as the agent sees it, as JSON. For a look at a new kind of machine; not
// installed.
//
//   muster-inventory [NAME]
#include <cstdio>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "agent/inventory/inventory.h"
#include "agent/inventory/probe.h"
#include "base/json.h"

int main(int argc, char** argv) {
  absl::string_view argument = argc > 1 ? argv[1] : "";
  if (absl::ConsumePrefix(&argument, muster::agent::kProbeFlag)) return muster::agent::ProbeMain(argument);

  muster::agent::ChildProbe nvml(muster::agent::ProbeKind::kNvml);
  muster::agent::ChildProbe level_zero(muster::agent::ProbeKind::kLevelZero);
  muster::agent::InventoryOptions options;
  options.machine_name = std::string(argument);
  const auto machine = muster::agent::CollectInventory(options, &nvml, &level_zero);
  if (!machine.ok()) {
    std::fprintf(stderr, "muster-inventory: %s\n", std::string(machine.status().message()).c_str());
    return 1;
  }
  std::puts(muster::base::ToJson(*machine, muster::base::JsonStyle::kIndented).c_str());
  return 0;
}
