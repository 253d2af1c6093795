#include "suites/benchmark/pulse_sweep.h"

#include <algorithm>
#include <barrier>
#include <cmath>

#include "absl/strings/str_cat.h"

namespace muster::benchmark {
namespace {

constexpr double kDuty = 0.5;
// From here on the device pulses by itself.
constexpr double kKernelHertz = 50;
constexpr double kTrainSeconds = 0.25;
constexpr uint32_t kGroupSize = 512;
constexpr auto kLeadIn = std::chrono::milliseconds(20);
// From the last launch on, until every device's kernel looks for its start.
constexpr auto kLaunchTime = std::chrono::microseconds(500);

double Seconds(StressClock::duration duration) { return std::chrono::duration<double>(duration).count(); }
StressClock::duration Duration(double seconds) {
  return std::chrono::duration_cast<StressClock::duration>(std::chrono::duration<double>(seconds));
}

}  // namespace

std::string PulseKind(double hertz) { return absl::StrCat("pulse@", hertz); }

// Where the devices' threads meet: before each frequency and train, and when all trains are queued.
struct PulseSweep::Company {
  explicit Company(size_t members)
      : trains(members),
        line_up(static_cast<std::ptrdiff_t>(members), Agree{this}),
        start(static_cast<std::ptrdiff_t>(members), Release{this}) {}

  // One decision for all, so that all come to the same meetings.
  struct Agree {
    Company* company;
    void operator()() noexcept {
      company->go_on = !sdk::Interruption::Requested();
      company->begin = StressClock::now() + kLeadIn;
    }
  };
  struct Release {
    Company* company;
    void operator()() noexcept {
      const auto end = StressClock::now() + kLaunchTime;
      while (StressClock::now() < end) continue;
      for (physical::PulseTrain* train : company->trains) {
        if (train != nullptr) train->Start();
      }
    }
  };

