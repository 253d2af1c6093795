// What each device did last, for /metrics: the last result of every case and the last value of every measurement.
//
// A fleet of 1,000 machines with 8 GPUs each has hundreds of thousands of such series, so they are not metrics of a
// registry: the event loop notes each observation in a few map look-ups, and a scrape writes the text straight from the
// notes, machine by machine, so that the loop never waits for it longer than one machine takes. A leaf class: any
// thread.
#ifndef MUSTER_COORDINATOR_METRICS_DEVICE_SERIES_H_
#define MUSTER_COORDINATOR_METRICS_DEVICE_SERIES_H_

#include <atomic>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <tuple>

#include "absl/base/thread_annotations.h"
#include "base/mutex.h"
#include "muster/v1/fleet.pb.h"
#include "muster/v1/run.pb.h"

namespace muster::coordinator {

class DeviceSeries {
 public:
  // Bounds on what agents can make the coordinator remember; what is beyond is counted, not kept.
  static constexpr size_t kMaxCasesPerMachine = 4'096;
  static constexpr size_t kMaxMeasurementsPerCase = 64;

  // What the series of its devices say of them beside their ids: number, model, whether they are simulated. Replaces
  // what was said of the machine before.
  void SetMachine(const v1::Machine& machine);

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
    std::string labels;  // `machine="…",device="…",suite="…",case="…",gpu="…",model="…"`, escaped once.
    v1::Verdict verdict = v1::VERDICT_UNSPECIFIED;
    int64_t time_unix_ms = 0;
    std::map<std::string, double> values;  // By `name="…",unit="…"`.
  };
  using Key = std::tuple<std::string, std::string, std::string>;  // Device, suite, case.
  struct MachineNotes {
    std::map<std::string, std::string> devices;  // `gpu="…",model="…"` by id; "" is what is of no one device.
    std::map<Key, Case> cases;
  };
  static std::string LabelsOf(const std::string& machine, const MachineNotes& notes, const Key& key);
  Case* FindCase(const std::string& machine, const std::string& device, const std::string& suite,
                 const std::string& name) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  // Growing a text of tens of megabytes costs as much as writing it: the last one's size is a good guess.
  mutable std::atomic<size_t> last_times_bytes_ = 0, last_values_bytes_ = 0;
  mutable base::Mutex mutex_;
  std::map<std::string, MachineNotes> machines_ ABSL_GUARDED_BY(mutex_);
  uint64_t refused_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace muster::coordinator

#endif  // MUSTER_COORDINATOR_METRICS_DEVICE_SERIES_H_
