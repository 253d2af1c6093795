// What a report is made of: a run as it is stored, put in order once for every format.
//
// Only the attempt that counts (the newest) is reported; the same input gives the same bytes. Pure functions, any
// thread.
#ifndef MUSTER_COORDINATOR_REPORT_RUN_REPORT_H_
#define MUSTER_COORDINATOR_REPORT_RUN_REPORT_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "coordinator/store/store.h"
#include "muster/v1/fleet.pb.h"
#include "muster/v1/run.pb.h"

namespace muster::coordinator {

struct RunReport {
  StoredRun stored;
  std::vector<v1::JobMeasurements> measurements;
  // As they are known now, by name; a machine that is gone may be missing.
  std::map<std::string, v1::Machine> machines;
};

// How a verdict is told to readers that know only four.
enum class Outcome { kPassed, kFailed, kSkipped, kError };
Outcome OutcomeOf(v1::Verdict verdict);

struct ReportedCase {
  v1::CaseResult result;  // Of an expected case without one: MISSED, or UNSPECIFIED while the job goes on.
  std::vector<const v1::Measurement*> measurements;

  v1::Verdict verdict() const {
    return result.verdict() != v1::VERDICT_UNSPECIFIED ? result.verdict() : result.outcome();
  }
  bool unfinished() const { return verdict() == v1::VERDICT_UNSPECIFIED; }
};

// One job; points into the RunReport.
struct ReportedJob {
  const v1::Job* job = nullptr;
  const v1::Attempt* attempt = nullptr;              // Null before the first.
  const v1::Machine* machine = nullptr;              // Null when unknown.
  std::vector<const v1::Device*> devices;            // Those of its devices that the machine still has.
  std::vector<ReportedCase> cases;                   // In the order to run, then those nobody asked for.
  std::vector<const v1::Measurement*> measurements;  // Of no case.
  // "SUITE@MACHINE", "SUITE@MACHINE/DEVICE-ID" for a job with one device.
  std::string title;

  // The machinery failed: the attempt ended in another way than by running to its end. (What could not run at all has
  // results.)
  bool broken() const {
    if (attempt == nullptr) return false;
    switch (attempt->fate()) {
      case v1::FATE_UNSPECIFIED:
      case v1::FATE_COMPLETED:
      case v1::FATE_NOT_RUNNABLE:
      case v1::FATE_QUARANTINED:
      case v1::FATE_WITHHELD:
        return false;
      default:
        return true;
    }
  }
};

std::vector<ReportedJob> ReportedJobs(const RunReport& report);

// "FATE_LEASE_LOST" as "LEASE_LOST"; with its number what this version does not know.
std::string FateName(v1::Fate fate);
std::string VerdictName(v1::Verdict verdict);
// "2026-11-22T18:43:07.123Z"; empty for 0.
std::string Rfc3339(int64_t unix_ms);
// A number with as many digits as bring it back, "true", or the text.
std::string ValueText(const v1::Measurement& measurement);

}  // namespace muster::coordinator

#endif  // MUSTER_COORDINATOR_REPORT_RUN_REPORT_H_
