#include "coordinator/report/run_json.h"

#include <map>
#include <utility>

#include "base/json.h"

namespace muster::coordinator {

v1::GetRunResponse RunResponse(RunReport report, bool all_attempts) {
  std::map<std::string, uint32_t> counting;
  v1::GetRunResponse response;
  *response.mutable_run() = std::move(report.stored.run);
  for (v1::Job& job : report.stored.jobs) {
    if (!job.attempts().empty()) counting[job.id()] = job.attempts().rbegin()->ref().attempt();
    *response.add_jobs() = std::move(job);
  }
  for (v1::JobMeasurements& measurements : report.measurements) {
    const auto found = counting.find(measurements.job_id());
    if (all_attempts || (found != counting.end() && found->second == measurements.attempt())) {
      *response.add_measurements() = std::move(measurements);
    }
  }
  return response;
}

std::string RunJson(RunReport report) {
  return base::ToJson(RunResponse(std::move(report)), base::JsonStyle::kIndented) + "\n";
}

}  // namespace muster::coordinator
