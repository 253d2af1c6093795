// The leased devices of one vendor, opened together: what the cases of links between devices begin with.
#ifndef MUSTER_SUITES_BENCHMARK_PEER_GROUP_H_
#define MUSTER_SUITES_BENCHMARK_PEER_GROUP_H_

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "suites/benchmark/device_links.h"
#include "suites/physical/compute_device.h"
#include "suites/physical/peer_transfer.h"

namespace muster::benchmark {

class PeerGroup {
 public:
  const std::vector<v1::Device>& devices() const { return devices_; }
  const std::vector<physical::ComputeDevice*>& gpus() const { return gpus_; }
  // Each ordered pair.
  const std::vector<physical::PeerPair>& pairs() const { return pairs_; }
  const Connection& Between(const physical::PeerPair& pair) const;
  const v1::Device& device(size_t i) const { return devices_[i]; }

 private:
  friend void ForEachPeerGroup(const std::string& name, const std::function<void(PeerGroup&)>& test);
  explicit PeerGroup(std::vector<v1::Device> devices);

  const std::vector<v1::Device> devices_;
  std::vector<std::unique_ptr<physical::ComputeDevice>> owned_;
  std::vector<physical::ComputeDevice*> gpus_;
  std::vector<physical::PeerPair> pairs_;
  std::vector<Connection> connections_;  // Of the pairs.
};

// "to GPU 1": a part of the sender.
std::string PartOf(const physical::PeerPair& pair);

// Calls `test` with the devices of each vendor of which two or more are leased; the test is skipped when there is none.
// Measures the links' error counters before and after: they must not have grown. `name` is the case's.
void ForEachPeerGroup(const std::string& name, const std::function<void(PeerGroup&)>& test);

// `problem` as a failure of the device; nothing when it is empty.
void ReportProblem(const v1::Device& device, const std::string& problem);

}  // namespace muster::benchmark

#endif  // MUSTER_SUITES_BENCHMARK_PEER_GROUP_H_
