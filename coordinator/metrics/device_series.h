// What each device did last, for /metrics: the last result of every case and the last value of every measurement.
//
// A fleet of 1,000 machines with 8 GPUs each has hundreds of thousands of such series, so they are not metrics of a
// registry: the event loop notes each observation in a few map look-ups, and a scrape writes the text straight from the
// notes, machine by machine, so that the loop never waits for it longer than one machine takes. A leaf class: any
// thread.
#ifndef MUSTER_COORDINATOR_METRICS_DEVICE_SERIES_H_
#define MUSTER_COORDINATOR_METRICS_DEVICE_SERIES_H_

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <tuple>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_set.h"
#include "base/mutex.h"
#include "muster/v1/run.pb.h"

namespace muster::coordinator {

class DeviceSeries {
 public:
  // Bounds on what agents can make the coordinator remember; what is beyond is counted, not kept.
  static constexpr size_t kMaxCasesPerMachine = 4'096;
  static constexpr size_t kMaxMeasurementsPerCase = 64;

  // Series of these devices are marked simulated="true". Replaces what was said of the machine before.
  void SetSimulated(const std::string& machine, absl::flat_hash_set<std::string> device_ids);

  void Result(const std::string& machine, const std::string& device, const std::string& suite,
              const v1::CaseResult& result, int64_t now_unix_ms);
  // Text is not a metric and is left out; truth is 1 or 0. Of a series the last element stays.
  void Measured(const std::string& machine, const std::string& device, const std::string& suite,
                const v1::Measurement& measurement);

  // Appends the families in Prometheus' text format.
  void Write(std::string& out) const;
  uint64_t refused() const;

 private:
  struct Case {
    std::string labels;  // `machine="…",device="…",suite="…",case="…"`, escaped once.
    v1::Verdict verdict = v1::VERDICT_UNSPECIFIED;
    int64_t time_unix_ms = 0;
    std::map<std::string, double> values;  // By `name="…",unit="…"`.
  };
  struct MachineNotes {
    absl::flat_hash_set<std::string> simulated;
    std::map<std::tuple<std::string, std::string, std::string>, Case> cases;  // Device, suite, case.
  };
  Case* FindCase(const std::string& machine, const std::string& device, const std::string& suite,
                 const std::string& name) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  mutable base::Mutex mutex_;
  std::map<std::string, MachineNotes> machines_ ABSL_GUARDED_BY(mutex_);
  uint64_t refused_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace muster::coordinator

#endif  // MUSTER_COORDINATOR_METRICS_DEVICE_SERIES_H_
