// token create, enroll; and what completion asks the coordinator for.
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "base/names.h"
#include "base/status_macros.h"
#include "cli/commands.h"
#include "cli/text.h"

namespace muster::cli {
namespace {

absl::StatusOr<v1::Role> ParseRole(const std::string& text) {
  if (text == "agent") return v1::ROLE_AGENT;
  if (text == "viewer") return v1::ROLE_VIEWER;
  if (text == "operator") return v1::ROLE_OPERATOR;
  if (text == "admin") return v1::ROLE_ADMIN;
  return absl::InvalidArgumentError(
      absl::StrCat("--role expects agent, viewer, operator or admin, found ", base::Quoted(text)));
}

// "30m", "1h30m", "2d".
absl::StatusOr<int64_t> ParseLifetimeMs(const std::string& text) {
  int64_t days = 0;
  absl::Duration duration;
  const bool in_days = !text.empty() && text.back() == 'd' && absl::SimpleAtoi(text.substr(0, text.size() - 1), &days);
  if (in_days) duration = absl::Hours(24) * days;
  if ((!in_days && !absl::ParseDuration(text, &duration)) || duration <= absl::ZeroDuration() ||
      duration > absl::Hours(24) * 30) {
    return absl::InvalidArgumentError(
        absl::StrCat("--lifetime expects a time of at most 30 days, like 30m, 1h or 2d, found ", base::Quoted(text)));
  }
  return absl::ToInt64Milliseconds(duration);
}

}  // namespace

absl::StatusOr<int> RunTokenCreate(const TokenOptions& options, Context& context) {
  v1::CreateTokenRequest request;
  ASSIGN_OR_RETURN(const v1::Role role, ParseRole(options.role));
  ASSIGN_OR_RETURN(const int64_t lifetime_ms, ParseLifetimeMs(options.lifetime));
  if (!options.name.empty()) RETURN_IF_ERROR(base::CheckMachineName(options.name));
  request.set_role(role);
  request.set_name(options.name);
  request.set_lifetime_ms(lifetime_ms);
  ASSIGN_OR_RETURN(Client* const client, context.client());
  ASSIGN_OR_RETURN(const v1::CreateTokenResponse response, client->CreateToken(request));
  if (options.json) {
    context.out() << Context::Json(response);
    return kExitGreen;
  }
  // Alone on standard output, for $(…); what it is good for goes beside it.
  context.out() << Sanitize(response.token(), 512) << "\n";
  if (context.environment().err_is_terminal) {
    context.err() << "good once, until "
                  << absl::FormatTime("%Y-%m-%d %H:%M", absl::FromUnixMillis(response.expires_unix_ms()),
                                      absl::LocalTimeZone())
                  << ", for the role " << options.role << (options.name.empty() ? "" : " and the name ") << options.name
                  << "\n";
  }
  return kExitGreen;
}

absl::StatusOr<int> RunEnroll(const EnrollOptions& options, Context& context) {
  return absl::UnimplementedError("enroll is not there yet");
}

}  // namespace muster::cli
