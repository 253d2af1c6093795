#include "agent/inventory/host.h"

#include <algorithm>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "base/clean_text.h"

namespace muster::agent {
namespace {

constexpr uint64_t kMaxProcessors = 1 << 16;

// The value of the first line "NAME<separator>value" of `file`.
std::string ValueOf(absl::string_view file, absl::string_view name, char separator) {
  for (absl::string_view line : absl::StrSplit(file, '\n')) {
    if (!absl::ConsumePrefix(&line, name)) continue;
    line = absl::StripLeadingAsciiWhitespace(line);
    if (line.empty() || line.front() != separator) continue;
    return base::CleanText(line.substr(1));
  }
  return std::string();
}

// os-release quotes values as a shell does.
std::string Unquoted(std::string value) {
  if (value.size() < 2 || (value.front() != '"' && value.front() != '\'') || value.back() != value.front())
    return value;
  return value.substr(1, value.size() - 2);
}

std::string OsName(const base::RootFolder& root) {
  std::string release = root.Read("/etc/os-release");
  if (release.empty()) release = root.Read("/usr/lib/os-release");
  return Unquoted(ValueOf(release, "PRETTY_NAME", '='));
}

// "0-3,8,10-11" is 7 processors.
uint32_t CountRanges(absl::string_view ranges) {
  uint64_t count = 0;
  for (absl::string_view range : absl::StrSplit(ranges, ',')) {
    const std::pair<absl::string_view, absl::string_view> ends = absl::StrSplit(range, absl::MaxSplits('-', 1));
    const auto first = base::ParseNumber(ends.first);
    const auto last = ends.second.empty() ? first : base::ParseNumber(ends.second);
    if (!first || !last || *last < *first || *last >= kMaxProcessors) return 0;
    count += *last - *first + 1;
  }
  return static_cast<uint32_t>(std::min(count, kMaxProcessors));
}

uint32_t CountProcessors(const base::RootFolder& root, absl::string_view cpuinfo) {
  if (const uint32_t online = CountRanges(root.ReadLine("/sys/devices/system/cpu/online"))) return online;
  uint32_t count = 0;
  for (absl::string_view line : absl::StrSplit(cpuinfo, '\n')) count += absl::StartsWith(line, "processor") ? 1 : 0;
  return count;
}

uint64_t MemoryBytes(const base::RootFolder& root) {
  const std::string total = ValueOf(root.Read("/proc/meminfo"), "MemTotal", ':');  // "16384 kB"
  const auto kib = base::ParseNumber(total.substr(0, total.find(' ')));
  return kib && *kib < (uint64_t{1} << 50) ? *kib << 10 : 0;
}

// The program nixos-version is a script that holds its answers. It is read, not run.
std::string RecordedRevision(absl::string_view script) {
  constexpr absl::string_view kKey = "\"nixpkgsRevision\":\"";
  const size_t begin = script.find(kKey);
  if (begin == absl::string_view::npos) return std::string();
  const absl::string_view revision = script.substr(begin + kKey.size(), 40);
  const bool full = revision.size() == 40 && std::all_of(revision.begin(), revision.end(), absl::ascii_isxdigit);
  return full ? std::string(revision) : std::string();
}

void DescribeNixos(const base::RootFolder& root, v1::Machine& machine) {
  constexpr absl::string_view kSystem = "/run/current-system";
  const std::string closure = base::CleanText(root.ReadLink(kSystem));
  if (closure.empty()) return;
  v1::NixosSystem& nixos = *machine.mutable_nixos();
  nixos.set_system_closure(closure);
  // Through the closure's own name, for the link is absolute and a fixture tree is not at "/".
  nixos.set_nixos_version(root.ReadLine(absl::StrCat(closure, "/nixos-version")));
  nixos.set_nixpkgs_revision(RecordedRevision(root.Read(absl::StrCat(closure, "/sw/bin/nixos-version"))));
  if (nixos.nixpkgs_revision().empty()) {
    machine.add_notes("The NixOS system does not record its nixpkgs revision; one that is built from a flake does.");
  }
}

void NoteIf(bool missing, absl::string_view what, absl::string_view source, v1::Machine& machine) {
  if (missing) machine.add_notes(absl::StrCat("The ", what, " is unknown: ", source, " does not give it."));
}

}  // namespace

void DescribeHost(const base::RootFolder& root, v1::Machine& machine) {
  machine.set_host_name(root.ReadLine("/proc/sys/kernel/hostname"));
  machine.set_machine_id(root.ReadLine("/etc/machine-id"));
  machine.set_boot_id(root.ReadLine("/proc/sys/kernel/random/boot_id"));
  machine.set_kernel(root.ReadLine("/proc/sys/kernel/osrelease"));
  machine.set_os(OsName(root));
  const std::string cpuinfo = root.Read("/proc/cpuinfo", 4 << 20);
  machine.set_cpu_model(ValueOf(cpuinfo, "model name", ':'));
  machine.set_cpu_count(CountProcessors(root, cpuinfo));
  machine.set_memory_bytes(MemoryBytes(root));
  DescribeNixos(root, machine);

  NoteIf(machine.host_name().empty(), "host name", "/proc/sys/kernel/hostname", machine);
  NoteIf(machine.machine_id().empty(), "machine id", "/etc/machine-id", machine);
  NoteIf(machine.boot_id().empty(), "boot id", "/proc/sys/kernel/random/boot_id", machine);
  NoteIf(machine.kernel().empty(), "kernel version", "/proc/sys/kernel/osrelease", machine);
  NoteIf(machine.os().empty(), "operating system", "/etc/os-release", machine);
  NoteIf(machine.cpu_count() == 0, "number of processors", "/sys/devices/system/cpu/online", machine);
  NoteIf(machine.memory_bytes() == 0, "memory size", "/proc/meminfo", machine);
}

}  // namespace muster::agent
