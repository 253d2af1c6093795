// What a case's devices did meanwhile, in a line each, for people: reports and the command line show the same.
#ifndef MUSTER_BASE_CASE_CONTEXT_H_
#define MUSTER_BASE_CASE_CONTEXT_H_

#include <string>
#include <vector>

#include "muster/v1/run.pb.h"

namespace muster::base {

// "GPU-1: core 45 °C to 71 °C, card 120 W to 690 W, …, throttled by thermal, pcie_replays +3", then one line of the
// events: "events: nvidia.xid.31 (2), pcie.replay-rate". Empty when the context is. Text from outside is not cleaned.
std::vector<std::string> ContextLines(const v1::CaseContext& context);

}  // namespace muster::base

#endif  // MUSTER_BASE_CASE_CONTEXT_H_
