#include "base/names.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "base/status_macros.h"

namespace muster::base {
namespace {

constexpr std::string_view kIdDigits = "0123456789abcdefghjkmnpqrstvwxyz";
constexpr int kIdTimeDigits = 9;
constexpr int kIdRandomDigits = 4;
constexpr std::string_view kIdPrefix = "r-";

bool IsLower(char c) { return c >= 'a' && c <= 'z'; }
bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsAlnum(char c) { return IsLower(c) || IsDigit(c) || (c >= 'A' && c <= 'Z'); }
bool IsLabelInner(char c) { return IsLower(c) || IsDigit(c) || c == '-'; }

absl::Status Bad(std::string_view what, std::string_view name, std::string_view rule) {
  return absl::InvalidArgumentError(
      absl::StrCat(std::string(what), " ", Quoted(name), " is not allowed: expected ", std::string(rule)));
}

bool AllOf(std::string_view text, std::string_view also, bool (*allowed)(char)) {
  return std::all_of(text.begin(), text.end(),
                     [&](char c) { return allowed(c) || also.find(c) != std::string_view::npos; });
}

// [a-z][a-z0-9X]{0,63}, X being `also`.
bool IsSymbol(std::string_view name, std::string_view also) {
  return !name.empty() && name.size() <= 64 && IsLower(name[0]) &&
         AllOf(name, also, [](char c) { return IsLower(c) || IsDigit(c); });
}

// [A-Za-z0-9][A-Za-z0-9._-]{0,127}
bool IsDotted(std::string_view name) {
  return !name.empty() && name.size() <= 128 && IsAlnum(name[0]) && AllOf(name, "._-", IsAlnum);
}

bool IsDnsLabel(std::string_view label) {
  return !label.empty() && label.size() <= 63 && label.front() != '-' && label.back() != '-' &&
         std::all_of(label.begin(), label.end(), IsLabelInner);
}

void AppendDigits(uint64_t value, int digits, std::string& out) {
  for (int shift = 5 * (digits - 1); shift >= 0; shift -= 5) out.push_back(kIdDigits[(value >> shift) & 31]);
}

}  // namespace

std::string Quoted(std::string_view text) {
  constexpr size_t kShown = 80;
  const std::string_view shown = text.substr(0, kShown);
  return absl::StrCat("\"", absl::CHexEscape(absl::string_view(shown.data(), shown.size())),
                      text.size() > kShown ? "…\"" : "\"");
}

absl::Status CheckMachineName(std::string_view name) {
  bool good = name.size() <= 253;
  std::string_view rest = name;
  while (good) {
    const size_t dot = rest.find('.');
    good = IsDnsLabel(rest.substr(0, dot));
    if (dot == std::string_view::npos) break;
    rest.remove_prefix(dot + 1);
  }
  if (good) return absl::OkStatus();
  return Bad(
      "the name", name,
      "a DNS name in lower case: labels of a-z, 0-9 and '-' (not at an end), at most 63 characters each, joined by "
      "dots, at most 253 in all");
}

absl::Status CheckSuiteName(std::string_view name) {
  return IsSymbol(name, "-") ? absl::OkStatus() : Bad("the suite name", name, "[a-z][a-z0-9-]{0,63}");
}

absl::Status CheckPlanName(std::string_view name) {
  return IsSymbol(name, "-") ? absl::OkStatus() : Bad("the plan name", name, "[a-z][a-z0-9-]{0,63}");
}

absl::Status CheckParameterName(std::string_view name) {
  return IsSymbol(name, "_") ? absl::OkStatus() : Bad("the parameter name", name, "[a-z][a-z0-9_]{0,63}");
}

absl::Status CheckCaseName(std::string_view name) {
  return IsDotted(name) ? absl::OkStatus() : Bad("the case name", name, "[A-Za-z0-9][A-Za-z0-9._-]{0,127}");
}

absl::Status CheckArtifactName(std::string_view name) {
  return IsDotted(name) ? absl::OkStatus() : Bad("the artifact name", name, "[A-Za-z0-9][A-Za-z0-9._-]{0,127}");
}

absl::Status CheckLabelName(std::string_view name) {
  const bool good = !name.empty() && name.size() <= 128 && IsAlnum(name.front()) && IsAlnum(name.back()) &&
                    AllOf(name, "._/-", IsAlnum);
  return good ? absl::OkStatus()
              : Bad("the label", name, "letters, digits and \"._/-\", a letter or digit at both ends, at most 128");
}

std::string MachineNameFromHost(std::string_view host_name) {
  std::string name;
  for (char c : host_name.substr(0, 63)) {
    c = absl::ascii_tolower(static_cast<unsigned char>(c));
    if (c != '.' && !IsLabelInner(c)) c = '-';
    const bool at_start = name.empty() || name.back() == '.';
    if (at_start && (c == '-' || c == '.')) continue;
    if (c == '.') {
      while (!name.empty() && name.back() == '-') name.pop_back();
    }
    name.push_back(c);
  }
  while (!name.empty() && (name.back() == '-' || name.back() == '.')) name.pop_back();
  return name;
}

std::string MakeRunId(int64_t unix_ms, uint64_t random) {
  std::string id(kIdPrefix);
  AppendDigits(static_cast<uint64_t>(unix_ms), kIdTimeDigits, id);
  AppendDigits(random, kIdRandomDigits, id);
  return id;
}

absl::Status CheckRunId(std::string_view id) {
  const bool good = id.size() == kIdPrefix.size() + kIdTimeDigits + kIdRandomDigits && id.substr(0, 2) == kIdPrefix &&
                    id.find_first_not_of(kIdDigits, 2) == std::string_view::npos;
  return good ? absl::OkStatus() : Bad("the run id", id, "\"r-\" and 13 characters of 0-9 and a-z without i, l, o, u");
}

std::string MakeJobId(std::string_view run_id, uint32_t number) {
  return absl::StrCat(std::string(run_id), "/", number);
}

absl::StatusOr<JobIdParts> ParseJobId(std::string_view job_id) {
  JobIdParts parts;
  const size_t slash = job_id.find('/');
  const std::string number(slash == std::string_view::npos ? "" : job_id.substr(slash + 1));
  parts.run_id = std::string(job_id.substr(0, slash));
  // One spelling for one job: what is made of the parts again must be the same.
  if (!absl::SimpleAtoi(number, &parts.number) || parts.number == 0 ||
      MakeJobId(parts.run_id, parts.number) != job_id) {
    return Bad("the job id", job_id, "RUN-ID/NUMBER, numbers from 1");
  }
  RETURN_IF_ERROR(CheckRunId(parts.run_id));
  return parts;
}

}  // namespace muster::base
