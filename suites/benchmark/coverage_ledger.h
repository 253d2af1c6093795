// How much verified work each device has had, over all runs on this machine: seconds by kind of load, and the number
// from which the next run's seeds go on, so that no two runs try the same numbers.
//
// A file for each device, in the folder that the agent keeps for the suite; without a folder nothing is kept.
#ifndef MUSTER_SUITES_BENCHMARK_COVERAGE_LEDGER_H_
#define MUSTER_SUITES_BENCHMARK_COVERAGE_LEDGER_H_

#include <cstdint>
#include <map>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace muster::benchmark {

class CoverageLedger {
 public:
  struct Entry {
    double seconds = 0;
    uint64_t next_seed = 1;
  };

  // Keeps nothing.
  CoverageLedger() = default;
  // What is kept for the device. A file that is not a ledger is an error of data loss; none is an empty ledger.
  static absl::StatusOr<CoverageLedger> Open(const std::string& folder, const std::string& device_id);

  // By kind, "steady" or "pulse@1000"; made where there is none. At most 64 kinds.
  Entry& Of(const std::string& kind);
  // Replaces the file as a whole.
  absl::Status Save() const;

 private:
  explicit CoverageLedger(std::string path) : path_(std::move(path)) {}
  absl::Status Parse(const std::string& text);

  std::string path_;  // Empty: nothing is kept.
  std::map<std::string, Entry> entries_;
};

}  // namespace muster::benchmark

#endif  // MUSTER_SUITES_BENCHMARK_COVERAGE_LEDGER_H_
