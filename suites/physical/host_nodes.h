// The host's memory by NUMA node: which nodes there are, which is a device's own, and memory on one of them.
#ifndef MUSTER_SUITES_PHYSICAL_HOST_NODES_H_
#define MUSTER_SUITES_PHYSICAL_HOST_NODES_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace muster::physical {

// Nodes that have memory, in order. Empty where the system does not say. `sys` stands for /sys.
std::vector<int> NodesWithMemory(const std::string& sys = "/sys");

// The node that a PCI device ("0000:41:00.0") is attached to; nullopt where the system does not say, as in most virtual
// machines.
std::optional<int> NodeOfDevice(const std::string& pci_address, const std::string& sys = "/sys");

// What this thread allocates while it lives comes from the node, and from no other; nullopt: from any.
class NodeScope {
 public:
  explicit NodeScope(std::optional<int> node);
  ~NodeScope();
  NodeScope(const NodeScope&) = delete;
  NodeScope& operator=(const NodeScope&) = delete;

  // Why it is not so ("Operation not permitted"); empty when it is.
  const std::string& problem() const { return problem_; }

 private:
  bool bound_ = false;
  std::string problem_;
};

// Plain memory, each page touched, on the node of the NodeScope that lives. Throws ToolError when there is not that
// much.
class PlainMemory {
 public:
  explicit PlainMemory(uint64_t bytes);
  ~PlainMemory();
  PlainMemory(const PlainMemory&) = delete;
  PlainMemory& operator=(const PlainMemory&) = delete;

  void* data() const { return data_; }
  uint64_t bytes() const { return bytes_; }

 private:
  const uint64_t bytes_;
  void* data_;
};

}  // namespace muster::physical

#endif  // MUSTER_SUITES_PHYSICAL_HOST_NODES_H_
