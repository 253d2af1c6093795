// How fast the host's memory and the device's exchange data, against generation × width of the link between them.
//
// From page-locked memory of the device's own NUMA node; above level 1 of every other node as well, and of plain
// memory, which the driver has to go through a buffer of its own for.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "suites/benchmark/link_watch.h"
#include "suites/physical/device_memory.h"
#include "suites/physical/host_nodes.h"
#include "suites/physical/open_device.h"
#include "suites/physical/stream.h"
#include "suites/sdk/devices.h"
#include "suites/sdk/measurement.h"
#include "suites/sdk/outcome.h"
#include "suites/sdk/parameters.h"
#include "suites/sdk/session.h"

namespace muster::benchmark {
namespace {

using physical::ComputeDevice;
using physical::NodeScope;
using physical::PinnedMemory;
using physical::PlainMemory;
using physical::StreamOptions;
using physical::StreamReport;

bool Quick() { return sdk::Session::Current().environment().level <= 1; }

StreamOptions OptionsForLink() {
  return {.bytes = static_cast<uint64_t>(sdk::Parameter<int64_t>("pinned_mib")) << 20,
          .warm_ups = 1,
          .repeats = static_cast<int>(sdk::Parameter<int64_t>("link_repeats")) * (Quick() ? 1 : 2),
          .fault = physical::ParseTransferFault(sdk::Parameter<std::string>("inject_transfer"))};
}

// A node to take host memory from; nullopt: wherever the system gives it.
using Node = std::optional<int>;

struct HostPlaces {
  // What the figures that are judged come from.
  Node own;
  std::vector<int> others;
};

HostPlaces PlacesFor(const v1::Device& device) {
  HostPlaces places;
  const std::vector<int> nodes = physical::NodesWithMemory();
  places.own = physical::NodeOfDevice(device.pci_address());
  if (!places.own && nodes.size() == 1) places.own = nodes.front();
  for (const int node : nodes) {
    if (node != places.own) places.others.push_back(node);
  }
  if (places.own && NodeScope(*places.own).problem().empty()) return places;
  const std::string reason = places.own ? NodeScope(*places.own).problem() : "the system does not say the device's";
  sdk::Session::Current().report().Log(sdk::Severity::kInfo,
                                       absl::StrCat("host memory is taken from no particular NUMA node: ", reason));
  if (places.own) places.others.clear();
  places.own = std::nullopt;
  return places;
}

// False when the data were wrong.
bool Moved(const std::string& name, const StreamReport& report) {
  sdk::ReportWork("bytes", report.Moved());
  if (!report.problem.empty()) ADD_FAILURE() << name << ": " << report.problem;
  return report.problem.empty();
}

using Stream = std::function<StreamReport(void* host, bool pinned, const std::function<void()>& between)>;

// One direction from and to each kind and place of host memory.
void MeasureDirection(const std::string& name, const v1::Device& device, ComputeDevice& gpu, const Stream& stream) {
  LinkWatch watch(device);
  const HostPlaces places = PlacesFor(device);
  const uint64_t bytes = OptionsForLink().bytes;
  const auto pinned = [&](Node node) {
    const NodeScope scope(node);
    const PinnedMemory host(gpu, bytes);
    return stream(host.data(), true, [&] { watch.Look(); });
  };
  const StreamReport own = pinned(places.own);
  if (Moved(name, own)) {
    sdk::MeasureShare(name + ".pinned", own.MedianRate(), "B/s", watch.Expected(own.MedianRate()),
                      sdk::Parameter<double>("pci_floor"));
  }
  if (Quick()) return;
  for (const int node : places.others) {
    const StreamReport report = pinned(node);
    const std::string of_node = absl::StrCat(name, ".pinned_node", node);
    if (Moved(of_node, report)) sdk::Measure(of_node, report.MedianRate(), "B/s");
  }
  const NodeScope scope(places.own);
  const PlainMemory host(bytes);
  const StreamReport pageable = stream(host.data(), false, {});
  if (Moved(name + ".pageable", pageable)) sdk::Measure(name + ".pageable", pageable.MedianRate(), "B/s");
}

TEST(bandwidth, host_to_device) {
  sdk::ForEachDevice([](const v1::Device& device) {
    const auto gpu = physical::OpenDevice(device);
    MeasureDirection("bandwidth.host_to_device", device, *gpu,
                     [&](void* host, bool, const std::function<void()>& between) {
                       return StreamToDevice(*gpu, host, OptionsForLink(), between);
                     });
  });
}

TEST(bandwidth, device_to_host) {
  sdk::ForEachDevice([](const v1::Device& device) {
    const auto gpu = physical::OpenDevice(device);
    MeasureDirection("bandwidth.device_to_host", device, *gpu,
                     [&](void* host, bool pinned, const std::function<void()>& between) {
                       return StreamToHost(*gpu, host, pinned, OptionsForLink(), between);
                     });
  });
}

TEST(bandwidth, host_both) {
  sdk::ForEachDevice([](const v1::Device& device) {
    const auto gpu = physical::OpenDevice(device);
    LinkWatch watch(device);
    const StreamOptions options = OptionsForLink();
    const NodeScope scope(PlacesFor(device).own);
    const PinnedMemory source(*gpu, options.bytes);
    const PinnedMemory target(*gpu, options.bytes);
    const auto report = StreamBoth(*gpu, source.data(), target.data(), options, [&] { watch.Look(); });
    const struct {
      const char* name;
      const StreamReport& report;
    } directions[] = {{"bandwidth.host_both.to_device", report.to_device},
                      {"bandwidth.host_both.to_host", report.to_host}};
    for (const auto& [name, direction] : directions) {
      if (!Moved(name, direction)) continue;
      if (!report.to_device.problem.empty() || !report.to_host.problem.empty()) continue;
      if (direction.seconds.empty()) {
        throw sdk::DeviceSkipped("the device's copies to and from the host never were at work at once");
      }
      const double rate = direction.MedianRate();
      sdk::MeasureShare(name, rate, "B/s", watch.Expected(rate), sdk::Parameter<double>("pci_both_floor"));
    }
  });
}

}  // namespace
}  // namespace muster::benchmark
