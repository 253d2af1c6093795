#include "base/manifest.h"

#include <algorithm>
#include <numeric>
#include <set>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/names.h"
#include "base/regex.h"
#include "base/selector.h"
#include "base/status_macros.h"

namespace muster::base {
namespace {

constexpr int64_t kDefaultCaseTimeLimitMs = 60'000;
constexpr int64_t kJobOverheadMs = 30'000;
constexpr int64_t kDefaultGraceMs = 5'000;
constexpr int64_t kMaxGraceMs = 600'000;
constexpr int kMaxCases = 4096;
constexpr int kMaxParameters = 64;
constexpr int kMaxArguments = 256;
constexpr int kMaxUnproven = 16;
constexpr size_t kMaxText = 4096;
constexpr size_t kMaxVersion = 128;

const char* const kLevelNames[] = {"", "quick", "medium", "long", "stress"};

// The same error, after what it is about.
absl::Status In(const std::string& what, const absl::Status& status) {
  return status.ok() ? status : absl::Status(status.code(), absl::StrCat(what, ": ", status.message()));
}

absl::Status Wrong(const std::string& message) { return absl::InvalidArgumentError(message); }

absl::Status CheckText(const char* field, const std::string& text, size_t limit) {
  if (text.size() <= limit && text.find('\0') == std::string::npos) return absl::OkStatus();
  return Wrong(absl::StrCat(field, ": expected at most ", limit, " bytes without NUL, found ", Quoted(text)));
}

absl::Status CheckTimeLimit(const char* field, int64_t value_ms, int64_t limit_ms) {
  if (value_ms >= 0 && value_ms <= limit_ms) return absl::OkStatus();
  return Wrong(absl::StrCat(field, ": expected 0 (the default) to ", limit_ms, ", found ", value_ms));
}

absl::Status CheckRequirement(const std::string& requirement) {
  return In("requirement", Selector::Parse(requirement).status());
}

absl::Status CheckScope(v1::DeviceScope scope) {
  if (scope >= v1::DEVICE_SCOPE_ONE && scope <= v1::DEVICE_SCOPE_MACHINE) return absl::OkStatus();
  return Wrong("device_scope: expected DEVICE_SCOPE_ONE, _ALL or _MACHINE");
}

absl::Status CheckHead(const v1::SuiteManifest& manifest) {
  RETURN_IF_ERROR(CheckText("version", manifest.version(), kMaxVersion));
  if (manifest.version().empty()) return Wrong("version: expected one, e.g. \"1.0\"");
  RETURN_IF_ERROR(CheckText("description", manifest.description(), kMaxText));
  RETURN_IF_ERROR(CheckProgramPath(manifest.program()));
  if (manifest.arguments_size() > kMaxArguments) return Wrong(absl::StrCat("arguments: more than ", kMaxArguments));
  for (const std::string& argument : manifest.arguments()) RETURN_IF_ERROR(CheckText("arguments", argument, kMaxText));
  if (manifest.format() < v1::RESULT_FORMAT_OCPTV || manifest.format() > v1::RESULT_FORMAT_EXIT_CODE) {
    return Wrong("format: expected RESULT_FORMAT_OCPTV, _GTEST, _JUNIT, _TAP or _EXIT_CODE");
  }
  if (manifest.ocptv_compatibility() && manifest.format() != v1::RESULT_FORMAT_OCPTV) {
    return Wrong("ocptv_compatibility: only with RESULT_FORMAT_OCPTV");
  }
  RETURN_IF_ERROR(CheckScope(manifest.device_scope()));
  RETURN_IF_ERROR(CheckRequirement(manifest.requirement()));
  RETURN_IF_ERROR(CheckTimeLimit("default_case_time_limit_ms", manifest.default_case_time_limit_ms(), kMaxTimeLimitMs));
  RETURN_IF_ERROR(CheckTimeLimit("job_time_limit_ms", manifest.job_time_limit_ms(), kMaxTimeLimitMs));
  return CheckTimeLimit("termination_grace_ms", manifest.termination_grace_ms(), kMaxGraceMs);
}

absl::Status CheckParameters(const v1::SuiteManifest& manifest) {
  if (manifest.parameters_size() > kMaxParameters)
    return Wrong(absl::StrCat("more than ", kMaxParameters, " parameters"));
  std::set<std::string> names;
  for (const v1::Parameter& parameter : manifest.parameters()) {
    RETURN_IF_ERROR(ValidateParameter(parameter));
    if (!names.insert(parameter.name()).second)
      return Wrong(absl::StrCat("parameter ", parameter.name(), " is there twice"));
  }
  return absl::OkStatus();
}

absl::Status CheckUnproven(const v1::SuiteManifest& manifest) {
  if (manifest.unproven_size() > kMaxUnproven) return Wrong(absl::StrCat("more than ", kMaxUnproven, " unproven"));
  for (const v1::Unproven& unproven : manifest.unproven()) {
    RETURN_IF_ERROR(In("unproven: devices", Selector::Parse(unproven.devices()).status()));
    RETURN_IF_ERROR(CheckText("unproven: reason", unproven.reason(), kMaxText));
    if (unproven.reason().empty()) return Wrong("unproven: reason: expected what was done in place of a run");
  }
  return absl::OkStatus();
}

absl::Status CheckCase(const v1::Case& one) {
  RETURN_IF_ERROR(CheckText("description", one.description(), kMaxText));
  const bool known = one.level() >= v1::LEVEL_QUICK && one.level() <= v1::LEVEL_STRESS;
  if (!known && !(one.destructive() && one.level() == v1::LEVEL_UNSPECIFIED)) {
    return Wrong("level: expected LEVEL_QUICK, _MEDIUM, _LONG or _STRESS");
  }
  if (one.device_scope() != v1::DEVICE_SCOPE_UNSPECIFIED) RETURN_IF_ERROR(CheckScope(one.device_scope()));
  RETURN_IF_ERROR(CheckTimeLimit("time_limit_ms", one.time_limit_ms(), kMaxTimeLimitMs));
  return CheckRequirement(one.requirement());
}

absl::Status CheckCases(const v1::SuiteManifest& manifest) {
  if (manifest.cases().empty() || manifest.cases_size() > kMaxCases) {
    return Wrong(absl::StrCat("expected 1 to ", kMaxCases, " cases, found ", manifest.cases_size()));
  }
  if (manifest.format() == v1::RESULT_FORMAT_EXIT_CODE && manifest.cases_size() != 1) {
    return Wrong(absl::StrCat("RESULT_FORMAT_EXIT_CODE reports one case, found ", manifest.cases_size()));
  }
  std::set<std::string> names;
  for (const v1::Case& one : manifest.cases()) {
    RETURN_IF_ERROR(CheckCaseName(one.name()));
    RETURN_IF_ERROR(In(absl::StrCat("case ", one.name()), CheckCase(one)));
    if (!names.insert(one.name()).second) return Wrong(absl::StrCat("case ", one.name(), " is there twice"));
  }
  return absl::OkStatus();
}

// Levenshtein's, over names of at most 128 characters.
size_t EditDistance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t changed = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({changed, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row.back();
}

absl::Status NoSuchCase(const v1::SuiteManifest& manifest, const std::string& pattern) {
  std::vector<std::pair<size_t, std::string>> closest;
  for (const v1::Case& one : manifest.cases()) {
    closest.emplace_back(EditDistance(std::string_view(pattern).substr(0, 128), one.name()), one.name());
  }
  const size_t shown = std::min<size_t>(3, closest.size());
  std::partial_sort(closest.begin(), closest.begin() + static_cast<int64_t>(shown), closest.end());
  closest.resize(shown);
  return absl::NotFoundError(absl::StrCat(
      "suite ", manifest.name(), " has no case ", Quoted(pattern), "; the closest of its ", manifest.cases_size(),
      " are ", absl::StrJoin(closest, ", ", [](std::string* out, const auto& entry) { out->append(entry.second); })));
}

// Adds the cases that one pattern names.
absl::Status Pick(const v1::SuiteManifest& manifest, const std::string& pattern,
                  absl::flat_hash_set<const v1::Case*>& picked) {
  const auto exact = std::find_if(manifest.cases().begin(), manifest.cases().end(),
                                  [&](const v1::Case& one) { return one.name() == pattern; });
  if (exact != manifest.cases().end()) {
    picked.insert(&*exact);
    return absl::OkStatus();
  }
  const absl::StatusOr<Regex> regex = CompileRegex(pattern);
  RETURN_IF_ERROR(In(absl::StrCat("case pattern ", Quoted(pattern)), regex.status()));
  bool matched = false;
  bool only_destructive = false;
  for (const v1::Case& one : manifest.cases()) {
    if (!FullMatch(*regex, one.name())) continue;
    (one.destructive() ? only_destructive : matched) = true;
    if (!one.destructive()) picked.insert(&one);
  }
  if (matched) return absl::OkStatus();
  if (only_destructive) {
    return absl::NotFoundError(absl::StrCat("case pattern ", Quoted(pattern),
                                            " matches destructive cases alone of suite ", manifest.name(),
                                            "; name them exactly to run them"));
  }
  return NoSuchCase(manifest, pattern);
}

}  // namespace

absl::Status CheckProgramPath(std::string_view path) {
  bool good = !path.empty() && path.size() <= kMaxText && path.find('\0') == std::string_view::npos;
  std::string_view rest = path;
  while (good) {
    const size_t slash = rest.find('/');
    const std::string_view part = rest.substr(0, slash);
    good = !part.empty() && part != "." && part != "..";
    if (slash == std::string_view::npos) break;
    rest.remove_prefix(slash + 1);
  }
  if (good) return absl::OkStatus();
  return Wrong(
      absl::StrCat("program: expected a path within the suite's folder such as \"bin/driver\", found ", Quoted(path)));
}

absl::Status ValidateManifest(const v1::SuiteManifest& manifest) {
  RETURN_IF_ERROR(CheckSuiteName(manifest.name()));
  const std::string suite = absl::StrCat("suite ", manifest.name());
  RETURN_IF_ERROR(In(suite, CheckHead(manifest)));
  RETURN_IF_ERROR(In(suite, CheckParameters(manifest)));
  RETURN_IF_ERROR(In(suite, CheckUnproven(manifest)));
  return In(suite, CheckCases(manifest));
}

absl::StatusOr<std::vector<const v1::Case*>> SelectCases(
    const v1::SuiteManifest& manifest, v1::Level level,
    const google::protobuf::RepeatedPtrField<std::string>& patterns) {
  absl::flat_hash_set<const v1::Case*> picked;
  for (const std::string& pattern : patterns) RETURN_IF_ERROR(Pick(manifest, pattern, picked));
  const v1::Level highest = level == v1::LEVEL_UNSPECIFIED ? v1::LEVEL_QUICK : level;
  std::vector<const v1::Case*> cases;
  for (const v1::Case& one : manifest.cases()) {
    const bool taken = patterns.empty() ? one.level() <= highest && !one.destructive() : picked.contains(&one);
    if (taken) cases.push_back(&one);
  }
  return cases;
}

v1::DeviceScope ScopeOf(const v1::SuiteManifest& manifest, const v1::Case& one) {
  return one.device_scope() != v1::DEVICE_SCOPE_UNSPECIFIED ? one.device_scope() : manifest.device_scope();
}

int64_t CaseTimeLimitMs(const v1::SuiteManifest& manifest, const v1::Case& one) {
  if (one.time_limit_ms() > 0) return one.time_limit_ms();
  return manifest.default_case_time_limit_ms() > 0 ? manifest.default_case_time_limit_ms() : kDefaultCaseTimeLimitMs;
}

int64_t JobTimeLimitMs(const v1::SuiteManifest& manifest, const std::vector<const v1::Case*>& cases) {
  if (manifest.job_time_limit_ms() > 0) return manifest.job_time_limit_ms();
  int64_t sum_ms = kJobOverheadMs;
  for (const v1::Case* one : cases) sum_ms += CaseTimeLimitMs(manifest, *one);
  return sum_ms;
}

int64_t TerminationGraceMs(const v1::SuiteManifest& manifest) {
  return manifest.termination_grace_ms() > 0 ? manifest.termination_grace_ms() : kDefaultGraceMs;
}

std::string LevelName(v1::Level level) {
  return level >= v1::LEVEL_QUICK && level <= v1::LEVEL_STRESS ? kLevelNames[level]
                                                               : absl::StrCat("level ", static_cast<int>(level));
}

absl::StatusOr<v1::Level> ParseLevel(std::string_view text) {
  for (int level = v1::LEVEL_QUICK; level <= v1::LEVEL_STRESS; ++level) {
    if (text == kLevelNames[level] || text == absl::StrCat(level)) return static_cast<v1::Level>(level);
  }
  return Wrong(absl::StrCat("level: expected quick, medium, long, stress or 1 to 4, found ", Quoted(text)));
}

}  // namespace muster::base
