// How the last run of each plan ended, for /metrics. A leaf class: any thread.
#ifndef MUSTER_COORDINATOR_METRICS_PLAN_SERIES_H_
#define MUSTER_COORDINATOR_METRICS_PLAN_SERIES_H_

#include <cstdint>
#include <map>
#include <string>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "base/mutex.h"
#include "muster/v1/run.pb.h"

namespace muster::coordinator {

class PlanSeries {
 public:
  // Users name plans as they like; those beyond are left out.
  static constexpr size_t kMaxPlans = 1'024;

  // A run that has finished, from the store or just now. One that is older than what is known of its plan is ignored;
  // the same again replaces it, since late results change it. Runs with simulated GPUs are apart, and marked.
  void RunEnded(const v1::Run& run);

  // Appends the families in Prometheus' text format.
  void Write(std::string& out) const;

 private:
  struct Last {
    std::string run_id;
    v1::RunColour colour = v1::RUN_COLOUR_UNSPECIFIED;
    int64_t finished_unix_ms = 0;
    int64_t duration_ms = 0;
    std::map<int, uint32_t> verdicts;
  };
  mutable base::Mutex mutex_;
  // By name, and whether simulated GPUs took part.
  std::map<std::pair<std::string, bool>, Last> plans_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace muster::coordinator

#endif  // MUSTER_COORDINATOR_METRICS_PLAN_SERIES_H_
