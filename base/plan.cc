#include "base/plan.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "base/names.h"
#include "base/regex.h"
#include "base/selector.h"
#include "base/status_macros.h"

namespace muster::base {
namespace {

constexpr int64_t kDefaultQueueTimeLimitMs = 3'600'000;
constexpr int64_t kMaxQueueTimeLimitMs = int64_t{30} * 24 * 3600 * 1000;
constexpr uint32_t kDefaultAttempts = 2;
constexpr uint32_t kMaxAttempts = 10;
constexpr int kMaxSuites = 64;
constexpr int kMaxPatterns = 1024;
constexpr size_t kMaxPattern = 256;
constexpr size_t kMaxParameters = 64;
constexpr size_t kMaxText = 4096;
constexpr int kMaxPriority = 100;

absl::Status Wrong(const std::string& message) { return absl::InvalidArgumentError(message); }

absl::Status In(const std::string& what, const absl::Status& status) {
  return status.ok() ? status : absl::Status(status.code(), absl::StrCat(what, ": ", status.message()));
}

// Newer levels are for newer versions: refused here rather than run as something else.
absl::Status CheckLevel(v1::Level level) {
  if (level >= v1::LEVEL_UNSPECIFIED && level <= v1::LEVEL_STRESS) return absl::OkStatus();
  return Wrong(absl::StrCat("level: expected 1 to 4, found ", static_cast<int>(level)));
}

absl::Status CheckSuite(const v1::PlanSuite& suite) {
  RETURN_IF_ERROR(CheckLevel(suite.level()));
  if (suite.cases_size() > kMaxPatterns) return Wrong(absl::StrCat("more than ", kMaxPatterns, " cases"));
  for (const std::string& pattern : suite.cases()) {
    if (pattern.empty() || pattern.size() > kMaxPattern) {
      return Wrong(absl::StrCat("cases: expected a name or pattern of 1 to ", kMaxPattern, " characters, found ",
                                Quoted(pattern)));
    }
    RETURN_IF_ERROR(In(absl::StrCat("case pattern ", Quoted(pattern)), CompileRegex(pattern).status()));
  }
  if (suite.parameters().size() > kMaxParameters)
    return Wrong(absl::StrCat("more than ", kMaxParameters, " parameters"));
  for (const auto& entry : suite.parameters()) {
    RETURN_IF_ERROR(CheckParameterName(entry.first));
    if (entry.second.size() > kMaxText) {
      return Wrong(absl::StrCat("parameter ", entry.first, ": the value is longer than ", kMaxText, " bytes"));
    }
  }
  return In("on", Selector::Parse(suite.on()).status());
}

absl::Status CheckHead(const v1::Plan& plan) {
  if (plan.description().size() > kMaxText) return Wrong(absl::StrCat("description: longer than ", kMaxText, " bytes"));
  RETURN_IF_ERROR(CheckLevel(plan.level()));
  RETURN_IF_ERROR(In("on", Selector::Parse(plan.on()).status()));
  if (plan.priority() < -kMaxPriority || plan.priority() > kMaxPriority) {
    return Wrong(absl::StrCat("priority: expected -100 to 100, found ", plan.priority()));
  }
  if (plan.queue_time_limit_ms() < 0 || plan.queue_time_limit_ms() > kMaxQueueTimeLimitMs) {
    return Wrong(absl::StrCat("queue_time_limit_ms: expected 0 (one hour) to ", kMaxQueueTimeLimitMs, ", found ",
                              plan.queue_time_limit_ms()));
  }
  if (plan.max_attempts() > kMaxAttempts) {
    return Wrong(absl::StrCat("max_attempts: expected 0 (two) to ", kMaxAttempts, ", found ", plan.max_attempts()));
  }
  if (plan.suites().empty() || plan.suites_size() > kMaxSuites) {
    return Wrong(absl::StrCat("expected 1 to ", kMaxSuites, " suites, found ", plan.suites_size()));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status ValidatePlan(const v1::Plan& plan) {
  RETURN_IF_ERROR(CheckPlanName(plan.name()));
  const std::string name = absl::StrCat("plan ", plan.name());
  RETURN_IF_ERROR(In(name, CheckHead(plan)));
  for (const v1::PlanSuite& suite : plan.suites()) {
    RETURN_IF_ERROR(In(name, CheckSuiteName(suite.suite())));
    RETURN_IF_ERROR(In(absl::StrCat(name, ": suite ", suite.suite()), CheckSuite(suite)));
  }
  return absl::OkStatus();
}

v1::Level LevelOf(const v1::Plan& plan, const v1::PlanSuite& suite) {
  if (suite.level() != v1::LEVEL_UNSPECIFIED) return suite.level();
  return plan.level() != v1::LEVEL_UNSPECIFIED ? plan.level() : v1::LEVEL_QUICK;
}

int64_t QueueTimeLimitMs(const v1::Plan& plan) {
  return plan.queue_time_limit_ms() > 0 ? plan.queue_time_limit_ms() : kDefaultQueueTimeLimitMs;
}

uint32_t MaxAttempts(const v1::Plan& plan) { return plan.max_attempts() > 0 ? plan.max_attempts() : kDefaultAttempts; }

}  // namespace muster::base
