// The /sys, /proc, /etc and /dev/kmsg of a simulated machine, kept in a folder as the World has them: what muster-agent
// --root reads.
//
// A file's content changes as a whole (written beside it and renamed). One thread.
#ifndef MUSTER_TESTS_HARDWARE_SIM_MACHINE_TREE_H_
#define MUSTER_TESTS_HARDWARE_SIM_MACHINE_TREE_H_

#include <cstdint>
#include <map>
#include <string>

#include "absl/status/status.h"
#include "tests/hardware_sim/world.h"

namespace muster::sim {

class MachineTree {
 public:
  // `root` is made where it is missing. `machine` is the host's name.
  MachineTree(std::string root, std::string machine);

  // Everything as it is now. The kernel log gets what it has not got yet; a log of an earlier MachineTree is begun
  // anew.
  absl::Status Update(const World& world, Seconds now);

  const std::string& root() const { return root_; }

 private:
  absl::Status WriteHost();
  absl::Status WriteDevice(const World& world, size_t index, Seconds now);
  absl::Status RemoveDevice(const v1::Device& device);
  absl::Status AppendLog(const World& world, Seconds now);
  // Does nothing when the file holds this already.
  absl::Status Write(const std::string& path, const std::string& content);
  absl::Status Link(const std::string& path, const std::string& target);

  const std::string root_;
  const std::string machine_;
  bool begun_ = false;
  std::map<std::string, std::string> written_;  // By path as the machine sees it.
  Seconds logged_until_ = -1;
  uint64_t next_record_ = 0;
};

}  // namespace muster::sim

#endif  // MUSTER_TESTS_HARDWARE_SIM_MACHINE_TREE_H_
