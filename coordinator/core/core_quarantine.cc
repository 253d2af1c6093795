// Core's quarantines: who is in, and what that keeps away.
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/names.h"
#include "base/status_macros.h"
#include "coordinator/core/core_impl.h"
#include "coordinator/fleet/device_name.h"

namespace muster::coordinator {
namespace {

constexpr size_t kMaxReason = 1'024;

absl::Status CheckReason(const std::string& reason) {
  if (reason.size() > kMaxReason) {
    return absl::InvalidArgumentError(
        absl::StrCat("reason: at most ", kMaxReason, " bytes are taken, found ", reason.size()));
  }
  if (!absl::StripAsciiWhitespace(reason).empty()) return absl::OkStatus();
  return absl::InvalidArgumentError("reason: expected why, in a sentence, for whoever comes by later; found none");
}

absl::StatusOr<const MachineEntry*> KnownMachine(const FleetTable& fleet, const std::string& name) {
  constexpr size_t kNamed = 10;
  if (const MachineEntry* machine = fleet.Find(name)) return machine;
  std::vector<std::string> names;
  for (const auto& [known, machine] : fleet.machines()) {
    if (names.size() < kNamed) names.push_back(known);
  }
  return absl::NotFoundError(absl::StrCat(
      "there is no machine ", base::Quoted(name), "; there ", names.size() == 1 ? "is: " : "are: ",
      names.empty() ? "none" : absl::StrJoin(names, ", "), fleet.machines().size() > names.size() ? ", …" : ""));
}

std::string Describe(const v1::Machine& machine, const std::string& device_id) {
  if (device_id.empty()) return absl::StrCat("machine ", machine.name());
  return absl::StrCat(DescribeDevice(machine, device_id), " of machine ", machine.name());
}

}  // namespace

void Core::Impl::RefreshGate(const MachineEntry& machine, base::Time now) {
  dispatcher.SetGate(machine, GateOf(machine, quarantines.Of(machine.record.machine.name())), now);
}

absl::StatusOr<v1::Quarantine> Core::Impl::SetQuarantine(const v1::SetQuarantineRequest& request,
                                                         std::string_view author, base::Time now) {
  last_time = now;
  RETURN_IF_ERROR(CheckReason(request.reason()));
  ASSIGN_OR_RETURN(const MachineEntry* const found, KnownMachine(fleet, request.machine()));
  v1::Quarantine quarantine;
  quarantine.set_machine(request.machine());
  if (!request.device().empty()) {
    ASSIGN_OR_RETURN(*quarantine.mutable_device_id(), ResolveDevice(found->record.machine, request.device()));
  }
  quarantine.set_reason(request.reason());
  quarantine.set_author(std::string(author));
  quarantine.set_since_unix_ms(now.unix_ms);
  quarantine = quarantines.Set(std::move(quarantine));
  MachineEntry& machine = *fleet.Find(request.machine());
  fleet.Changed(machine);
  RefreshGate(machine, now);
  dispatcher.Dispatch(machine, now);  // Others may have waited behind what it ended.
  return quarantine;
}

absl::StatusOr<v1::Quarantine> Core::Impl::ReleaseQuarantine(const v1::ReleaseQuarantineRequest& request,
                                                             base::Time now) {
  last_time = now;
  ASSIGN_OR_RETURN(const MachineEntry* const found, KnownMachine(fleet, request.machine()));
  // By its id also a device that has been taken out.
  std::optional<v1::Quarantine> released = quarantines.Release(request.machine(), request.device());
  if (!released.has_value()) {
    std::string device_id;
    if (!request.device().empty()) {
      ASSIGN_OR_RETURN(device_id, ResolveDevice(found->record.machine, request.device()));
      released = quarantines.Release(request.machine(), device_id);
    }
    if (!released.has_value()) {
      std::vector<std::string> there;
      for (const v1::Quarantine& one : quarantines.Of(request.machine())) {
        there.push_back(Describe(found->record.machine, one.device_id()));
      }
      return absl::NotFoundError(absl::StrCat(Describe(found->record.machine, device_id), " is not in quarantine",
                                              there.empty() ? "" : "; what is: ", absl::StrJoin(there, ", ")));
    }
  }
  MachineEntry& machine = *fleet.Find(request.machine());
  fleet.Changed(machine);
  RefreshGate(machine, now);
  return *std::move(released);
}

}  // namespace muster::coordinator
