// Links between the devices of a machine: data, loads and additions that go over them, one pair after the other and all
// at once.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "suites/benchmark/peer_group.h"
#include "suites/physical/all_reduce.h"
#include "suites/physical/open_device.h"
#include "suites/physical/peer_atomics.h"
#include "suites/physical/peer_transfer.h"
#include "suites/physical/pointer_chase.h"
#include "suites/sdk/measurement.h"
#include "suites/sdk/outcome.h"
#include "suites/sdk/parameters.h"
#include "suites/sdk/session.h"
#include "suites/sdk/timing.h"

namespace muster::benchmark {
namespace {

using physical::ComputeDevice;
using physical::PeerFault;
using physical::PeerMethod;
using physical::PeerPair;
using physical::PeerResult;
using physical::PeerRound;
using physical::PeerTransfers;
using physical::ReduceType;

constexpr uint64_t kMiB = 1 << 20;
constexpr uint64_t kSeed = 0x6C696E6B73;
constexpr PeerMethod kMethods[] = {PeerMethod::kCopy, PeerMethod::kLoads, PeerMethod::kStores};
// How long the rounds of a case go on, by level, and how many there are at least.
constexpr double kSeconds[] = {0.15, 1, 15, 300};
constexpr int kLeastRounds = 3;
// Of a ring for the chase: more than the near caches of the one that follows it, less than the far one of its home.
constexpr uint64_t kRingBytes = 4 * kMiB;
constexpr uint64_t kChaseSteps = 4096;

int Level() { return sdk::Session::Current().environment().level; }
void Note(const std::string& message) { sdk::Session::Current().report().Log(sdk::Severity::kInfo, message); }

// Calls `round` as long as the level says, or until it finds something wrong.
template <typename Round>
void Repeat(const Round& round) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::duration<double>(kSeconds[Level() - 1]);
  for (int i = 0; i < kLeastRounds || std::chrono::steady_clock::now() < end; ++i) {
    if (testing::Test::HasFailure()) return;
    round();
  }
}

double FloorOf(PeerMethod method) {
  return sdk::Parameter<double>(method == PeerMethod::kCopy ? "link_floor" : "link_kernel_floor");
}

std::optional<PeerFault> InjectedFault(const PeerGroup& group) {
  const auto fault = physical::ParsePeerFault(sdk::Parameter<std::string>("inject_link"));
  if (fault && std::max(fault->pair.from, fault->pair.to) >= group.gpus().size())
    throw sdk::ToolError("inject_link: there is no such device");
  return fault;
}

uint64_t BytesFor(const PeerGroup& group) {
  const auto wanted = static_cast<uint64_t>(sdk::Parameter<int64_t>("link_mib"));
  if (wanted != 0) return wanted * kMiB;
  const bool dedicated = std::all_of(group.pairs().begin(), group.pairs().end(),
                                     [&](const PeerPair& pair) { return group.Between(pair).dedicated; });
  return dedicated ? 1024 * kMiB : 128 * kMiB;
}

// Rates of one kind of transfer, from rounds; problems as they come.
class Rates {
 public:
  Rates(const PeerGroup& group, std::string name, double floor)
      : group_(group), name_(std::move(name)), floor_(floor) {}

  // Of one pair alone, and of several together.
  void Add(const PeerResult& result) {
    Take(result);
    alone_[{result.pair.from, result.pair.to}].push_back(static_cast<double>(result.bytes) / result.seconds);
  }
  void AddTogether(const PeerRound& round, const PeerPair& first) {
    for (const PeerResult& result : round.results) Take(result);
    together_[{first.from, first.to}].push_back(round.BytesPerSecond());
  }

  void Report() const {
    for (const auto& [pair, rates] : alone_) Share({pair.first, pair.second}, rates, 1);
    for (const auto& [pair, rates] : together_) Share({pair.first, pair.second}, rates, 2);
  }
  double bytes() const { return bytes_; }

 private:
  void Take(const PeerResult& result) {
    bytes_ += static_cast<double>(result.bytes);
    ReportProblem(group_.device(result.pair.from), result.problem);
  }
  void Share(const PeerPair& pair, const std::vector<double>& rates, int ways) const {
    const Connection& connection = group_.Between(pair);
    std::optional<double> expected = connection.bytes_per_second;
    if (expected) *expected *= ways;
    const sdk::FailureContext context(group_.device(pair.from).id());
    // Ways through the host are shared with whatever else is on them.
    sdk::MeasureShare(name_, sdk::Median(rates), "B/s", expected, connection.dedicated ? floor_ : 0,
                      std::source_location::current(), PartOf(pair));
  }

