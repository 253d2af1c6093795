#include "tests/hardware_sim/fault_rules.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "base/names.h"
#include "base/status_macros.h"
#include "tests/hardware_sim/models.h"

namespace muster::sim {
namespace {

constexpr double kMaxRate = 1e9;
constexpr double kMaxCount = 1e15;

const std::vector<std::string>& ThrottleReasons() {
  static const auto& reasons = *new std::vector<std::string>{
      "power", "thermal", "hw_slowdown", "hw_thermal", "hw_power_brake", "sync_boost", "current", "setting", "other"};
  return reasons;
}

const std::vector<std::string>& LinkErrorKinds(bool nvidia) {
  static const auto& nvlink = *new std::vector<std::string>{"crc_flit", "crc_data", "replay", "recovery", "ecc"};
  static const auto& xe_link = *new std::vector<std::string>{"fw_error", "fw_comm_error", "flap"};
  return nvidia ? nvlink : xe_link;
}

absl::Status CheckOneOf(const std::string& place, const std::string& text, const std::vector<std::string>& known) {
  if (std::find(known.begin(), known.end(), text) != known.end()) return absl::OkStatus();
  return Wrong(place, absl::StrCat("one of ", absl::StrJoin(known, ", ")), Shown(text));
}

// `what` for people: "Xid is NVIDIA's".
absl::Status CheckVendor(const std::string& place, const CustomModel& model, uint32_t vendor) {
  if (model.pci_vendor_id() == vendor) return absl::OkStatus();
  return Wrong(place, vendor == kNvidia ? "a device of NVIDIA's" : "a device of Intel's", Shown(model.name()));
}

absl::Status CheckEcc(const std::string& place, const CustomModel& model) {
  return model.ecc() ? absl::OkStatus() : Wrong(place, "a device with ECC", Shown(model.name()));
}

// Numbered from 0.
absl::Status CheckIndex(const std::string& place, uint32_t index, uint32_t count, std::string_view what) {
  if (index < count) return absl::OkStatus();
  return Wrong(place, absl::StrCat("a number under ", count, ", for the device has ", count, " ", std::string(what)),
               absl::StrCat(index));
}

absl::Status CheckCall(const std::string& place, const std::string& function) {
  RETURN_IF_ERROR(CheckText(absl::StrCat(place, ".function"), function, 3, 128));
  const bool known = function.rfind("nvml", 0) == 0 || function.rfind("ze", 0) == 0;
  return known ? absl::OkStatus()
               : Wrong(absl::StrCat(place, ".function"), "a function of NVML or Level Zero", Shown(function));
}

absl::Status CheckMemoryFault(const std::string& place, const Fault& fault, const CustomModel& model) {
  RETURN_IF_ERROR(CheckEcc(place, model));
  if (fault.has_row_remap()) {
    RETURN_IF_ERROR(CheckVendor(place, model, kNvidia));
    RETURN_IF_ERROR(CheckNumber(absl::StrCat(place, ".row_remap.corrected"), fault.row_remap().corrected(), 0, 1e6));
    return CheckNumber(absl::StrCat(place, ".row_remap.uncorrected"), fault.row_remap().uncorrected(), 0, 1e6);
  }
  const std::string here = absl::StrCat(place, ".ecc_errors");
  const EccErrors& ecc = fault.ecc_errors();
  RETURN_IF_ERROR(CheckText(absl::StrCat(here, ".location"), ecc.location(), 0, 64));
  if (ecc.location() == "total" || ecc.location() == "reset") {
    return Wrong(absl::StrCat(here, ".location"), "the place of the errors: dram, sram, …", Shown(ecc.location()));
  }
  RETURN_IF_ERROR(CheckNumber(absl::StrCat(here, ".per_second"), ecc.per_second(), 0, kMaxRate));
  return CheckNumber(absl::StrCat(here, ".count"), static_cast<double>(ecc.count()), 0, kMaxCount);
}

absl::Status CheckXid(const std::string& place, const Xid& xid, const CustomModel& model) {
  RETURN_IF_ERROR(CheckVendor(place, model, kNvidia));
  RETURN_IF_ERROR(CheckNumber(absl::StrCat(place, ".number"), xid.number(), 1, 1000));
  return CheckText(absl::StrCat(place, ".text"), xid.text(), 0, 512);
}

absl::Status CheckThrottle(const std::string& place, const Throttle& throttle) {
  RETURN_IF_ERROR(CheckOneOf(absl::StrCat(place, ".reason"), throttle.reason(), ThrottleReasons()));
  return CheckNumber(absl::StrCat(place, ".clock_ratio"), throttle.clock_ratio(), 0, 1);
}

absl::Status CheckTraining(const std::string& place, const LinkTrainedDown& down, const CustomModel& model) {
  if (down.generation() == 0 && down.lanes() == 0) return Wrong(place, "generation or lanes", "neither");
  RETURN_IF_ERROR(CheckNumber(absl::StrCat(place, ".generation"), down.generation(), 0, model.pcie_generation()));
  return CheckNumber(absl::StrCat(place, ".lanes"), down.lanes(), 0, model.pcie_lanes());
}

absl::Status CheckWrongResults(const std::string& place, const WrongResults& wrong) {
  RETURN_IF_ERROR(CheckText(absl::StrCat(place, ".kernel"), wrong.kernel(), 0, 256));
  return CheckNumber(absl::StrCat(place, ".bit"), wrong.bit(), 0, 63);
}

absl::Status CheckInterconnect(const std::string& place, const InterconnectErrors& errors, const CustomModel& model) {
  RETURN_IF_ERROR(CheckIndex(absl::StrCat(place, ".link"), errors.link(), model.links(), "links"));
  if (!errors.kind().empty()) {
    const bool nvidia = model.pci_vendor_id() == kNvidia;
    RETURN_IF_ERROR(CheckOneOf(absl::StrCat(place, ".kind"), errors.kind(), LinkErrorKinds(nvidia)));
  }
  return CheckNumber(absl::StrCat(place, ".per_second"), errors.per_second(), 0, kMaxRate);
}

absl::Status CheckKind(const std::string& place, const Fault& fault, const CustomModel& model) {
  switch (fault.kind_case()) {
    case Fault::kEccErrors:
    case Fault::kRowRemap:
      return CheckMemoryFault(place, fault, model);
    case Fault::kXid:
      return CheckXid(absl::StrCat(place, ".xid"), fault.xid(), model);
    case Fault::kThrottle:
      return CheckThrottle(absl::StrCat(place, ".throttle"), fault.throttle());
    case Fault::kLinkTrainedDown:
      return CheckTraining(absl::StrCat(place, ".link_trained_down"), fault.link_trained_down(), model);
    case Fault::kPcieReplays:
      return CheckNumber(absl::StrCat(place, ".pcie_replays.per_second"), fault.pcie_replays().per_second(), 0,
                         kMaxRate);
    case Fault::kFanStopped:
      return CheckIndex(absl::StrCat(place, ".fan_stopped.fan"), fault.fan_stopped().fan(), model.fans(), "fans");
    case Fault::kCallHangs:
      return CheckCall(absl::StrCat(place, ".call_hangs"), fault.call_hangs().function());
    case Fault::kCallFails:
      return CheckCall(absl::StrCat(place, ".call_fails"), fault.call_fails().function());
    case Fault::kDeviceLost:
      return absl::OkStatus();
    case Fault::kWrongResults:
      return CheckWrongResults(absl::StrCat(place, ".wrong_results"), fault.wrong_results());
    case Fault::kKernelLine:
      return CheckText(absl::StrCat(place, ".kernel_line.text"), fault.kernel_line().text(), 1, 512);
    case Fault::kEngineHang:
      RETURN_IF_ERROR(CheckVendor(absl::StrCat(place, ".engine_hang"), model, kIntel));
      return CheckText(absl::StrCat(place, ".engine_hang.engine"), fault.engine_hang().engine(), 0, 16);
    case Fault::kInterconnectErrors:
      return CheckInterconnect(absl::StrCat(place, ".interconnect_errors"), fault.interconnect_errors(), model);
    case Fault::KIND_NOT_SET:
      break;
  }
  return Wrong(place, "a kind of fault: ecc_errors, xid, throttle, …", "none");
}

}  // namespace

absl::Status Wrong(std::string_view place, std::string_view expected, std::string_view found) {
  return absl::InvalidArgumentError(
      absl::StrCat(std::string(place), ": expected ", std::string(expected), ", found ", std::string(found)));
}

std::string Shown(std::string_view text) {
  return absl::StrCat("\"", absl::CHexEscape(std::string(text.substr(0, 80))), text.size() > 80 ? "…\"" : "\"");
}

absl::Status CheckNumber(std::string_view place, double value, double low, double high) {
  if (std::isfinite(value) && value >= low && value <= high) return absl::OkStatus();
  return Wrong(place, absl::StrFormat("a number from %g to %g", low, high), absl::StrFormat("%g", value));
}

absl::Status CheckText(std::string_view place, std::string_view text, size_t shortest, size_t longest) {
  const bool printable = std::none_of(text.begin(), text.end(), [](char c) { return absl::ascii_iscntrl(c); });
  if (printable && text.size() >= shortest && text.size() <= longest) return absl::OkStatus();
  return Wrong(place, absl::StrCat("printable text of ", shortest, " to ", longest, " bytes"), Shown(text));
}

absl::Status CheckMachineName(std::string_view place, std::string_view name) {
  const absl::Status checked = base::CheckMachineName(name);
  return checked.ok() ? checked : absl::InvalidArgumentError(absl::StrCat(std::string(place), ": ", checked.message()));
}

absl::Status CheckFault(const std::string& place, const Fault& fault, const CustomModel& model) {
  RETURN_IF_ERROR(CheckNumber(absl::StrCat(place, ".at_s"), fault.at_s(), 0, kMaxSeconds));
  RETURN_IF_ERROR(CheckNumber(absl::StrCat(place, ".until_s"), fault.until_s(), 0, kMaxSeconds));
  if (fault.until_s() != 0 && fault.until_s() <= fault.at_s()) {
    return Wrong(absl::StrCat(place, ".until_s"), absl::StrCat("0 or a time after at_s, ", fault.at_s()),
                 absl::StrCat(fault.until_s()));
  }
  return CheckKind(place, fault, model);
}

}  // namespace muster::sim
