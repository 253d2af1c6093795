#include "suites/benchmark/stress_team.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "suites/physical/open_device.h"
#include "suites/physical/portable.h"
#include "suites/sdk/devices.h"
#include "suites/sdk/measurement.h"
#include "suites/sdk/outcome.h"
#include "suites/sdk/parameters.h"
#include "suites/sdk/session.h"

namespace muster::benchmark {
namespace {

constexpr double kSamplesPerSecond = 50;
constexpr uint32_t kMachineSlots = 16;
// Slices take a quarter of a second, staggered beginnings at most four minutes.
constexpr double kHangSeconds = 300;
constexpr auto kSaveEvery = std::chrono::seconds(1);

double Seconds(StressClock::duration duration) { return std::chrono::duration<double>(duration).count(); }
StressClock::duration Duration(double seconds) {
  return std::chrono::duration_cast<StressClock::duration>(std::chrono::duration<double>(seconds));
}

// From 0 to kMachineSlots - 1, always the same for a name.
uint32_t SlotOf(const std::string& machine) {
  u32 slot = 0;
  for (const char c : machine) slot = mix_bits(slot + static_cast<unsigned char>(c));
  return slot % kMachineSlots;
}

// As the case's own end would be: its thread cannot be ended otherwise.
[[noreturn]] void EndWithHang(const StressMember& member) {
  sdk::Report& report = sdk::Session::Current().report();
  report.Diagnose({.type = sdk::DiagnosisType::kFail,
                   .verdict = "hang",
                   .message = absl::StrCat("the device hangs: expected a slice of work to end, or a sensor to answer, "
                                           "within ",
                                           kHangSeconds, " s; look at the kernel log"),
                   .device_id = member.device.id()});
  report.CaseEnd(sdk::CaseStatus::kComplete);
  report.RunEnd();
  std::fflush(nullptr);
  std::_Exit(EXIT_FAILURE);
}

}  // namespace

uint64_t StressMember::Wrong() const {
  uint64_t wrong = 0;
  for (const StressSlice& slice : slices) wrong += slice.wrong;
  return wrong;
}

double StressMember::WorkedSeconds() const {
  double seconds = 0;
  for (const StressSlice& slice : slices) seconds += Seconds(slice.end - slice.begin);
  return seconds;
}

void SaveLedger(const CoverageLedger& ledger) {
  if (const absl::Status saved = ledger.Save(); !saved.ok())
    throw sdk::ToolError(absl::StrCat("cannot keep the coverage: ", saved.message()));
}

StressTeam::StressTeam()
    : injection_(ParseStressInjection(sdk::Parameter<std::string>("inject_stress"))),
      stagger_seconds_(1e-3 * static_cast<double>(sdk::Parameter<int64_t>("stagger_ms"))) {
  for (const v1::Device& device : sdk::LeasedDevices()) {
    StressMember& member = members_.emplace_back();
    member.index = static_cast<uint32_t>(members_.size() - 1);
    member.device = device;
    try {
      Open(member);
    } catch (...) {
      member.error = std::current_exception();
    }
  }
}

void StressTeam::Open(StressMember& member) {
  const std::string& folder = sdk::Session::Current().environment().state_dir;
  auto ledger = CoverageLedger::Open(folder, member.device.id());
  if (!ledger.ok()) throw sdk::ToolError(std::string(ledger.status().message()));
  member.ledger = *std::move(ledger);
  auto sensors = sdk::Sensors::Open(member.device);
  if (sensors.ok()) {
    member.sensors = WithFault(*std::move(sensors), injection_, member.index);
  } else {
    member.no_sensors = sensors.status();
  }
  member.gpu = physical::OpenDevice(member.device);
}

double StressTeam::OffsetSeconds(const StressMember& member) const {
  const uint32_t machine = SlotOf(sdk::Session::Current().environment().machine_name);
  return stagger_seconds_ * (static_cast<double>(machine) * static_cast<double>(members_.size()) + member.index);
}

void StressTeam::Together(const Work& work) {
  start_ = StressClock::now();
  HangWatch watch(members_.size(), kHangSeconds, [this](size_t index) { EndWithHang(members_[index]); });
  watch_ = &watch;
  std::vector<std::thread> threads;
  for (StressMember& member : members_) {
    if (member.error) {
      watch.Leave(member.index);
      continue;
    }
    member.slices.clear();
    threads.emplace_back([this, &member, &work, &watch] {
      try {
        std::optional<sdk::SensorRecorder> recorder;
        if (member.sensors) recorder.emplace(*member.sensors, kSamplesPerSecond, start_);
        work(member);
        if (recorder) member.series = recorder->Stop();
      } catch (...) {
        member.error = std::current_exception();
      }
      watch.Leave(member.index);
    });
  }
  for (std::thread& thread : threads) thread.join();
  watch_ = nullptr;
}

size_t StressTeam::Present() const {
  return static_cast<size_t>(std::count_if(members_.begin(), members_.end(),
                                           [](const StressMember& member) { return member.error == nullptr; }));
}

void StressTeam::LoadFor(double seconds, const std::string& kind, double idle_seconds) {
  Together([&](StressMember& member) { LoadOne(member, seconds, kind, idle_seconds); });
}

void StressTeam::LoadOne(StressMember& member, double seconds, const std::string& kind, double idle_seconds) {
  const auto load = OpenStressLoad(*member.gpu);
  CoverageLedger::Entry& entry = member.ledger.Of(kind);
  std::optional<StressFault> fault;
  if (injection_.Concerns(StressInjection::kWrong, member.index)) fault = {injection_.pulse, injection_.unit};
  const bool slow = injection_.Concerns(StressInjection::kSlow, member.index);
  // The load's own trial is over by then, or idleness begins with it.
  sdk::Interruption::SleepUntil(
      std::max(start_ + Duration(OffsetSeconds(member)), StressClock::now() + Duration(idle_seconds)));
  const StressClock::time_point begin = StressClock::now();
  StressClock::time_point saved = begin;
  load->Work(kSliceSeconds, entry.next_seed++, fault, [&](const StressSlice* ended) {
    Beat(member);
    const StressClock::time_point now = StressClock::now();
    const double done = Seconds(now - begin) / seconds;
    if (ended != nullptr) {
      member.slices.push_back(*ended);
      const double took = Seconds(ended->end - ended->begin);
      entry.seconds += took;
      // At the end the pause is as long as takes that share of the rate away.
      const double lost = slow ? injection_.share * std::min(done * 1.25, 1.0) : 0;
      if (lost > 0) {
        sdk::Interruption::SleepUntil(now + Duration(took * lost / (1 - lost)));
        member.slices.back().end = StressClock::now();
      }
    }
    if (now - saved >= kSaveEvery) {
      SaveLedger(member.ledger);
      saved = now;
    }
    return done < 1 && !sdk::Interruption::Requested();
  });
  SaveLedger(member.ledger);
}

void StressTeam::ForEach(const std::string& name, const std::vector<std::string>& kinds,
                         const std::function<void(StressMember&)>& judge) {
  size_t next = 0;
  sdk::ForEachDevice([&](const v1::Device&) {
    StressMember& member = members_.at(next++);
    if (member.error) std::rethrow_exception(member.error);
    double operations = 0;
    for (const StressSlice& slice : member.slices) {
      operations += slice.operations;
      for (const std::string& error : slice.errors) ADD_FAILURE() << "wrong result under load: " << error;
    }
    sdk::ReportWork("flop", operations);
    sdk::Measure(absl::StrCat(name, ".wrong"), static_cast<double>(member.Wrong()), "1").ExpectEqual(0);
    for (const std::string& kind : kinds) {
      sdk::Measure("stress.coverage_seconds", member.ledger.Of(kind).seconds, "s").OfPart(kind);
    }
    if (!member.sensors) {
      sdk::Session::Current().report().Log(sdk::Severity::kWarning, absl::StrCat("no sensors of ", member.device.id(),
                                                                                 ": ", member.no_sensors.message()));
    }
    for (const auto& [reading, status] : member.series.missing()) {
      sdk::Session::Current().report().Log(sdk::Severity::kInfo,
                                           absl::StrCat(reading, " is not read: ", status.message()));
    }
    judge(member);
  });
}

void MeasureReading(const std::string& name, const char* unit, const sdk::SensorSeries& series,
                    sdk::SensorReading reading, const StressWindow& window, const std::string& part) {
  const auto seen = series.Statistics(reading, window.from, window.to);
  if (!seen) return;
  sdk::Measure(name + ".mean", seen->mean, unit).OfPart(part);
  sdk::Measure(name + ".min", seen->lowest, unit).OfPart(part);
  sdk::Measure(name + ".max", seen->highest, unit).OfPart(part);
}

void MeasureClockReasons(const std::string& name, const StressMember& member, const StressWindow& window,
                         const std::string& part) {
  if (!member.sensors) return;
  const uint64_t seen = member.series.ClockReasons(window.from, window.to);
  if (!member.series.Residency(seen, window.from, window.to).has_value()) return;
  sdk::MeasureText(name + ".clock_reasons", sdk::ClockReasonNames(member.sensors->ClockReasons(), seen)).OfPart(part);
  for (const sdk::ClockReason& reason : member.sensors->ClockReasons()) {
    if ((seen & reason.bit) == 0) continue;
    const double share = member.series.Residency(reason.bit, window.from, window.to).value_or(0);
    const std::string word = absl::StrReplaceAll(reason.name, {{" ", "_"}});
    sdk::Measure(absl::StrCat(name, ".residency.", word), share, "1").OfPart(part);
    if (!reason.fault) continue;
    ADD_FAILURE() << "expected nothing but limits as designed to hold the clocks, found in " << 100 * share
                  << " % of the samples: " << reason.name << "; look at cooling and power supply";
  }
}

}  // namespace muster::benchmark
