#include "suites/driver/device_restart.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <fstream>
#include <thread>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/pci.h"
#include "base/root_folder.h"
#include "base/subprocess.h"
#include "suites/sdk/outcome.h"

namespace muster::driver {
namespace {

constexpr int64_t kLookEveryMs = 100;
constexpr int64_t kBackWithinMs = 60'000;

// Where distributions keep nvidia-smi and modprobe.
constexpr const char* kProgramFolders[] = {"/usr/sbin/", "/usr/bin/", "/sbin/", "/bin/", "/run/current-system/sw/bin/"};

// Appends what is there now; false at the end of the stream.
bool ReadSome(int descriptor, std::string& to) {
  constexpr size_t kMost = 4096;
  char buffer[1024];
  const ssize_t size = read(descriptor, buffer, sizeof(buffer));
  if (size > 0 && to.size() < kMost) to.append(buffer, std::min<size_t>(static_cast<size_t>(size), kMost - to.size()));
  return size > 0 || (size < 0 && (errno == EAGAIN || errno == EINTR));
}

CommandEnd RunCommand(const std::vector<std::string>& command) {
  base::Subprocess::Options options = {.arguments = {command.begin() + 1, command.end()}, .environment = {"LC_ALL=C"}};
  for (const char* folder : kProgramFolders) {
    options.program = folder + command[0];
    if (access(options.program.c_str(), X_OK) == 0) break;
  }
  auto program = base::Subprocess::Start(options);
  if (!program.ok())
    throw sdk::DeviceSkipped(absl::StrCat("cannot run ", command[0], ": ", program.status().message()));
  CommandEnd end;
  pollfd streams[] = {{program->stdout_fd().get(), POLLIN, 0}, {program->stderr_fd().get(), POLLIN, 0}};
  while (streams[0].fd >= 0 || streams[1].fd >= 0) {
    if (poll(streams, 2, -1) < 0 && errno != EINTR) break;
    for (pollfd& stream : streams) {
      if (stream.revents != 0 && !ReadSome(stream.fd, end.output)) stream.fd = -1;
    }
  }
  pollfd ended = {program->pidfd(), POLLIN, 0};
  while (poll(&ended, 1, -1) < 0 && errno == EINTR) {
  }
  const auto how = program->Reap();
  end.exit_code = how.has_value() ? how->exit_code.value_or(128 + how->signal.value_or(0)) : 127;
  return end;
}

std::string Words(const std::vector<std::string>& command, const CommandEnd& end) {
  return absl::StrCat("`", absl::StrJoin(command, " "), "` ended with ", end.exit_code, ": ",
                      absl::StripAsciiWhitespace(end.output));
}

// Sysfs takes a value in one write.
bool WriteFile(const RestartMachine& machine, const std::string& path, const std::string& value) {
  std::ofstream file(machine.root + path);
  file << value << std::flush;
  return file.good();
}

void RequireIdle(const RestartMachine& machine, const std::vector<v1::Device>& devices) {
  const std::vector<std::string> processes = ProcessesOn(machine, devices);
  if (processes.empty()) return;
  throw sdk::DeviceSkipped(absl::StrCat("the device is in use, and their work would end with it; stop first: ",
                                        absl::StrJoin(processes, ", ")));
}

// Whether each device is bound to the same driver as before and has its nodes, but for NVIDIA's, which come when they
// are first asked for.
bool AllServed(const RestartMachine& machine, const std::vector<v1::Device>& devices) {
  const base::RootFolder root(machine.root);
  return std::all_of(devices.begin(), devices.end(), [&](const v1::Device& device) {
    const std::string driver = root.ReadLink("/sys/bus/pci/devices/" + device.pci_address() + "/driver");
    if (!absl::EndsWith(driver, "/" + device.kernel_driver())) return false;
    if (device.vendor() == v1::VENDOR_NVIDIA) return true;
    return std::all_of(device.device_nodes().begin(), device.device_nodes().end(),
                       [&](const std::string& node) { return access((machine.root + node).c_str(), F_OK) == 0; });
  });
}

void AwaitServed(const RestartMachine& machine, const std::vector<v1::Device>& devices, const std::string& after) {
  for (int64_t waited = 0; waited < kBackWithinMs; waited += kLookEveryMs) {
    if (AllServed(machine, devices)) return;
    machine.wait(kLookEveryMs);
  }
  std::vector<std::string> addresses;
  for (const v1::Device& device : devices) addresses.push_back(device.pci_address());
  throw sdk::DeviceFailure(absl::StrCat("expected ", absl::StrJoin(addresses, ", "), " to be served by ",
                                        devices[0].kernel_driver(), " again within ", kBackWithinMs / 1000, " s after ",
                                        after, ", it is not; look at the kernel log, then restart the machine"));
}

void ResetNvidia(const RestartMachine& machine, const v1::Device& device) {
  // nvidia-smi's documentation, "Return value": 2 bad argument, 3 not supported here, 4 not allowed, 9 not loaded.
  constexpr int kNotSupported = 3;
  constexpr int kNotAllowed = 4;
  const std::vector<std::string> command = {"nvidia-smi", "--gpu-reset", "-i", device.pci_address()};
  const CommandEnd end = machine.run(command);
  if (end.exit_code == kNotSupported || end.exit_code == kNotAllowed) throw sdk::DeviceSkipped(Words(command, end));
  if (end.exit_code != 0) throw sdk::DeviceFailure(Words(command, end));
}

void ResetByFunction(const RestartMachine& machine, const v1::Device& device) {
  const std::string folder = "/sys/bus/pci/devices/" + device.pci_address();
  const std::string driver = "/sys/bus/pci/drivers/" + device.kernel_driver();
  if (access((machine.root + folder + "/reset").c_str(), F_OK) != 0)
    throw sdk::DeviceSkipped("PCI has no way to reset this function (no file 'reset' in sysfs)");
  if (!WriteFile(machine, driver + "/unbind", device.pci_address()))
    throw sdk::DeviceSkipped(absl::StrCat(device.kernel_driver(), " does not let go of ", device.pci_address()));
  const bool reset = WriteFile(machine, folder + "/reset", "1");
  const bool bound = WriteFile(machine, driver + "/bind", device.pci_address());
  if (!reset) throw sdk::DeviceFailure("the PCI function level reset was refused; its driver was bound again");
  if (!bound)
    throw sdk::DeviceFailure(absl::StrCat(device.kernel_driver(), " does not take the device after its reset"));
}

// In the order in which they can be unloaded; only those that are loaded.
std::vector<std::string> ModulesOf(const RestartMachine& machine, const v1::Device& device) {
  std::vector<std::string> modules = {"nvidia_peermem", "nvidia_uvm", "nvidia_drm", "nvidia_modeset", "nvidia"};
  if (device.vendor() != v1::VENDOR_NVIDIA) modules = {device.kernel_driver()};
  std::erase_if(modules, [&](const std::string& name) {
    // A driver that is built in has a folder and no reference count.
    return access((machine.root + "/sys/module/" + name + "/refcnt").c_str(), F_OK) != 0;
  });
  return modules;
}

// In the other order. The first that fails, in words; empty when none does.
std::string LoadModules(const RestartMachine& machine, const std::vector<std::string>& unloaded) {
  std::string problem;
  for (auto module = unloaded.rbegin(); module != unloaded.rend(); ++module) {
    const std::vector<std::string> command = {"modprobe", *module};
    const CommandEnd end = machine.run(command);
    if (end.exit_code != 0 && problem.empty()) problem = Words(command, end);
  }
  return problem;
}

}  // namespace

RestartMachine RestartMachine::This() {
  return {.root = "/", .run = RunCommand, .wait = [](int64_t ms) {
            std::this_thread::sleep_for(std::chrono::milliseconds(ms));
          }};
}

std::vector<v1::Device> GpusOf(const RestartMachine& machine, v1::Vendor vendor) {
  auto gpus = base::PciGpus(base::RootFolder(machine.root));
  if (!gpus.ok()) throw sdk::ToolError(std::string(gpus.status().message()));
  std::erase_if(*gpus, [vendor](const v1::Device& device) { return device.vendor() != vendor; });
  return *std::move(gpus);
}

std::vector<std::string> ProcessesOn(const RestartMachine& machine, const std::vector<v1::Device>& devices) {
  const base::RootFolder root(machine.root);
  std::vector<std::string> nodes;
  for (const v1::Device& device : devices) {
    nodes.insert(nodes.end(), device.device_nodes().begin(), device.device_nodes().end());
  }
  std::vector<std::string> found;
  constexpr size_t kMostProcesses = 1 << 20;
  for (const std::string& process : root.List("/proc", kMostProcesses).value_or(std::vector<std::string>())) {
    if (process.find_first_not_of("0123456789") != std::string::npos) continue;
    const std::string folder = absl::StrCat("/proc/", process);
    const auto descriptors = root.List(folder + "/fd", kMostProcesses).value_or(std::vector<std::string>());
    const bool holds = std::any_of(descriptors.begin(), descriptors.end(), [&](const std::string& descriptor) {
      return std::find(nodes.begin(), nodes.end(), root.ReadLink(folder + "/fd/" + descriptor)) != nodes.end();
    });
    if (holds) found.push_back(absl::StrCat(process, " (", root.ReadLine(folder + "/comm"), ")"));
  }
  return found;
}

void ResetDevice(const RestartMachine& machine, const v1::Device& device) {
  if (device.kernel_driver().empty()) throw sdk::DeviceSkipped("no kernel driver serves the device");
  RequireIdle(machine, {device});
  if (device.vendor() == v1::VENDOR_NVIDIA) {
    ResetNvidia(machine, device);
  } else {
    ResetByFunction(machine, device);
  }
  AwaitServed(machine, {device}, "its reset");
}

void ReloadDriver(const RestartMachine& machine, const std::vector<v1::Device>& devices) {
  RequireIdle(machine, devices);
  const std::vector<std::string> modules = ModulesOf(machine, devices.at(0));
  if (modules.empty()) throw sdk::DeviceSkipped("the kernel driver is no module that can be unloaded");
  std::vector<std::string> unloaded;
  for (const std::string& module : modules) {
    const std::vector<std::string> command = {"modprobe", "-r", module};
    const CommandEnd end = machine.run(command);
    if (end.exit_code == 0) {
      unloaded.push_back(module);
      continue;
    }
    const std::string problem = LoadModules(machine, unloaded);
    if (!problem.empty()) throw sdk::DeviceFailure(problem);
    throw sdk::DeviceSkipped(
        absl::StrCat("the driver cannot be unloaded, and was left as it was: ", Words(command, end)));
  }
  const std::string problem = LoadModules(machine, unloaded);
  if (!problem.empty()) throw sdk::DeviceFailure(problem);
  AwaitServed(machine, devices, "its driver was loaded again");
}

}  // namespace muster::driver
