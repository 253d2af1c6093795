#include "tests/hardware_sim/kernel_lines.h"

#include <cstdio>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"

namespace muster::sim {
namespace {

// Priorities of /dev/kmsg.
constexpr int kCritical = 2;
constexpr int kError = 3;
constexpr int kWarning = 4;
constexpr int kNotice = 5;
constexpr int kInfo = 6;

using Lines = std::vector<World::LogLine>;

// NVIDIA's driver writes its lines with printk's level for errors where it means errors; "PCI:0000:41:00".
std::string XidPlace(const DeviceFacts& device) {
  const std::string& address = device.device.pci_address();
  return absl::StrCat("PCI:", address.substr(0, address.find('.')));
}

std::string XidText(uint32_t number) {
  switch (number) {
    case 13:
      return "pid=4711, name=python3, Graphics SM Warp Exception on (GPC 0, TPC 2, SM 0): Out Of Range Address";
    case 31:
      return "pid=4711, name=python3, Ch 00000008, intr 00000000. MMU Fault: ENGINE GRAPHICS GPCCLIENT_T1_0 faulted @ "
             "0x7f2c_0a000000. Fault is of type FAULT_PDE ACCESS_TYPE_VIRT_READ";
    case 48:
      return "pid=4711, name=python3, An uncorrectable double bit error (DBE) has been detected on GPU in the "
             "framebuffer "
             "at partition 4, subpartition 0.";
    case 63:
      return "pid=4711, name=python3, Row Remapper: New row marked for remapping, reset gpu to activate.";
    case 64:
      return "pid=4711, name=python3, Row Remapper: Failed to remap row, no spare row is left in the bank.";
    case 74:
      return "pid=4711, name=python3, NVLink: fatal error detected on link 0(0x10000, 0x0, 0x0, 0x0, 0x0, 0x0, 0x0)";
    case 79:
      return "pid='<unknown>', name=<unknown>, GPU has fallen off the bus.";
    case 94:
      return "pid=4711, name=python3, Contained: CE User Channel (0x9). RST: No, D-RST: No";
    case 95:
      return "pid=4711, name=python3, Uncontained: LTC TAG (0x2,0x0). RST: Yes, D-RST: No";
    case 119:
      return "pid=4711, name=nvidia-smi, Timeout after 6s of waiting for RPC response from GPU0 GSP! Expected function "
             "76 "
             "(GSP_RM_CONTROL) (0x20800a4c 0x4).";
    default:
      return "pid=4711, name=python3, Ch 00000008";
  }
}

void AddXid(const DeviceFacts& device, const Fault& fault, Lines& lines) {
  const Xid& xid = fault.xid();
  const std::string text = xid.text().empty() ? XidText(xid.number()) : xid.text();
  lines.push_back(
      {fault.at_s(), kError, absl::StrCat("NVRM: Xid (", XidPlace(device), "): ", xid.number(), ", ", text)});
  if (xid.number() != 79) return;
  lines.push_back(
      {fault.at_s(), kError, absl::StrCat("NVRM: GPU ", device.device.pci_address(), ": GPU has fallen off the bus.")});
}

// What a driver says when it has taken a device over; that ends what it said of it before.
void AddGreeting(const DeviceFacts& device, Seconds at, Lines& lines) {
  const std::string& driver = device.device.kernel_driver();
  const std::string& address = device.device.pci_address();
  lines.push_back({at, kInfo, absl::StrCat(driver, " ", address, ": enabling device (0000 -> 0002)")});
  if (driver == "nvidia") return;
  lines.push_back({at, kInfo, absl::StrCat("[drm] Initialized ", driver, " 1.6.0 for ", address, " on minor 0")});
}

void AddEngineHang(const DeviceFacts& device, const Fault& fault, Lines& lines) {
  const std::string driver = device.device.kernel_driver();
  const std::string address = device.device.pci_address();
  const std::string head = absl::StrCat(driver, " ", address, ": ");
  const std::string engine = fault.engine_hang().engine();
  if (fault.engine_hang().wedged() && fault.until_s() > 0) AddGreeting(device, fault.until_s(), lines);
  if (driver == "xe") {
    const std::string kind = engine.substr(0, engine.find_first_of("0123456789"));
    lines.push_back({fault.at_s(), kNotice,
                     absl::StrCat(head,
                                  "[drm] GT0: Timedout job: seqno=4294967169, lrc_seqno=4294967169, guc_id=2, "
                                  "flags=0x0 in python3 [4711]")});
    lines.push_back(
        {fault.at_s(), kInfo,
         absl::StrCat(head, "[drm] GT0: Engine reset: engine_class=", kind, ", logical_mask: 0x1, guc_id=2")});
    if (!fault.engine_hang().wedged()) return;
    lines.push_back({fault.at_s(), kCritical,
                     absl::StrCat(head, "[drm] *ERROR* CRITICAL: Xe has declared device ", address, " as wedged.")});
    return;
  }
  lines.push_back(
      {fault.at_s(), kNotice, absl::StrCat(head, "[drm] GPU HANG: ecode 12:1:85dffffb, in python3 [4711]")});
  if (!fault.engine_hang().wedged()) {
    lines.push_back(
        {fault.at_s(), kNotice, absl::StrCat(head, "[drm] Resetting ", engine, " for stopped heartbeat on ", engine)});
    return;
  }
  lines.push_back(
      {fault.at_s(), kNotice, absl::StrCat(head, "[drm] Resetting chip for stopped heartbeat on ", engine)});
  lines.push_back({fault.at_s(), kError, absl::StrCat(head, "[drm] *ERROR* Failed to reset chip")});
  lines.push_back(
      {fault.at_s(), kError, absl::StrCat(head, "[drm] *ERROR* Failed to initialize GPU, declaring it wedged!")});
}

void AddLoss(const DeviceFacts& device, const Fault& fault, Lines& lines) {
  const std::string& address = device.device.pci_address();
  lines.push_back(
      {fault.at_s(), kInfo, absl::StrCat("pcieport ", PortOf(address), ": pciehp: Slot(1): Card not present")});
  if (fault.until_s() == 0) return;
  lines.push_back({fault.until_s(), kInfo,
                   absl::StrFormat("pci %s: [%04x:%04x] type 00 class 0x030200", address, device.device.pci_vendor_id(),
                                   device.device.pci_device_id())});
  AddGreeting(device, fault.until_s(), lines);
}

void AddFault(const DeviceFacts& device, const Fault& fault, Lines& lines) {
  switch (fault.kind_case()) {
    case Fault::kXid:
      return AddXid(device, fault, lines);
    case Fault::kEngineHang:
      return AddEngineHang(device, fault, lines);
    case Fault::kDeviceLost:
      return AddLoss(device, fault, lines);
    case Fault::kKernelLine:
      lines.push_back({fault.at_s(), kWarning,
                       absl::StrReplaceAll(fault.kernel_line().text(), {{"%A", device.device.pci_address()}})});
      return;
    default:
      return;
  }
}

}  // namespace

std::string PortOf(const std::string& pci_address) {
  unsigned int domain = 0;
  unsigned int bus = 0;
  std::sscanf(pci_address.c_str(), "%x:%x", &domain, &bus);
  return absl::StrFormat("%04x:%02x:01.0", domain, bus > 0 ? bus - 1 : 0);
}

std::vector<World::LogLine> KernelLinesOf(const DeviceFacts& device) {
  Lines lines;
  AddGreeting(device, 0, lines);
  for (const Fault& fault : device.scenario.faults()) AddFault(device, fault, lines);
  return lines;
}

}  // namespace muster::sim