  const PeerGroup& group_;
  const std::string name_;
  const double floor_;
  double bytes_ = 0;
  std::map<std::pair<size_t, size_t>, std::vector<double>> alone_;
  std::map<std::pair<size_t, size_t>, std::vector<double>> together_;
};

// One round of all pairs by one method.
void CopyPairs(PeerTransfers& transfers, const PeerGroup& group, PeerMethod method,
               const std::optional<PeerFault>& fault, Rates& alone, Rates& both) {
  for (const PeerPair& pair : group.pairs()) {
    if (method != PeerMethod::kCopy && !transfers.Reach(pair)) continue;
    alone.Add(transfers.Run({pair}, method, fault).results[0]);
    if (pair.from > pair.to) continue;
    both.AddTogether(transfers.Run({pair, {pair.to, pair.from}}, method, fault), pair);
  }
}

// With switches all devices of a model have as many links to them: one with fewer has lost some, and what is expected
// of it falls with each.
void JudgeSwitchLinks(const PeerGroup& group) {
  std::map<std::string, size_t> most;
  for (const v1::Device& device : group.devices())
    most[device.model()] = std::max(most[device.model()], SwitchLinksUp(device));
  for (const v1::Device& device : group.devices()) {
    const size_t expected = most[device.model()];
    if (expected == 0) continue;
    sdk::Measure("link.peer_copy.switch_links", static_cast<double>(SwitchLinksUp(device)), "1")
        .OnDevice(device)
        .AtLeast(static_cast<double>(expected));
  }
}

TEST(link, peer_copy) {
  ForEachPeerGroup("link.peer_copy", [](PeerGroup& group) {
    JudgeSwitchLinks(group);
    PeerTransfers transfers(group.gpus(), BytesFor(group), kSeed);
    const auto fault = InjectedFault(group);
    for (const PeerPair& pair : group.pairs()) {
      sdk::MeasureText("link.peer_copy.path", group.Between(pair).path)
          .OnDevice(group.device(pair.from))
          .OfPart(PartOf(pair));
      if (!transfers.Reach(pair))
        Note(absl::StrCat("kernels of GPU ", pair.from, " and GPU ", pair.to, " do not reach each other's memory"));
    }
    std::vector<Rates> alone, both;
    for (const PeerMethod method : kMethods) {
      alone.emplace_back(group, absl::StrCat("link.peer_copy.", PeerMethodName(method)), FloorOf(method));
      both.emplace_back(group, absl::StrCat("link.peer_copy.both_", PeerMethodName(method)), FloorOf(method));
    }
    {
      // What the driver does once for each pair is not timed.
      Rates nobodys(group, "", 0);
      for (const PeerMethod method : kMethods) CopyPairs(transfers, group, method, fault, nobodys, nobodys);
    }
    if (testing::Test::HasFailure()) return;
    Repeat([&] {
      for (size_t i = 0; i < std::size(kMethods); ++i)
        CopyPairs(transfers, group, kMethods[i], fault, alone[i], both[i]);
    });
    double bytes = 0;
    for (const std::vector<Rates>* list : {&alone, &both}) {
      for (const Rates& rates : *list) {
        rates.Report();
        bytes += rates.bytes();
      }
    }
    sdk::ReportWork("bytes", bytes);
  });
}

// What all devices together can send; nothing when it is not known of one.
std::optional<double> SendingPeakOf(const PeerGroup& group) {
  double sum = 0;
  for (size_t i = 0; i < group.devices().size(); ++i) {
    std::vector<v1::Device> others = group.devices();
    others.erase(others.begin() + static_cast<int64_t>(i));
    const auto peak = SendingPeak(group.device(i), others);
    if (!peak) return std::nullopt;
    sum += *peak;
  }
  return sum;
}

TEST(link, all_pairs) {
  ForEachPeerGroup("link.all_pairs", [](PeerGroup& group) {
    PeerTransfers transfers(group.gpus(), BytesFor(group), kSeed + 1);
    const auto fault = InjectedFault(group);
    const bool reach = std::all_of(group.pairs().begin(), group.pairs().end(),
                                   [&](const PeerPair& pair) { return transfers.Reach(pair); });
    const bool dedicated = std::all_of(group.pairs().begin(), group.pairs().end(),
                                       [&](const PeerPair& pair) { return group.Between(pair).dedicated; });
    double bytes = 0;
    for (const PeerMethod method : {PeerMethod::kCopy, PeerMethod::kStores}) {
      if (method != PeerMethod::kCopy && !reach) continue;
      std::vector<double> together;
      std::vector<std::vector<double>> of_pair(group.pairs().size());
      bool warm = false;
      Repeat([&] {
        const PeerRound round = transfers.Run(group.pairs(), method, fault);
        for (size_t i = 0; i < round.results.size(); ++i) {
          const PeerResult& result = round.results[i];
          ReportProblem(group.device(result.pair.from), result.problem);
          bytes += static_cast<double>(result.bytes);
          if (warm) of_pair[i].push_back(static_cast<double>(result.bytes) / result.seconds);
        }
        if (warm) together.push_back(round.BytesPerSecond());
        warm = true;
      });
      if (together.empty()) break;  // Something was wrong before.
      const std::string name = absl::StrCat("link.all_pairs.", PeerMethodName(method));
      for (size_t i = 0; i < of_pair.size(); ++i) {
        sdk::Measure(name + ".pair", sdk::Median(of_pair[i]), "B/s")
            .OnDevice(group.device(group.pairs()[i].from))
            .OfPart(PartOf(group.pairs()[i]));
      }
      sdk::MeasureShare(name, sdk::Median(together), "B/s", SendingPeakOf(group), dedicated ? FloorOf(method) : 0);
    }
    sdk::ReportWork("bytes", bytes);
  });
}

// "BY:AT:LINK" of the pair; nothing for another.
std::optional<uint64_t> BrokenLink(const PeerPair& pair) {
  const std::string text = sdk::Parameter<std::string>("inject_link_chase");
  const std::vector<std::string> parts = absl::StrSplit(text, ':');
  uint64_t link = 0;
  if (parts.size() != 3 || parts[0] != absl::StrCat(pair.to) || parts[1] != absl::StrCat(pair.from) ||
      !absl::SimpleAtoi(parts[2], &link)) {
    return std::nullopt;
  }
  return link;
}

TEST(link, peer_latency) {
  ForEachPeerGroup("link.peer_latency", [](PeerGroup& group) {
    double steps = 0;
    for (const PeerPair& pair : group.pairs()) {
      ComputeDevice& home = *group.gpus()[pair.from];
      ComputeDevice& follower = *group.gpus()[pair.to];
      if (!follower.ReachPeer(home)) {
        Note(absl::StrCat("kernels of GPU ", pair.to, " do not reach GPU ", pair.from, "'s memory"));
        continue;
      }
      const physical::ChaseReport report = physical::Chase(follower, {.ring_bytes = kRingBytes,
                                                                      .steps = kChaseSteps,
                                                                      .repeats = kLeastRounds * Level(),
                                                                      .at = &home,
                                                                      .broken_link = BrokenLink(pair)});
      steps += static_cast<double>(report.steps);
      ReportProblem(group.device(pair.to),
                    report.problem.empty()
                        ? ""
                        : absl::StrCat("GPU ", pair.to, ", ring in GPU ", pair.from, "'s memory: ", report.problem));
      sdk::Measure("link.peer_latency.load", report.seconds_per_step, "s")
          .OnDevice(group.device(pair.to))
          .OfPart(absl::StrCat("from GPU ", pair.from))
          .AtMost(sdk::Parameter<double>("peer_latency_limit_us") * 1e-6);
    }
    if (steps == 0) throw sdk::DeviceSkipped("no two devices reach each other's memory");
    sdk::ReportWork("iterations", steps);
  });
}

TEST(link, peer_atomics) {
  ForEachPeerGroup("link.peer_atomics", [](PeerGroup& group) {
    const auto fault = physical::ParseAtomicsFault(sdk::Parameter<std::string>("inject_atomics"));
    double additions = 0;
    std::string why_not;
    for (size_t at = 0; at < group.gpus().size(); ++at) {
      std::vector<size_t> by = {at};
      for (size_t i = 0; i < group.gpus().size(); ++i) {
        if (i == at) continue;
        const Connection& connection = group.Between({i, at});
        const bool reaches = group.gpus()[i]->ReachPeer(*group.gpus()[at]);
        if (reaches && connection.no_atomics.empty()) by.push_back(i);
        if (!reaches) why_not = "no two devices reach each other's memory";
        if (!connection.no_atomics.empty()) why_not = connection.no_atomics;
      }
      if (by.size() == 1) continue;
      std::sort(by.begin(), by.end());
      std::vector<double> rates;
      for (int round = 0; round < kLeastRounds * Level(); ++round) {
        const physical::AtomicsReport report = physical::CountTogether(group.gpus(), by, at, fault);
        ReportProblem(group.device(at), report.problem);
        additions += report.additions;
        rates.push_back(report.additions / report.seconds);
      }
      sdk::Measure("link.peer_atomics.additions", sdk::Median(rates), "1/s").OnDevice(group.device(at));
    }
    if (additions == 0) throw sdk::DeviceSkipped(why_not);
    sdk::ReportWork("iterations", additions);
  });
}

// What fits: what is given and its sum, with room for the reducer's own, in whole mebibytes.
uint64_t MostToReduce(const PeerGroup& group) {
  uint64_t free = UINT64_MAX;
  for (physical::ComputeDevice* gpu : group.gpus()) free = std::min(free, gpu->FreeBytes());
  return std::max(free / 4 / kMiB, uint64_t{1}) * kMiB;
}

// Sizes by level, none above `most` but by the parameter; the last is the one whose bandwidth counts.
std::vector<uint64_t> ReduceSizes(uint64_t most) {
  const auto largest = static_cast<uint64_t>(sdk::Parameter<int64_t>("all_reduce_mib")) * kMiB;
  std::vector<uint64_t> sizes = {8, 64 << 10};
  if (Level() > 1) sizes = {8, 4 << 10, 64 << 10, kMiB, 16 * kMiB, 256 * kMiB};
  const uint64_t last = largest != 0 ? largest : std::min(most, Level() > 1 ? 1024 * kMiB : 512 * kMiB);
  std::erase_if(sizes, [&](uint64_t size) { return size >= last; });
  sizes.push_back(last);
  return sizes;
}

std::string SizeName(uint64_t bytes) {
  return bytes >= kMiB   ? absl::StrCat(bytes / kMiB, " MiB")
         : bytes >= 1024 ? absl::StrCat(bytes / 1024, " KiB")
                         : absl::StrCat(bytes, " B");
}

// The slowest way out of a device: a ring goes no faster.
std::optional<double> SlowestSendingPeak(const PeerGroup& group) {
  std::optional<double> slowest;
  for (const PeerPair& pair : group.pairs()) {
    const Connection& connection = group.Between(pair);
    if (!connection.bytes_per_second || !connection.dedicated) return std::nullopt;
    slowest = std::min(slowest.value_or(*connection.bytes_per_second), *connection.bytes_per_second);
  }
  return slowest;
}

void ReportAllReduce(const PeerGroup& group, ReduceType type, uint64_t bytes, bool largest, double seconds) {
  const std::string part = absl::StrCat(physical::ReduceTypeName(type), ", ", SizeName(bytes));
  const auto count = static_cast<double>(group.gpus().size());
  // What a ring moves over each link: NVIDIA's nccl-tests, doc/PERFORMANCE.md.
  const double bus = static_cast<double>(bytes) / seconds * 2 * (count - 1) / count;
  if (largest) {
    sdk::MeasureShare("link.all_reduce.bus_bandwidth", bus, "B/s", SlowestSendingPeak(group),
                      sdk::Parameter<double>("all_reduce_floor"), std::source_location::current(), part);
  } else {
    sdk::Measure("link.all_reduce.time", seconds, "s").OfPart(part);
  }
}

TEST(link, all_reduce) {
  ForEachPeerGroup("link.all_reduce", [](PeerGroup& group) {
    const auto reducer = physical::OpenReducer(group.gpus(), sdk::Parameter<std::string>("nccl_library"));
    sdk::MeasureText("link.all_reduce.by", reducer->Name());
    const std::vector<uint64_t> sizes = ReduceSizes(MostToReduce(group));
    physical::AllReduce all(group.gpus(), *reducer, sizes.back(), kSeed);
    const auto fault = physical::ParseReduceFault(sdk::Parameter<std::string>("inject_reduce"));
    double bytes = 0;
    for (const ReduceType type : {ReduceType::kInt32, ReduceType::kFp32, ReduceType::kBf16}) {
      for (const uint64_t size : sizes) {
        const bool largest = size == sizes.back();
        std::vector<double> seconds;
        for (int round = 0; round < kLeastRounds * Level() + 1; ++round) {
          // Small ones are as fast as they follow each other.
          const int times = size <= kMiB ? 20 : 1;
          const auto report = all.Run(type, size, times, largest ? fault : std::nullopt);
          for (const std::string& problem : report.problems) ADD_FAILURE() << problem;
          if (!report.problems.empty()) return;
          if (round > 0) seconds.push_back(report.seconds);
          bytes += static_cast<double>(size) * times;
        }
        ReportAllReduce(group, type, size, largest, sdk::Median(seconds));
      }
    }
    sdk::ReportWork("bytes", bytes);
  });
}

}  // namespace
}  // namespace muster::benchmark
