#include "agent/inventory/labels.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "base/clean_text.h"

namespace muster::agent {
namespace {

constexpr size_t kMaxName = 63;
constexpr size_t kMaxPrefix = 253;

// By compute capability, as NVIDIA's list of GPUs has them.
absl::string_view Architecture(absl::string_view compute_capability) {
  const std::pair<absl::string_view, absl::string_view> parts =
      absl::StrSplit(compute_capability, absl::MaxSplits('.', 1));
  const auto major = base::ParseNumber(parts.first);
  const auto minor = base::ParseNumber(parts.second);
  if (!major || !minor) return {};
  switch (*major) {
    case 5:
      return "maxwell";
    case 6:
      return "pascal";
    case 7:
      return *minor >= 5 ? "turing" : "volta";
    case 8:
      return *minor == 9 ? "ada" : "ampere";
    case 9:
      return "hopper";
    case 10:
    case 11:
    case 12:
      return "blackwell";
    default:
      return {};
  }
}

absl::string_view VendorLabel(v1::Vendor vendor) {
  if (vendor == v1::VENDOR_INTEL) return "intel";
  return vendor == v1::VENDOR_NVIDIA ? "nvidia" : absl::string_view();
}

absl::string_view StateLabel(v1::DriverState state) {
  switch (state) {
    case v1::DRIVER_STATE_READY:
      return "ready";
    case v1::DRIVER_STATE_UNBOUND:
      return "unbound";
    case v1::DRIVER_STATE_NO_LIBRARY:
      return "no-library";
    case v1::DRIVER_STATE_NOT_LISTED:
      return "not-listed";
    default:
      return {};
  }
}

// This program's own: it runs on no other.
constexpr absl::string_view Arch() {
#if defined(__x86_64__)
  return "x86_64";
#elif defined(__aarch64__)
  return "aarch64";
#else
  return "";
#endif
}

void Put(absl::string_view key, absl::string_view text, Labels& labels) {
  if (std::string value = LabelValue(text); !value.empty()) labels[std::string(key)] = std::move(value);
}

bool IsNameCharacter(char c) { return absl::ascii_isalnum(c) || c == '-' || c == '_' || c == '.'; }

bool IsName(absl::string_view name) {
  return !name.empty() && name.size() <= kMaxName && absl::ascii_isalnum(name.front()) &&
         absl::ascii_isalnum(name.back()) && std::all_of(name.begin(), name.end(), IsNameCharacter);
}

// A DNS subdomain: lower-case labels of letters, digits and '-', joined by dots.
bool IsPrefix(absl::string_view prefix) {
  if (prefix.empty() || prefix.size() > kMaxPrefix) return false;
  for (absl::string_view part : absl::StrSplit(prefix, '.')) {
    const bool plain = std::all_of(part.begin(), part.end(),
                                   [](char c) { return absl::ascii_islower(c) || absl::ascii_isdigit(c) || c == '-'; });
    if (!IsName(part) || !plain) return false;
  }
  return true;
}

bool IsKey(absl::string_view key) {
  const size_t slash = key.find('/');
  if (slash == absl::string_view::npos) return IsName(key);
  return IsPrefix(key.substr(0, slash)) && IsName(key.substr(slash + 1));
}

}  // namespace

Labels DeviceLabels(const v1::Device& device) {
  Labels labels;
  Put("vendor", VendorLabel(device.vendor()), labels);
  Put("model", device.model(), labels);
  if (device.has_memory_bytes()) Put("memory_gib", absl::StrCat(MemoryGib(device.memory_bytes())), labels);
  Put("architecture", Architecture(device.compute_capability()), labels);
  Put("compute_capability", device.compute_capability(), labels);
  Put("xe_generation", device.xe_generation(), labels);
  Put("driver_version", device.driver_version(), labels);
  Put("kernel_driver", device.kernel_driver(), labels);
  Put("driver_state", StateLabel(device.driver_state()), labels);
  if (device.pci_link().has_max_generation()) {
    Put("pci_generation", absl::StrCat(device.pci_link().max_generation()), labels);
  }
  Put("simulated", device.simulated() ? "true" : "false", labels);
  return labels;
}

Labels MachineLabels(const v1::Machine& machine) {
  const auto count = [&](v1::Vendor vendor) {
    return absl::StrCat(std::count_if(machine.devices().begin(), machine.devices().end(),
                                      [&](const v1::Device& device) { return device.vendor() == vendor; }));
  };
  Labels labels;
  Put("name", machine.name(), labels);
  Put("os", machine.os(), labels);
  Put("kernel", machine.kernel(), labels);
  Put("arch", Arch(), labels);
  Put("gpus", absl::StrCat(machine.devices_size()), labels);
  Put("nvidia_gpus", count(v1::VENDOR_NVIDIA), labels);
  Put("intel_gpus", count(v1::VENDOR_INTEL), labels);
  Put("nixos", machine.has_nixos() ? "true" : "false", labels);
  Put("nixpkgs_revision", machine.nixos().nixpkgs_revision(), labels);
  return labels;
}

absl::Status ValidateLabels(const Labels& labels) {
  for (const auto& [key, value] : labels) {
    if (!IsKey(key)) {
      return absl::InvalidArgumentError(absl::StrCat(
          "label key '", base::CleanText(key),
          "': expected NAME or PREFIX/NAME, NAME of at most 63 letters, digits, '-', '_' and '.' with a letter or "
          "digit at both ends, PREFIX a DNS name"));
    }
    if (!value.empty() && !IsName(value)) {
      return absl::InvalidArgumentError(
          absl::StrCat("value '", base::CleanText(value), "' of label ", key,
                       ": expected at most 63 letters, digits, '-', '_' and '.' with a letter or digit at both ends"));
    }
  }
  return absl::OkStatus();
}

uint64_t MemoryGib(uint64_t bytes) { return (bytes >> 30) + ((bytes >> 29) & 1); }

std::string LabelValue(absl::string_view text) {
  std::string value;
  for (const char c : absl::StrReplaceAll(text, {{"(R)", ""}, {"(TM)", ""}, {"(r)", ""}, {"(tm)", ""}})) {
    if (value.size() == kMaxName) break;
    if (IsNameCharacter(c)) {
      value += c;
    } else if (!value.empty() && value.back() != '-') {
      value += '-';
    }
  }
  while (!value.empty() && !absl::ascii_isalnum(value.back())) value.pop_back();
  const auto first = std::find_if(value.begin(), value.end(), absl::ascii_isalnum);
  value.erase(value.begin(), first);
  return value;
}

}  // namespace muster::agent
