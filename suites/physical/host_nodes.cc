#include "suites/physical/host_nodes.h"

#include <linux/mempolicy.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <cstring>
#include <fstream>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "suites/sdk/outcome.h"

namespace muster::physical {
namespace {

constexpr int kMaxNode = 1023;
constexpr int kWordBits = sizeof(unsigned long) * CHAR_BIT;

std::string FirstLine(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

// By system call: the C library has no name for it, and libnuma is not on every machine.
long SetMemoryPolicy(int mode, const unsigned long* nodes, unsigned long most) {
  return syscall(SYS_set_mempolicy, mode, nodes, most);
}

}  // namespace

std::vector<int> NodesWithMemory(const std::string& sys) {
  std::vector<int> nodes;
  // "0-1,4".
  for (const auto part : absl::StrSplit(FirstLine(sys + "/devices/system/node/has_memory"), ',', absl::SkipEmpty())) {
    const std::vector<std::string> ends = absl::StrSplit(part, '-');
    int first = 0;
    int last = 0;
    if (!absl::SimpleAtoi(ends.front(), &first) || !absl::SimpleAtoi(ends.back(), &last)) return {};
    if (first < 0 || last > kMaxNode) return {};
    for (int node = first; node <= last; ++node) nodes.push_back(node);
  }
  return nodes;
}

std::optional<int> NodeOfDevice(const std::string& pci_address, const std::string& sys) {
  int node = -1;
  if (pci_address.empty()) return std::nullopt;
  if (!absl::SimpleAtoi(FirstLine(sys + "/bus/pci/devices/" + pci_address + "/numa_node"), &node)) return std::nullopt;
  return node < 0 ? std::nullopt : std::optional<int>(node);
}

NodeScope::NodeScope(std::optional<int> node) {
  if (!node) return;
  std::array<unsigned long, (kMaxNode + 1) / kWordBits> mask = {};
  mask.at(static_cast<size_t>(*node / kWordBits)) |= 1ul << (*node % kWordBits);
  bound_ = SetMemoryPolicy(MPOL_BIND, mask.data(), kMaxNode + 1) == 0;
  if (!bound_) problem_ = std::strerror(errno);
}

NodeScope::~NodeScope() {
  if (bound_) SetMemoryPolicy(MPOL_DEFAULT, nullptr, 0);
}

PlainMemory::PlainMemory(uint64_t bytes)
    : bytes_(bytes),
      data_(mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0)) {
  if (data_ == MAP_FAILED) {
    throw sdk::ToolError(absl::StrCat("expected ", bytes, " bytes of host memory: ", std::strerror(errno)));
  }
}

PlainMemory::~PlainMemory() { munmap(data_, bytes_); }

}  // namespace muster::physical
