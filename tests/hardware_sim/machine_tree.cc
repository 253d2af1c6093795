#include "tests/hardware_sim/machine_tree.h"

#include <filesystem>
#include <fstream>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"
#include "base/file.h"
#include "base/status_macros.h"
#include "tests/hardware_sim/kernel_lines.h"

namespace muster::sim {
namespace {

namespace fs = std::filesystem;

constexpr int kProcessors = 32;
constexpr char kKernelLog[] = "/dev/kmsg";

// "16.0 GT/s PCIe", as sysfs writes a link's speed.
std::string SpeedOf(double generation) {
  constexpr const char* kSpeeds[] = {"Unknown", "2.5", "5.0", "8.0", "16.0", "32.0", "64.0"};
  const int number = static_cast<int>(generation);
  return number < 1 || number > 6 ? "Unknown\n" : absl::StrCat(kSpeeds[number], " GT/s PCIe\n");
}

double ValueOf(const World& world, size_t index, v1::TelemetryField field, Seconds now) {
  return world.Read(index, field, {}, now).value();
}

// Where the kernel has it: behind the port of its bus.
std::string PortFolder(const std::string& address) {
  const std::string port = PortOf(address);
  return absl::StrCat("/sys/devices/pci", port.substr(0, 7), "/", port);
}

std::string DeviceFolder(const v1::Device& device) {
  return absl::StrCat(PortFolder(device.pci_address()), "/", device.pci_address());
}

std::string BusLink(const v1::Device& device) { return absl::StrCat("/sys/bus/pci/devices/", device.pci_address()); }

// The windows that a card has on the bus: registers, and all of its memory (Resizable BAR is on).
std::string ResourceOf(const v1::Device& device) {
  constexpr uint64_t kRegisters = 16ull << 20;
  constexpr uint64_t kBase = 1ull << 44;
  uint64_t window = 1;
  while (window < device.memory_bytes()) window <<= 1;
  std::string text = absl::StrFormat("0x%016x 0x%016x 0x%016x\n", kBase - kRegisters, kBase - 1, 0x140204);
  const std::string none = absl::StrFormat("0x%016x 0x%016x 0x%016x\n", 0, 0, 0);
  absl::StrAppend(&text, none, absl::StrFormat("0x%016x 0x%016x 0x%016x\n", kBase, kBase + window - 1, 0x14220c));
  for (int i = 0; i < 4; ++i) text += none;
  return text;
}

// What i915 and xe tell of a firmware that runs.
std::string UcInfo(const char* name, const char* version) {
  return absl::StrCat(name, " firmware: simulated/", name, ".bin\n\tstatus: RUNNING\n\tversion: found ", version, "\n");
}

// The number of "/dev/dri/card1".
std::string DrmMinor(const v1::Device& device) {
  for (const std::string& node : device.device_nodes()) {
    if (const size_t at = node.find("card"); at != std::string::npos) return node.substr(at + 4);
  }
  return "0";
}

std::string NvidiaFolder(const v1::Device& device) {
  return absl::StrCat("/proc/driver/nvidia/gpus/", device.pci_address());
}

std::string Hex(const std::string& text, int digits) {
  uint64_t hash = 0xcbf29ce484222325;
  std::string hex;
  for (int i = 0; static_cast<int>(hex.size()) < digits; ++i) {
    for (const char c : absl::StrCat(text, i)) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
    absl::StrAppend(&hex, absl::StrFormat("%016x", hash));
  }
  return hex.substr(0, digits);
}

}  // namespace

MachineTree::MachineTree(std::string root, std::string machine)
    : root_(std::move(root)), machine_(std::move(machine)) {}

absl::Status MachineTree::Update(const World& world, Seconds now) {
  if (!begun_) RETURN_IF_ERROR(WriteHost());
  begun_ = true;
  for (size_t i = 0; i < world.devices().size(); ++i) {
    const v1::Device& device = world.devices()[i].device;
    RETURN_IF_ERROR(world.IsLost(i, now) ? RemoveDevice(device) : WriteDevice(world, i, now));
  }
  return AppendLog(world, now);
}

// A plain Debian host.
absl::Status MachineTree::WriteHost() {
  std::error_code ignored;
  for (const char* folder : {"/sys/bus/pci/devices", "/sys/devices", "/proc/driver/nvidia/gpus"}) {
    fs::remove_all(root_ + folder, ignored);  // Left by an earlier one.
  }
  RETURN_IF_ERROR(base::MakeFolders(root_ + "/sys/bus/pci/devices"));
  std::string processors;
  for (int i = 0; i < kProcessors; ++i) {
    absl::StrAppend(&processors, "processor\t: ", i, "\nmodel name\t: Simulated processor\n\n");
  }
  const std::string boot = Hex(absl::StrCat(machine_, "/boot"), 32);
  const std::pair<const char*, std::string> files[] = {
      {"/proc/sys/kernel/hostname", machine_ + "\n"},
      {"/proc/sys/kernel/osrelease", "6.1.0-simulated-amd64\n"},
      {"/proc/sys/kernel/random/boot_id", absl::StrFormat("%s-%s-%s-%s-%s\n", boot.substr(0, 8), boot.substr(8, 4),
                                                          boot.substr(12, 4), boot.substr(16, 4), boot.substr(20))},
      {"/proc/cpuinfo", processors},
      {"/proc/meminfo", "MemTotal:       263921664 kB\nMemFree:        250000000 kB\nMemAvailable:   255000000 kB\n"},
      {"/sys/devices/system/cpu/online", absl::StrCat("0-", kProcessors - 1, "\n")},
      {"/etc/machine-id", Hex(machine_, 32) + "\n"},
      {"/etc/os-release", "NAME=\"Debian GNU/Linux\"\nID=debian\nPRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\n"},
  };
  for (const auto& [path, content] : files) RETURN_IF_ERROR(Write(path, content));
  RETURN_IF_ERROR(base::MakeFolders(root_ + "/dev"));
  fs::remove_all(root_ + "/sys/kernel/debug/dri", ignored);
  std::ofstream(root_ + kKernelLog, std::ios::trunc);
  return absl::OkStatus();
}

absl::Status MachineTree::WriteDevice(const World& world, size_t index, Seconds now) {
  const DeviceFacts& facts = world.devices()[index];
  const v1::Device& device = facts.device;
  const std::string folder = DeviceFolder(device);
  const bool nvidia = device.vendor() == v1::VENDOR_NVIDIA;
  const std::string max_speed = SpeedOf(facts.model.pcie_generation());
  const std::string max_width = absl::StrCat(facts.model.pcie_lanes(), "\n");
  const std::string speed = SpeedOf(ValueOf(world, index, v1::PCIE_LINK_GENERATION, now));
  const std::string width = absl::StrFormat("%.0f\n", ValueOf(world, index, v1::PCIE_LINK_LANES, now));
  const std::pair<std::string, std::string> files[] = {
      {folder + "/vendor", absl::StrFormat("0x%04x\n", device.pci_vendor_id())},
      {folder + "/device", absl::StrFormat("0x%04x\n", device.pci_device_id())},
      {folder + "/class", nvidia ? "0x030200\n" : "0x038000\n"},
      {folder + "/numa_node", absl::StrCat(device.numa_node(), "\n")},
      {folder + "/current_link_speed", speed},
      {folder + "/current_link_width", width},
      {folder + "/max_link_speed", max_speed},
      {folder + "/max_link_width", max_width},
      {folder + "/resource", ResourceOf(device)},
      {PortFolder(device.pci_address()) + "/max_link_speed", max_speed},
      {PortFolder(device.pci_address()) + "/max_link_width", max_width},
      {absl::StrCat("/sys/module/", device.kernel_driver(), "/version"), device.driver_version() + "\n"},
  };
  // i915 and xe have no version of their own.
  for (const auto& [path, content] : files) {
    if (nvidia || path.rfind("/sys/module/", 0) != 0) RETURN_IF_ERROR(Write(path, content));
  }
  // Plain files stand for the nodes.
  for (const std::string& node : device.device_nodes()) RETURN_IF_ERROR(Write(node, ""));
  if (nvidia) {
    RETURN_IF_ERROR(Write(
        "/proc/driver/nvidia/version",
        absl::StrCat("NVRM version: NVIDIA UNIX x86_64 Kernel Module  ", device.driver_version(), "  Simulated\n")));
    const std::string node = device.device_nodes(0);
    RETURN_IF_ERROR(Write(NvidiaFolder(device) + "/information",
                          absl::StrCat("Model: \t\t ", device.model(), "\nGPU UUID: \t ", device.uuid(),
                                       "\nBus Location: \t ", device.pci_address(), "\nDevice Minor: \t ",
                                       node.substr(std::string("/dev/nvidia").size()), "\n")));
  } else {
    for (const std::string& node : device.device_nodes()) {
      const std::string name = fs::path(node).filename().string();
      RETURN_IF_ERROR(Write(absl::StrCat(folder, "/drm/", name, "/dev"), "226:0\n"));
    }
    const std::string debug = "/sys/kernel/debug/dri/" + DrmMinor(device);
    RETURN_IF_ERROR(Write(debug + "/name", absl::StrCat(device.kernel_driver(), " dev=", device.pci_address(), "\n")));
    RETURN_IF_ERROR(Write(debug + "/gt0/uc/guc_info", UcInfo("GuC", "70.29.2")));
    RETURN_IF_ERROR(Write(debug + "/gt0/uc/huc_info", UcInfo("HuC", "7.10.16")));
    RETURN_IF_ERROR(Write(absl::StrCat("/sys/module/", device.kernel_driver(), "/refcnt"), "1\n"));
  }
  RETURN_IF_ERROR(Link(folder + "/driver", "../../../../bus/pci/drivers/" + device.kernel_driver()));
  return Link(BusLink(device), absl::StrCat("../../..", folder.substr(std::string("/sys").size())));
}

absl::Status MachineTree::RemoveDevice(const v1::Device& device) {
  std::error_code error;
  // The bus's link first: what it points to is then whole or not there.
  std::vector<std::string> paths = {BusLink(device), DeviceFolder(device), NvidiaFolder(device)};
  if (device.vendor() == v1::VENDOR_INTEL) {
    paths.insert(paths.end(), device.device_nodes().begin(), device.device_nodes().end());
    paths.push_back("/sys/kernel/debug/dri/" + DrmMinor(device));
  }
  for (const std::string& path : paths) {
    fs::remove_all(root_ + path, error);
    if (error) return base::ErrnoStatus(error.value(), absl::StrCat("cannot remove ", root_, path));
    std::erase_if(written_, [&path](const auto& file) { return file.first.rfind(path, 0) == 0; });
  }
  return absl::OkStatus();
}

absl::Status MachineTree::AppendLog(const World& world, Seconds now) {
  std::string records;
  for (const World::LogLine& line : world.KernelLog(logged_until_, now)) {
    // Control characters and the backslash as the kernel writes them.
    const std::string text = absl::StrReplaceAll(line.text, {{"\\", "\\x5c"}, {"\n", "\\x0a"}});
    absl::StrAppend(&records, absl::StrFormat("%d,%u,%d,-;%s\n", line.priority, next_record_++,
                                              static_cast<int64_t>(line.at * 1e6), text));
  }
  logged_until_ = std::max(logged_until_, now);
  if (records.empty()) return absl::OkStatus();
  std::ofstream file(root_ + kKernelLog, std::ios::app | std::ios::binary);
  file << records << std::flush;
  return file.good() ? absl::OkStatus() : absl::UnavailableError(absl::StrCat("cannot write to ", root_, kKernelLog));
}

absl::Status MachineTree::Write(const std::string& path, const std::string& content) {
  if (const auto known = written_.find(path); known != written_.end() && known->second == content) {
    return absl::OkStatus();
  }
  const std::string real = root_ + path;
  const std::string beside = real + ".new";
  RETURN_IF_ERROR(base::MakeFolders(fs::path(real).parent_path().string()));
  {
    std::ofstream file(beside, std::ios::trunc | std::ios::binary);
    file << content << std::flush;
    if (!file.good()) return absl::UnavailableError(absl::StrCat("cannot write ", beside));
  }
  std::error_code error;
  fs::rename(beside, real, error);
  if (error) return base::ErrnoStatus(error.value(), absl::StrCat("cannot write ", real));
  written_[path] = content;
  return absl::OkStatus();
}

absl::Status MachineTree::Link(const std::string& path, const std::string& target) {
  if (written_.contains(path)) return absl::OkStatus();
  std::error_code error;
  RETURN_IF_ERROR(base::MakeFolders(fs::path(root_ + path).parent_path().string()));
  fs::create_symlink(target, root_ + path, error);
  if (error) return base::ErrnoStatus(error.value(), absl::StrCat("cannot link ", root_, path));
  written_[path] = target;
  return absl::OkStatus();
}

}  // namespace muster::sim
