#include "suites/driver/uc_firmware.h"

#include <re2/re2.h>

#include <algorithm>
#include <array>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "suites/driver/library_file.h"

namespace muster::driver {
namespace {

constexpr char kDebugFolder[] = "/sys/kernel/debug/dri";
constexpr size_t kMaxEntries = 256;

bool IsOneOf(absl::string_view status, std::initializer_list<absl::string_view> all) {
  return std::find(all.begin(), all.end(), status) != all.end();
}

// "70.29.2" behind the last "found"; else the last version of the line.
std::string VersionIn(absl::string_view line) {
  std::string version;
  for (absl::string_view word : absl::StrSplit(line, absl::ByAnyChar(" ,:\t"), absl::SkipEmpty())) {
    if (IsVersion(word)) version = std::string(word);
  }
  return version;
}

// Kernels name a device's folder by its minor, with a file `name` in it, newer ones by its address.
std::string FolderOf(const base::RootFolder& root, const std::string& pci_address) {
  for (const std::string& entry : root.List(kDebugFolder, kMaxEntries).value_or(std::vector<std::string>())) {
    const std::string folder = absl::StrCat(kDebugFolder, "/", entry);
    // The minors of the primary node are below 64; those of the render node show the same.
    if (entry == pci_address || absl::StrContains(root.ReadLine(folder + "/name"), pci_address)) return folder;
  }
  return "";
}

// "gt0", "gt1", "gt", "tile0/gt0": where a driver has one of its engines' folders.
std::vector<std::string> Places(const base::RootFolder& root, const std::string& folder) {
  std::vector<std::string> places;
  const auto add = [&](const std::string& within) {
    const auto names = root.List(absl::StrCat(folder, "/", within), kMaxEntries).value_or(std::vector<std::string>());
    for (const std::string& name : names) {
      if (absl::StartsWith(name, "gt")) places.push_back(within + name);
    }
    return names;
  };
  for (const std::string& name : add("")) {
    if (absl::StartsWith(name, "tile")) add(name + "/");
  }
  return places;
}

}  // namespace

// The words are those of intel_uc_fw_status_repr (i915) and xe_uc_fw_status_repr (xe).
bool UcFirmware::Failed() const { return IsOneOf(status, {"MISSING", "ERROR", "INIT FAIL", "LOAD FAIL"}); }
bool UcFirmware::Unused() const { return IsOneOf(status, {"N/A", "DISABLED"}); }
bool UcFirmware::Runs() const {
  // PRELOADED: a virtual function, whose physical one loads it.
  return IsOneOf(status, {"RUNNING", "PRELOADED"});
}

std::optional<UcFirmware> ParseUcInfo(absl::string_view text) {
  UcFirmware firmware;
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    line = absl::StripAsciiWhitespace(line);
    const std::pair<absl::string_view, absl::string_view> head =
        absl::StrSplit(line, absl::MaxSplits(" firmware: ", 1));
    if (firmware.name.empty() && (head.first == "GuC" || head.first == "HuC")) {
      firmware.name = std::string(head.first);
      firmware.file = std::string(head.second);
    } else if (firmware.status.empty() && absl::ConsumePrefix(&line, "status: ")) {
      firmware.status = std::string(line);
    } else if (firmware.version.empty() && absl::StrContains(line, "found ")) {
      firmware.version = VersionIn(line);
    }
  }
  if (firmware.name.empty() || firmware.status.empty()) return std::nullopt;
  return firmware;
}

std::vector<UcFirmware> ReadUcFirmware(const base::RootFolder& root, const std::string& pci_address) {
  std::vector<UcFirmware> all;
  const std::string folder = FolderOf(root, pci_address);
  if (folder.empty()) return all;
  for (const std::string& place : Places(root, folder)) {
    for (const char* file : {"guc_info", "huc_info"}) {
      auto firmware = ParseUcInfo(root.Read(absl::StrCat(folder, "/", place, "/uc/", file)));
      if (!firmware) continue;
      firmware->place = place;
      all.push_back(*std::move(firmware));
    }
  }
  return all;
}

std::vector<UcFirmware> UcFirmwareInLog(const KernelLog& log, const std::string& pci_address) {
  // i915: "… [drm] GT0: GuC firmware i915/dg2_guc_70.bin version 70.5.1"; xe: "… Using GuC firmware from … version …".
  static const auto& line =
      *new re2::RE2("^(?:i915|xe) ([0-9a-f:.]+): .*\\b(GuC|HuC) firmware (?:from )?(\\S+) version (\\d+(?:\\.\\d+)+)");
  std::vector<UcFirmware> all;
  for (const base::KernelRecord& record : log.records) {
    std::string address;
    UcFirmware firmware;
    if (!re2::RE2::PartialMatch(record.text, line, &address, &firmware.name, &firmware.file, &firmware.version))
      continue;
    if (address != pci_address) continue;
    std::erase_if(all, [&](const UcFirmware& known) { return known.name == firmware.name; });
    all.push_back(std::move(firmware));
  }
  return all;
}

}  // namespace muster::driver
