#include "coordinator/api/run_lookup.h"

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/names.h"
#include "base/status_macros.h"

namespace muster::coordinator {
namespace {

constexpr size_t kMaxIdBytes = 64;

}  // namespace

absl::StatusOr<std::string> ResolveRun(Store& store, const std::string& text) {
  if (text == "last") {
    ASSIGN_OR_RETURN(const std::vector<v1::Run> newest, store.ListRuns(1, "", ""));
    if (newest.empty()) return absl::NotFoundError("there is no run yet; start one with: muster run PLAN");
    return newest.front().id();
  }
  if (text.empty() || text.size() > kMaxIdBytes) {
    return absl::InvalidArgumentError(
        absl::StrCat("expected a run's id, the beginning of one, or \"last\", found ", base::Quoted(text)));
  }
  const std::string prefix = text.rfind("r-", 0) == 0 ? text : "r-" + text;
  ASSIGN_OR_RETURN(const std::vector<std::string> found, store.FindRuns(prefix, 2));
  if (found.empty()) {
    return absl::NotFoundError(absl::StrCat("there is no run ", base::Quoted(text), "; see: muster runs"));
  }
  if (found.size() > 1 && found.front() != prefix && found.back() != prefix) {
    return absl::InvalidArgumentError(absl::StrCat(base::Quoted(text), " begins the ids of several runs, among them ",
                                                   found[0], " and ", found[1], "; give more of the one you mean"));
  }
  return found.front() == prefix || found.size() == 1 ? found.front() : found.back();
}

absl::StatusOr<std::string> ResolveJob(Store& store, const std::string& text) {
  const size_t slash = text.find('/');
  if (slash == std::string::npos || text.size() > kMaxIdBytes) {
    return absl::InvalidArgumentError(absl::StrCat("expected a job's id, RUN/NUMBER, found ", base::Quoted(text)));
  }
  ASSIGN_OR_RETURN(const std::string run_id, ResolveRun(store, text.substr(0, slash)));
  return run_id + text.substr(slash);
}

absl::StatusOr<RunReport> ReadReport(Store& store, const std::string& run_id) {
  RunReport report;
  ASSIGN_OR_RETURN(report.stored, store.ReadRun(run_id));
  ASSIGN_OR_RETURN(report.measurements, store.ReadMeasurements(run_id));
  return report;
}

}  // namespace muster::coordinator
