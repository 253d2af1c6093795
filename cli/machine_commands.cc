// machines, machine: the fleet.
#include <algorithm>
#include <map>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/selector.h"
#include "base/status_macros.h"
#include "base/units.h"
#include "cli/commands.h"
#include "cli/health_view.h"
#include "cli/table.h"
#include "cli/text.h"

namespace muster::cli {
namespace {

size_t CountUnready(const v1::Machine& machine) {
  return std::count_if(machine.devices().begin(), machine.devices().end(),
                       [](const v1::Device& d) { return d.driver_state() != v1::DRIVER_STATE_READY; });
}

// "8 × NVIDIA H200, Intel Arc B580"
std::string DevicesOf(const v1::Machine& machine) {
  std::map<std::string, int> models;
  for (const v1::Device& device : machine.devices()) {
    ++models[ModelOf(device)];
  }
  std::vector<std::string> parts;
  for (const auto& [model, count] : models) parts.push_back(count == 1 ? model : absl::StrCat(count, " × ", model));
  return parts.empty() ? "no GPU" : absl::StrJoin(parts, ", ");
}

std::string DriversOf(const v1::Machine& machine) {
  std::vector<std::string> versions;
  for (const v1::Device& device : machine.devices()) {
    const std::string version = Sanitize(device.driver_version(), 64);
    if (!version.empty() && std::find(versions.begin(), versions.end(), version) == versions.end())
      versions.push_back(version);
  }
  return absl::StrJoin(versions, ",");
}

Cell ConnectionOf(const v1::MachineStatus& status, const Palette& palette, int64_t now_unix_ms) {
  if (status.connected()) return {absl::StrCat(palette.Symbol(v1::PASSED), " connected"), Style::kGood};
  if (status.last_seen_unix_ms() == 0) return {absl::StrCat(palette.Symbol(v1::SKIPPED), " never seen"), Style::kDim};
  const int64_t ago_ms = std::max<int64_t>(now_unix_ms - status.last_seen_unix_ms(), 0);
  return {absl::StrCat(palette.Symbol(v1::FAILED), " away for ", base::FormatDuration(ago_ms)), Style::kBad};
}

Cell ProblemsOf(const v1::MachineStatus& status) {
  std::vector<std::string> problems;
  if (const size_t unready = CountUnready(status.machine()); unready > 0) {
    problems.push_back(absl::StrCat(unready, unready == 1 ? " GPU without driver" : " GPUs without driver"));
  }
  if (status.suite_problems_size() > 0)
    problems.push_back(absl::StrCat(status.suite_problems_size(), " broken suites"));
  return {absl::StrJoin(problems, ", "), Style::kBad};
}

std::string EnumTail(const std::string& name, size_t prefix) {
  return name.size() > prefix ? name.substr(prefix) : name;
}

std::string LinkOf(const v1::PciLink& link) {
  if (!link.has_generation() && !link.has_max_generation()) return "";
  const auto side = [](bool known, uint32_t generation, uint32_t width) {
    return known ? absl::StrCat("gen ", generation, " x", width) : std::string("?");
  };
  return absl::StrCat(side(link.has_generation(), link.generation(), link.width()), " of ",
                      side(link.has_max_generation(), link.max_generation(), link.max_width()));
}

void AddFact(Table& facts, const std::string& name, const std::string& value) {
  if (!value.empty()) facts.AddRow({{name, Style::kDim}, {value}});
}

// Where a suite of the machine has never run on such devices as its own: "driver on vendor=intel: why".
void AddUnproven(Table& facts, const v1::MachineStatus& status) {
  for (const v1::SuiteManifest& suite : status.suites()) {
    for (const v1::Unproven& unproven : suite.unproven()) {
      const auto selector = base::Selector::Parse(unproven.devices());
      const auto& devices = status.machine().devices();
      const bool here = selector.ok() && std::any_of(devices.begin(), devices.end(), [&](const v1::Device& device) {
                          return !device.simulated() && selector->Matches(device.labels(), status.machine().labels());
                        });
      if (!here) continue;
      AddFact(facts, "not proven",
              absl::StrCat(Sanitize(suite.name(), 64), " on ", Sanitize(unproven.devices(), 128), ": ",
                           Sanitize(unproven.reason(), 512)));
    }
  }
}

std::string MachineFacts(const v1::MachineStatus& status, Context& context) {
  const v1::Machine& m = status.machine();
  Table facts({{""}, {"", false, true}}, 2);
  const Cell connection = ConnectionOf(status, context.palette(), context.environment().now_unix_ms());
  facts.AddRow({{"agent", Style::kDim}, connection});
  AddFact(facts, "agent version", Sanitize(m.agent_version(), 64));
  AddFact(facts, "host", Sanitize(m.host_name(), 253));
  AddFact(facts, "system", absl::StrCat(Sanitize(m.os(), 128), "  Linux ", Sanitize(m.kernel(), 128)));
  if (m.has_nixos()) {
    AddFact(facts, "nixpkgs",
            absl::StrCat(Sanitize(m.nixos().nixos_version(), 64), "  ", Sanitize(m.nixos().nixpkgs_revision(), 64)));
    AddFact(facts, "closure", Sanitize(m.nixos().system_closure(), 256));
  }
  AddFact(facts, "processor", absl::StrCat(m.cpu_count(), " × ", Sanitize(m.cpu_model(), 128)));
  AddFact(facts, "memory", m.memory_bytes() == 0 ? "" : base::FormatBytes(m.memory_bytes()));
  std::vector<std::string> labels;
  for (const auto& [key, value] : m.labels())
    labels.push_back(absl::StrCat(Sanitize(key, 128), "=", Sanitize(value, 128)));
  std::sort(labels.begin(), labels.end());
  AddFact(facts, "labels", absl::StrJoin(labels, " "));
  std::vector<std::string> suites;
  for (const v1::SuiteManifest& s : status.suites())
    suites.push_back(absl::StrCat(Sanitize(s.name(), 64), " ", Sanitize(s.version(), 32)));
  AddFact(facts, "suites", absl::StrJoin(suites, ", "));
  AddUnproven(facts, status);
  if (status.outbox_limit_bytes() > 0) {
    AddFact(
        facts, "outbox",
        absl::StrCat(base::FormatBytes(status.outbox_bytes()), " of ", base::FormatBytes(status.outbox_limit_bytes())));
  }
  return facts.Render(context.palette(), context.table_width());
}

std::string DeviceTable(const v1::Machine& machine, Context& context) {
  Table table({{"GPU"},
               {"MODEL", false, true},
               {"PCI"},
               {"LINK"},
               {"MEMORY", true},
               {"ECC"},
               {"DRIVER"},
               {"UUID", false, true}},
              2);
  int index = 0;
  for (const v1::Device& d : machine.devices()) {
    const std::string ecc = EnumTail(v1::EccMode_Name(d.ecc_mode()), 9);
    table.AddRow({{absl::StrCat(index++)},
                  {ModelOf(d)},
                  {Sanitize(d.pci_address(), 32)},
                  {LinkOf(d.pci_link())},
                  {d.has_memory_bytes() ? base::FormatBytes(d.memory_bytes()) : ""},
                  {ecc == "UNSPECIFIED" ? "" : ecc},
                  {Sanitize(d.driver_version(), 64)},
                  {Sanitize(d.uuid(), 64), Style::kDim}});
  }
  return table.empty() ? "  no GPU\n" : table.Render(context.palette(), context.table_width());
}

std::string MachineProblems(const v1::MachineStatus& status, const Palette& palette) {
  std::string out;
  const auto add = [&](Style style, absl::string_view text) {
    absl::StrAppend(&out, "  ", palette.Paint(style, absl::StrCat(palette.Symbol(v1::ERROR), " ", Sanitize(text))),
                    "\n");
  };
  int index = 0;
  for (const v1::Device& d : status.machine().devices()) {
    if (d.driver_state() != v1::DRIVER_STATE_READY) {
      add(Style::kBad, absl::StrCat("GPU ", index, ": ", EnumTail(v1::DriverState_Name(d.driver_state()), 13),
                                    d.driver_problem().empty() ? "" : ": ", d.driver_problem()));
    }
    ++index;
  }
  for (const std::string& problem : status.suite_problems()) add(Style::kBad, problem);
  for (const std::string& note : status.machine().notes()) add(Style::kWarning, note);
  return out;
}

}  // namespace

absl::StatusOr<int> RunMachines(const MachinesOptions& options, Context& context) {
  ASSIGN_OR_RETURN(Client* const client, context.client());
  v1::ListMachinesRequest request;
  request.set_on(options.on);
  ASSIGN_OR_RETURN(const v1::ListMachinesResponse response, client->ListMachines(request));
  if (options.json) {
    context.out() << Context::Json(response);
    return kExitGreen;
  }
  const Palette palette = context.palette();
  Table table({{"MACHINE", false, true},
               {"AGENT"},
               {"HEALTH", false, true},
               {"GPUS", false, true},
               {"DRIVER", false, true},
               {"JOBS", true},
               {"PROBLEMS", false, true}});
  for (const v1::MachineStatus& status : response.machines()) {
    table.AddRow({{Sanitize(status.machine().name(), 253)},
                  ConnectionOf(status, palette, context.environment().now_unix_ms()),
                  HealthSummary(status, palette),
                  {DevicesOf(status.machine())},
                  {DriversOf(status.machine())},
                  {absl::StrCat(status.leases_size())},
                  ProblemsOf(status)});
  }
  if (!table.empty()) {
    context.out() << table.Render(palette, context.table_width());
  } else if (options.on.empty()) {
    context.err()
        << "no machines yet: make a token with `muster token create --role agent`, and start muster-agent with it\n";
  } else {
    context.err() << "no machine matches " << Sanitize(options.on) << "\n";
  }
  return kExitGreen;
}

absl::StatusOr<int> RunMachine(const MachineOptions& options, Context& context) {
  ASSIGN_OR_RETURN(Client* const client, context.client());
  v1::GetMachineRequest request;
  request.set_name(options.name);
  ASSIGN_OR_RETURN(const v1::GetMachineResponse response, client->GetMachine(request));
  if (options.json) {
    context.out() << Context::Json(response);
    return kExitGreen;
  }
  const v1::MachineStatus& status = response.machine();
  const Palette palette = context.palette();
  context.out() << palette.Paint(Style::kBold, Sanitize(status.machine().name(), 253)) << "\n"
                << MachineFacts(status, context) << "\n"
                << DeviceTable(status.machine(), context);
  if (const std::string health = HealthDetails(status, palette, context.environment().now_unix_ms()); !health.empty())
    context.out() << "\nhealth\n" << health;
  if (const int events = status.health().events_size(); options.events) {
    context.out() << "\nevents" << (events == 0 ? ": none\n" : "\n") << EventLines(status, palette);
  } else if (events > 0) {
    context.out() << "  events: " << events << " (--events)\n";
  }
  if (const std::string problems = MachineProblems(status, palette); !problems.empty())
    context.out() << "\nproblems and notes\n" << problems;
  for (const v1::Lease& lease : status.leases()) {
    context.out() << "\n  runs " << Sanitize(lease.ref().job_id(), 64) << ", attempt " << lease.ref().attempt() << "\n";
  }
  return kExitGreen;
}

}  // namespace muster::cli
