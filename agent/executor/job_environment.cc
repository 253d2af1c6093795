#include "agent/executor/job_environment.h"

#include <algorithm>
#include <map>

#include "base/json.h"
#include "base/text.h"

namespace muster::agent {
namespace {

constexpr const char* kAlwaysPassed[] = {"PATH", "HOME", "LANG", "LC_ALL", "TZ", "LD_LIBRARY_PATH", "TMPDIR"};

template <typename Strings>
std::string Joined(const Strings& strings, char separator) {
  std::string joined;
  for (const auto& string : strings) {
    if (!joined.empty()) joined += separator;
    joined += string;
  }
  return joined;
}

std::string DevicesJson(const std::vector<v1::Device>& devices) {
  std::vector<std::string> texts;
  for (const v1::Device& device : devices) texts.push_back(base::ToJson(device));
  return base::Text("[", Joined(texts, ','), "]");
}

std::string MachineJson(const v1::Machine& machine) {
  v1::Machine without_devices = machine;
  without_devices.clear_devices();
  return base::ToJson(without_devices);
}

// UUIDs, so that no numbering can mislead; empty hides every NVIDIA device.
std::string CudaVisibleDevices(const std::vector<v1::Device>& devices) {
  std::vector<std::string> uuids;
  for (const v1::Device& device : devices) {
    if (device.vendor() == v1::VENDOR_NVIDIA && !device.uuid().empty()) uuids.push_back(device.uuid());
  }
  return Joined(uuids, ',');
}

// Indices among the machine's Intel devices that the driver lists, by PCI address. Level Zero has no way to hide all
// devices.
std::string ZeAffinityMask(const v1::Machine& machine, const std::vector<v1::Device>& devices) {
  std::vector<const v1::Device*> listed;
  for (const v1::Device& device : machine.devices()) {
    if (device.vendor() == v1::VENDOR_INTEL && device.driver_state() == v1::DRIVER_STATE_READY)
      listed.push_back(&device);
  }
  std::sort(listed.begin(), listed.end(),
            [](const v1::Device* a, const v1::Device* b) { return a->pci_address() < b->pci_address(); });
  std::vector<std::string> indices;
  for (size_t i = 0; i < listed.size(); ++i) {
    const bool leased = std::any_of(devices.begin(), devices.end(),
                                    [&](const v1::Device& device) { return device.id() == listed[i]->id(); });
    if (leased) indices.push_back(base::Text(i));
  }
  return Joined(indices, ',');
}

}  // namespace

std::vector<std::string> JobEnvironment::Build(
    const std::function<std::optional<std::string>(const std::string& name)>& lookup) const {
  std::map<std::string, std::string> variables;
  const auto pass_on = [&](const std::string& name) {
    if (const std::optional<std::string> value = lookup(name)) variables[name] = *value;
  };
  for (const char* name : kAlwaysPassed) pass_on(name);
  for (const std::string& name : pass) pass_on(name);
  variables["MUSTER_OUTPUT"] = manifest->format() == v1::RESULT_FORMAT_OCPTV ? "ocptv" : "native";
  variables["MUSTER_SUITE"] = manifest->name();
  variables["MUSTER_SUITE_VERSION"] = manifest->version();
  variables["MUSTER_CASES"] = Joined(spec->cases(), ',');
  variables["MUSTER_LEVEL"] = base::Text(static_cast<int>(spec->level()));
  if (spec->destructive()) variables["MUSTER_DESTRUCTIVE"] = "1";
  variables["MUSTER_DEVICES"] = DevicesJson(devices);
  variables["MUSTER_MACHINE"] = MachineJson(*machine);
  variables["MUSTER_PARAMETERS"] = base::ToJson(parameters);
  variables["MUSTER_ARTIFACT_DIR"] = artifact_folder;
  if (!state_folder.empty()) variables["MUSTER_STATE_DIR"] = state_folder;
  variables["MUSTER_JUNIT_FILE"] = junit_file;
  if (root != "/") variables["MUSTER_ROOT"] = root;
  variables["CUDA_DEVICE_ORDER"] = "PCI_BUS_ID";
  variables["CUDA_VISIBLE_DEVICES"] = CudaVisibleDevices(devices);
  if (const std::string mask = ZeAffinityMask(*machine, devices); !mask.empty()) {
    variables["ZE_AFFINITY_MASK"] = mask;
    // The mask numbers cards, not tiles, in the order of the bus.
    variables["ZE_ENABLE_PCI_ID_DEVICE_ORDER"] = "1";
    variables["ZE_FLAT_DEVICE_HIERARCHY"] = "COMPOSITE";
  }
  std::vector<std::string> environment;
  for (const auto& [name, value] : variables) environment.push_back(base::Text(name, "=", value));
  return environment;
}

std::vector<std::string> JobArguments(const v1::SuiteManifest& manifest, const v1::JobSpec& spec,
                                      const std::string& junit_file) {
  constexpr std::string_view kPlace = "{junit_file}";
  std::vector<std::string> arguments(manifest.arguments().begin(), manifest.arguments().end());
  for (std::string& argument : arguments) {
    const size_t at = argument.find(kPlace);
    if (at != std::string::npos) argument.replace(at, kPlace.size(), junit_file);
  }
  if (manifest.format() == v1::RESULT_FORMAT_GTEST) {
    arguments.push_back(base::Text("--gtest_filter=", Joined(spec.cases(), ':')));
    arguments.push_back(base::Text("--gtest_output=xml:", junit_file));
    arguments.push_back("--gtest_color=no");
  }
  return arguments;
}

}  // namespace muster::agent