  std::vector<physical::PulseTrain*> trains;
  bool go_on = true;
  StressClock::time_point begin;
  std::barrier<Agree> line_up;
  std::barrier<Release> start;
};

// A thread that leaves, in whatever way, is not waited for.
struct PulseSweep::Place {
  Company& company;
  const uint32_t index;
  ~Place() {
    company.trains[index] = nullptr;
    company.line_up.arrive_and_drop();
    company.start.arrive_and_drop();
  }
};

void PulseSweep::Run(const std::vector<double>& frequencies, double seconds_each) {
  results_.assign(team_.size(), {});
  Company company(team_.size());
  // Those that do not take part.
  for (size_t absent = team_.Present(); absent < team_.size(); ++absent) {
    company.line_up.arrive_and_drop();
    company.start.arrive_and_drop();
  }
  team_.Together([&](StressMember& member) {
    const Place place{company, member.index};
    RunMember(member, company, frequencies, seconds_each);
  });
}

void PulseSweep::RunMember(StressMember& member, Company& company, const std::vector<double>& frequencies,
                           double seconds_each) {
  physical::PulseTrain train(*member.gpu, kGroupSize);
  company.trains[member.index] = &train;
  std::unique_ptr<StressLoad> load;
  for (const double hertz : frequencies) {
    const bool in_kernel = hertz >= kKernelHertz;
    if (!in_kernel && load == nullptr) load = OpenStressLoad(*member.gpu);
    team_.Beat(member);
    company.line_up.arrive_and_wait();
    if (!company.go_on) break;
    PulseResult result = in_kernel ? InKernel(member, company, hertz, seconds_each)
                                   : ByHost(member, *load, company.begin, hertz, seconds_each);
    result.hertz = hertz;
    result.in_kernel = in_kernel;
    results_[member.index].push_back(result);
    member.ledger.Of(PulseKind(hertz)).seconds += result.to - result.from;
    SaveLedger(member.ledger);
  }
  company.trains[member.index] = nullptr;
}

PulseResult PulseSweep::ByHost(StressMember& member, StressLoad& load, StressClock::time_point begin, double hertz,
                               double seconds) {
  const auto pulses = static_cast<uint64_t>(std::max(2.0, std::floor(seconds * hertz)));
  const double slices = std::ceil(kDuty / hertz / kSliceSeconds);
  const double slice_seconds = kDuty / hertz / slices;
  const StressInjection& injection = team_.injection();
  std::optional<StressFault> fault;
  if (injection.Concerns(StressInjection::kWrong, member.index))
    fault = {static_cast<uint32_t>(injection.pulse * slices), injection.unit};
  const StressClock::time_point first = begin + Duration(team_.OffsetSeconds(member));
  PulseResult result;
  double busy = 0;
  StressClock::time_point began;
  StressClock::time_point first_began;
  load.Work(slice_seconds, member.ledger.Of(PulseKind(hertz)).next_seed++, fault, [&](const StressSlice* ended) {
    team_.Beat(member);
    if (ended != nullptr) {
      member.slices.push_back(*ended);
      for (std::string& error : member.slices.back().errors) {
        error = absl::StrCat("pulse ", result.pulses - 1, " of ", hertz, " Hz: ", error);
      }
      result.operations += ended->operations;
      result.wrong += ended->wrong;
      busy += Seconds(ended->end - ended->begin);
      const auto due_end = first + Duration((static_cast<double>(result.pulses) - 1 + kDuty) / hertz);
      if (StressClock::now() + Duration(slice_seconds / 2) < due_end) return !sdk::Interruption::Requested();
    }
    const auto due = first + Duration(static_cast<double>(result.pulses) / hertz);
    if (result.pulses >= pulses || !sdk::Interruption::SleepUntil(due)) return false;
    began = StressClock::now();
    if (result.pulses == 0) first_began = began;
    ++result.pulses;
    result.latest_seconds = std::max(result.latest_seconds, Seconds(began - due));
    return true;
  });
  result.from = Seconds(first_began - team_.start());
  result.to = Seconds(StressClock::now() - team_.start());
  if (result.pulses < 2) return result;
  const auto intervals = static_cast<double>(result.pulses - 1);
  result.achieved_hertz = intervals / Seconds(began - first_began);
  result.duty = busy / static_cast<double>(result.pulses) * result.achieved_hertz;
  return result;
}

PulseResult PulseSweep::InKernel(StressMember& member, Company& company, double hertz, double seconds) {
  const auto trains = static_cast<uint32_t>(std::max(1.0, std::round(seconds / kTrainSeconds)));
  const auto pulses = static_cast<uint32_t>(std::max(2.0, std::floor(kTrainSeconds * hertz)));
  const StressInjection& injection = team_.injection();
  CoverageLedger::Entry& entry = member.ledger.Of(PulseKind(hertz));
  physical::PulseTrain& train = *company.trains[member.index];
  PulseResult result;
  result.from = Seconds(StressClock::now() - team_.start());
  for (uint32_t number = 0; number < trains; ++number) {
    team_.Beat(member);
    if (number > 0) company.line_up.arrive_and_wait();
    if (!company.go_on) break;
    physical::PulseOptions options = {.hertz = hertz,
                                      .duty = kDuty,
                                      .pulses = pulses,
                                      .first_pulse = number * pulses,
                                      .delay_seconds = std::fmod(team_.OffsetSeconds(member), 1 / hertz),
                                      .seed = entry.next_seed++};
    if (injection.Concerns(StressInjection::kWrong, member.index))
      options.injection = physical::PulseInjection{.pulse = injection.pulse, .unit = injection.unit};
    const StressClock::time_point begin = StressClock::now();
    TakeTrain(member, train.Run(options, [&company] { company.start.arrive_and_wait(); }), begin, result);
  }
  result.to = Seconds(StressClock::now() - team_.start());
  if (result.pulses == 0) return result;
  const double taken = static_cast<double>(result.pulses / pulses);
  result.achieved_hertz /= taken;
  result.duty /= taken;
  return result;
}

// Frequency and duty as sums, over the trains.
void PulseSweep::TakeTrain(StressMember& member, const physical::PulseReport& report, StressClock::time_point begin,
                           PulseResult& result) const {
  StressSlice slice = {
      .begin = begin, .end = StressClock::now(), .operations = report.operations, .wrong = report.wrong};
  for (const physical::PulseError& error : report.errors) slice.errors.push_back(error.Describe());
  member.slices.push_back(slice);
  result.by_device_clock = report.by_device_clock;
  result.pulses += report.pulses;
  result.wrong += report.wrong;
  result.operations += report.operations;
  result.achieved_hertz += report.hertz;
  result.duty += report.duty;
  result.latest_seconds = std::max(result.latest_seconds, report.latest);
  result.spread_seconds = std::max(result.spread_seconds, report.widest_spread);
  if (report.slowest_unit_share >= result.slowest_unit_share) return;
  result.slowest_unit_share = report.slowest_unit_share;
  result.slowest_unit = report.slowest_unit;
}

}  // namespace muster::benchmark
