#include "coordinator/fleet/quarantine_table.h"

#include <utility>

namespace muster::coordinator {

QuarantineTable::QuarantineTable(std::vector<v1::Quarantine> quarantines) {
  for (v1::Quarantine& quarantine : quarantines) {
    machines_[quarantine.machine()][quarantine.device_id()] = std::move(quarantine);
  }
}

v1::Quarantine QuarantineTable::Set(v1::Quarantine quarantine) {
  OfMachine& machine = machines_[quarantine.machine()];
  const auto [it, first] = machine.try_emplace(quarantine.device_id(), quarantine);
  if (!first) {
    quarantine.set_since_unix_ms(it->second.since_unix_ms());
    it->second = std::move(quarantine);
  }
  changes_.push_back({.quarantine = it->second});
  return it->second;
}

std::optional<v1::Quarantine> QuarantineTable::Release(std::string_view machine, std::string_view device_id) {
  const auto of_machine = machines_.find(machine);
  if (of_machine == machines_.end()) return std::nullopt;
  const auto found = of_machine->second.find(device_id);
  if (found == of_machine->second.end()) return std::nullopt;
  v1::Quarantine released = std::move(found->second);
  of_machine->second.erase(found);
  if (of_machine->second.empty()) machines_.erase(of_machine);
  changes_.push_back({.quarantine = released, .released = true});
  return released;
}

std::vector<v1::Quarantine> QuarantineTable::Of(std::string_view machine) const {
  std::vector<v1::Quarantine> quarantines;
  const auto of_machine = machines_.find(machine);
  if (of_machine == machines_.end()) return quarantines;
  for (const auto& [device, quarantine] : of_machine->second) quarantines.push_back(quarantine);
  return quarantines;
}

std::vector<QuarantineRow> QuarantineTable::TakeChanges() { return std::exchange(changes_, {}); }

}  // namespace muster::coordinator
