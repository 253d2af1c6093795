#include "suites/benchmark/peer_group.h"

#include <gtest/gtest.h>

#include <map>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "suites/physical/open_device.h"
#include "suites/sdk/devices.h"
#include "suites/sdk/measurement.h"
#include "suites/sdk/outcome.h"
#include "suites/sdk/session.h"

namespace muster::benchmark {
namespace {

using physical::PeerPair;

// A link that is retried now and then still carries what it should: DCGM, too, takes so many replays on PCI Express
// (https://docs.nvidia.com/datacenter/dcgm/latest/user-guide/dcgm-diagnostics.html, max_pcie_replays).
constexpr double kMostPcieReplays = 80;

void ReportErrorGrowth(const std::string& name, const v1::Device& device, const LinkErrorCounts& before) {
  for (const auto& [kind, count] : LinkErrorsOf(device)) {
    const auto earlier = before.find(kind);
    if (earlier == before.end()) continue;
    auto measurement = sdk::Measure(absl::StrCat(name, ".", kind), count - earlier->second, "1");
    measurement.OnDevice(device);
    const bool corrected = kind == "pcie_replays" || kind == "pcie_correctable";
    corrected ? measurement.AtMost(kMostPcieReplays) : measurement.ExpectEqual(0);
  }
}

}  // namespace

PeerGroup::PeerGroup(std::vector<v1::Device> devices) : devices_(std::move(devices)) {
  for (const v1::Device& device : devices_) {
    owned_.push_back(physical::OpenDevice(device));
    gpus_.push_back(owned_.back().get());
  }
  for (size_t from = 0; from < devices_.size(); ++from) {
    for (size_t to = 0; to < devices_.size(); ++to) {
      if (from == to) continue;
      pairs_.push_back({from, to});
      connections_.push_back(ConnectionOf(devices_[from], devices_[to]));
    }
  }
}

const Connection& PeerGroup::Between(const PeerPair& pair) const {
  // Each sender has as many pairs as there are others.
  return connections_[pair.from * (devices_.size() - 1) + pair.to - (pair.to > pair.from ? 1 : 0)];
}

std::string PartOf(const PeerPair& pair) { return absl::StrCat("to GPU ", pair.to); }

void ReportProblem(const v1::Device& device, const std::string& problem) {
  if (problem.empty()) return;
  const sdk::FailureContext context(device.id());
  ADD_FAILURE() << problem;
}

void ForEachPeerGroup(const std::string& name, const std::function<void(PeerGroup&)>& test) {
  std::map<v1::Vendor, std::vector<v1::Device>> by_vendor;
  for (const v1::Device& device : sdk::LeasedDevices()) by_vendor[device.vendor()].push_back(device);
  std::erase_if(by_vendor, [](const auto& entry) { return entry.second.size() < 2; });
  if (by_vendor.empty()) {
    GTEST_SKIP() << "needs two devices of one vendor; this run has " << sdk::LeasedDevices().size() << " in all";
  }
  std::vector<std::string> reasons;
  for (const auto& [vendor, devices] : by_vendor) {
    try {
      PeerGroup group(devices);
      for (size_t i = 0; i < devices.size(); ++i) {
        sdk::MeasureText(name + ".device", absl::StrCat("GPU ", i, " is at ", devices[i].pci_address()))
            .OnDevice(devices[i]);
      }
      std::vector<LinkErrorCounts> before;
      for (const v1::Device& device : devices) before.push_back(LinkErrorsOf(device));
      test(group);
      for (size_t i = 0; i < devices.size(); ++i) ReportErrorGrowth(name, devices[i], before[i]);
    } catch (const sdk::DeviceSkipped& skipped) {
      reasons.push_back(absl::StrCat(vendor == v1::VENDOR_INTEL ? "Intel" : "NVIDIA", ": ", skipped.what()));
    }
  }
  if (reasons.size() == by_vendor.size()) GTEST_SKIP() << absl::StrJoin(reasons, "; ");
  for (const std::string& reason : reasons) {
    sdk::Session::Current().report().Diagnose(
        {.type = sdk::DiagnosisType::kUnknown, .verdict = "device-skipped", .message = reason});
  }
}

}  // namespace muster::benchmark
