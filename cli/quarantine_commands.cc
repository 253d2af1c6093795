// quarantine, release: keep machines and GPUs from getting jobs.
#include "absl/strings/str_cat.h"
#include "base/names.h"
#include "base/status_macros.h"
#include "cli/commands.h"
#include "cli/text.h"

namespace muster::cli {
namespace {

// MACHINE/DEVICE in parts; a device's id may hold a "/", a machine's name cannot.
template <typename Request>
absl::Status SetTarget(const std::string& target, Request& request) {
  const size_t slash = target.find('/');
  request.set_machine(target.substr(0, slash));
  if (slash != std::string::npos) request.set_device(target.substr(slash + 1));
  const bool complete = !request.machine().empty() && (slash == std::string::npos || !request.device().empty());
  if (complete) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("expected MACHINE or MACHINE/DEVICE, e.g. node1/0, found ", base::Quoted(target)));
}

std::string Describe(const v1::Quarantine& quarantine) {
  return absl::StrCat(Sanitize(quarantine.machine(), 253), quarantine.device_id().empty() ? "" : ", device ",
                      Sanitize(quarantine.device_id(), 253));
}

}  // namespace

absl::StatusOr<int> RunQuarantine(const QuarantineOptions& options, Context& context) {
  ASSIGN_OR_RETURN(Client* const client, context.client());
  v1::SetQuarantineRequest request;
  RETURN_IF_ERROR(SetTarget(options.target, request));
  request.set_reason(options.reason);
  ASSIGN_OR_RETURN(const v1::SetQuarantineResponse response, client->SetQuarantine(request));
  if (options.json) {
    context.out() << Context::Json(response);
  } else {
    context.out() << Describe(response.quarantine())
                  << " is in quarantine: its cases are SKIPPED, but for `muster run --on-quarantined`\n";
  }
  return kExitGreen;
}

absl::StatusOr<int> RunRelease(const QuarantineOptions& options, Context& context) {
  ASSIGN_OR_RETURN(Client* const client, context.client());
  v1::ReleaseQuarantineRequest request;
  RETURN_IF_ERROR(SetTarget(options.target, request));
  request.set_reason(options.reason);
  ASSIGN_OR_RETURN(const v1::ReleaseQuarantineResponse response, client->ReleaseQuarantine(request));
  if (options.json) {
    context.out() << Context::Json(response);
  } else {
    context.out() << Describe(response.quarantine()) << " is released; it was quarantined by "
                  << Sanitize(response.quarantine().author(), 128) << ": " << Sanitize(response.quarantine().reason())
                  << "\n";
  }
  return kExitGreen;
}

}  // namespace muster::cli
