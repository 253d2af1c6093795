// token create, enroll.
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <istream>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "base/enroll.h"
#include "base/file.h"
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

std::string LocalTime(int64_t unix_ms) {
  return absl::FormatTime("%Y-%m-%d %H:%M", absl::FromUnixMillis(unix_ms), absl::LocalTimeZone());
}

// CONFIG/current, which commands use when no identity is named, becomes a link to CONFIG/NAME.
absl::Status PointCurrentTo(const std::string& config, const std::string& name) {
  const std::string current = base::JoinPath(config, "current");
  const std::string fresh = current + ".new";
  unlink(fresh.c_str());
  if (symlink(name.c_str(), fresh.c_str()) != 0 || rename(fresh.c_str(), current.c_str()) != 0) {
    return base::ErrnoStatus(errno, absl::StrCat("cannot make ", current));
  }
  return absl::OkStatus();
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
    context.err() << "good once, until " << LocalTime(response.expires_unix_ms()) << ", for the role " << options.role
                  << (options.name.empty() ? "" : " and the name ") << options.name << "\n";
  }
  return kExitGreen;
}

absl::StatusOr<int> RunEnroll(const EnrollOptions& options, Context& context) {
  const Environment& environment = context.environment();
  const std::string login = base::MachineNameFromHost(environment.variable("USER").value_or(""));
  const std::string name = options.name.empty() ? login : options.name;
  if (name.empty()) {
    return absl::InvalidArgumentError("the login name (USER) is not known: say who you are with --name NAME");
  }
  RETURN_IF_ERROR(base::CheckMachineName(name));
  std::string token = options.token;
  if (token == "-") std::getline(*environment.in, token);
  ASSIGN_OR_RETURN(const std::string config, ConfigFolder(environment));
  RETURN_IF_ERROR(base::MakeFolders(config, 0700));
  const std::string folder = base::JoinPath(config, name);
  const absl::StatusOr<base::CertificateInfo> certificate =
      base::Enroll({.coordinator_address = FindCoordinator(context.options().endpoint, environment, ""),
                    .token = token,
                    .name = name,
                    .folder = folder,
                    .replace = options.replace,
                    .now_unix_ms = environment.now_unix_ms()});
  if (absl::IsAlreadyExists(certificate.status())) {
    return absl::InvalidArgumentError(absl::StrCat("there is an identity in ", folder,
                                                   " already: give it up with --replace, or choose another --name"));
  }
  RETURN_IF_ERROR(certificate.status());
  RETURN_IF_ERROR(PointCurrentTo(config, name));
  context.out() << "enrolled as " << base::RoleName(certificate->identity.role) << " " << name << " until "
                << LocalTime(certificate->not_after_unix_ms) << "; the identity is in " << folder
                << " and is used from now on\n";
  return kExitGreen;
}

}  // namespace muster::cli
