// The faults that a demonstration can give a simulated GPU, and how the fleet's health should answer. Pure.
#ifndef MUSTER_CLI_DEMO_FAULT_KINDS_H_
#define MUSTER_CLI_DEMO_FAULT_KINDS_H_

#include <string>
#include <string_view>
#include <vector>

#include "muster/v1/fleet.pb.h"

namespace muster::cli {

struct FaultKind {
  std::string_view name;  // As --once takes it.
  std::string_view what;  // "a fan stands still"
  // Which devices can have it; UNSPECIFIED: of both vendors.
  v1::Vendor vendor = v1::VENDOR_UNSPECIFIED;
  // As a Fault of the simulated hardware's scenario has it (scenario.proto).
  std::string_view text;
  // Event code of the condition that is expected to stand.
  std::string_view code;
  // It stands until a reset, which simulated machines do not get: such faults come last.
  bool lasts = false;
};

const std::vector<FaultKind>& FaultKinds();
// Null when there is none of the name.
const FaultKind* FindFaultKind(std::string_view name);

}  // namespace muster::cli

#endif  // MUSTER_CLI_DEMO_FAULT_KINDS_H_
