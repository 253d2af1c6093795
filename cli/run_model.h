// What a watcher knows of a run: built from the coordinator's updates, read by the live view and by the plain lines.
//
// Plain state on one thread. Updates may repeat what is known (a watch that was lost begins anew with everything): a
// case is reported as ended once.
#ifndef MUSTER_CLI_RUN_MODEL_H_
#define MUSTER_CLI_RUN_MODEL_H_

#include <cstdint>
#include <deque>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "cli/device_names.h"
#include "muster/v1/control_service.pb.h"
#include "muster/v1/run.pb.h"

namespace muster::cli {

// A case that ended. Texts are sanitized.
struct CaseEnd {
  std::string machine;
  std::string device;  // "GPU 0"; empty for a job without devices.
  std::string suite;
  std::string case_name;
  v1::Verdict verdict = v1::VERDICT_UNSPECIFIED;
  std::string reason;
  int64_t duration_ms = 0;
};

// An attempt whose machinery failed: "h200-1 driver: attempt 1 LEASE_LOST: …".
struct AttemptEnd {
  std::string text;
};

struct JobView {
  std::string machine;
  std::string device;
  std::vector<std::string> device_ids;
  std::string suite;
  v1::JobState state = v1::JOB_STATE_UNSPECIFIED;
  uint32_t attempt = 0;
  size_t cases_total = 0;
  size_t cases_ended = 0;
  size_t cases_bad = 0;
  std::string running_case;           // Empty: none.
  int64_t running_since_unix_ms = 0;  // On this machine's clock.
  std::map<v1::Verdict, size_t> verdicts;
};

// The attempt that counts: the newest that no other took the place of. nullptr when there was none.
const v1::Attempt* CountingAttempt(const v1::Job& job);
// The results that count; for a job that could not run, its expected cases as SKIPPED.
std::vector<v1::CaseResult> CountingResults(const v1::Job& job);
v1::Verdict VerdictOf(const v1::CaseResult& result);

class RunModel {
 public:
  struct Changes {
    std::vector<CaseEnd> cases;
    std::vector<AttemptEnd> attempts;
  };
  struct JobCounts {
    size_t queued = 0;
    size_t running = 0;
    size_t finished = 0;
  };

  // Takes an update and says what is new in it. `now_unix_ms`: this machine's clock.
  Changes Apply(const v1::RunUpdate& update, int64_t now_unix_ms);
  // How to name devices; jobs that are known already are named again.
  void SetDeviceNames(DeviceNames names);

  bool started() const { return started_; }
  bool finished() const { return run_.state() == v1::RUN_STATE_FINISHED; }
  const v1::Run& run() const { return run_; }
  // By (machine, number of the job).
  const std::map<std::pair<std::string, std::string>, JobView>& jobs() const { return jobs_; }
  const std::map<v1::Verdict, size_t>& verdicts() const { return verdicts_; }
  size_t cases_total() const { return cases_total_; }
  size_t cases_ended() const { return cases_ended_; }
  const JobCounts& job_counts() const { return job_counts_; }
  // The newest cases that make a run red, newest last; at most kKeptFailures.
  const std::deque<CaseEnd>& failures() const { return failures_; }

  static constexpr size_t kKeptFailures = 200;

 private:
  using JobKey = std::pair<std::string, std::string>;
  void ApplyJob(const v1::Job& job, Changes& changes);
  void Report(const v1::Job& job, const JobView& view, Changes& changes);
  void Count(const JobView& view, bool add);

  bool started_ = false;
  v1::Run run_;
  DeviceNames names_;
  std::map<JobKey, JobView> jobs_;
  // (job, attempt, case) that were reported as ended; (job, attempt, "") for an attempt's end.
  std::set<std::tuple<std::string, uint32_t, std::string>> reported_;
  std::map<v1::Verdict, size_t> verdicts_;
  size_t cases_total_ = 0;
  size_t cases_ended_ = 0;
  JobCounts job_counts_;
  std::deque<CaseEnd> failures_;
};

}  // namespace muster::cli

#endif  // MUSTER_CLI_RUN_MODEL_H_
