#include "suites/driver/pci_bar.h"

#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/clean_text.h"

namespace muster::driver {
namespace {

// Of the kernel's include/linux/ioport.h.
constexpr uint64_t kMemoryWindow = 0x200;
// A device's own; the expansion ROM and bridges' windows follow.
constexpr int kBars = 6;
// PCI Express: bit N of the capability is 2^(N + 20) bytes.
constexpr int kSmallestBarShift = 20;

}  // namespace

std::optional<Window> LargestWindow(absl::string_view resource) {
  std::optional<Window> largest;
  int index = -1;
  for (const absl::string_view line : absl::StrSplit(resource, '\n', absl::SkipEmpty())) {
    if (++index == kBars) break;
    const std::vector<absl::string_view> words = absl::StrSplit(line, ' ', absl::SkipEmpty());
    if (words.size() != 3) return std::nullopt;
    const auto start = base::ParseNumber(words[0], 16);
    const auto end = base::ParseNumber(words[1], 16);
    const auto flags = base::ParseNumber(words[2], 16);
    if (!start || !end || !flags) return std::nullopt;
    if ((*flags & kMemoryWindow) == 0 || *end <= *start) continue;
    const uint64_t bytes = *end - *start + 1;
    if (!largest || bytes > largest->bytes) largest = Window{.index = index, .bytes = bytes};
  }
  return largest;
}

std::optional<PciBar> ReadPciBar(const base::RootFolder& root, const std::string& pci_address) {
  const std::string folder = "/sys/bus/pci/devices/" + pci_address;
  const auto window = LargestWindow(root.Read(folder + "/resource"));
  if (!window) return std::nullopt;
  PciBar bar{.bytes = window->bytes};
  // The sizes that the card offers, a bit each.
  const auto sizes = root.ReadNumber(absl::StrCat(folder, "/resource", window->index, "_resize"), 16);
  if (sizes && *sizes != 0) {
    const int highest = 63 - __builtin_clzll(*sizes);
    if (highest + kSmallestBarShift < 64) bar.possible_bytes = uint64_t{1} << (highest + kSmallestBarShift);
  }
  return bar;
}

bool IsVirtualMachine(const base::RootFolder& root) {
  for (const absl::string_view line : absl::StrSplit(root.Read("/proc/cpuinfo"), '\n')) {
    if (absl::StartsWith(line, "flags") && absl::StrContains(line, " hypervisor")) return true;
  }
  return false;
}

}  // namespace muster::driver
