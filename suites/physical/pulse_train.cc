#include "suites/physical/pulse_train.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "absl/strings/str_cat.h"
#include "suites/sdk/outcome.h"
#include "suites/sdk/timing.h"

namespace muster::physical {
namespace {

constexpr uint32_t kSteps = 16;
constexpr uint64_t kMostRecordBytes = 64 << 20;
constexpr double kLongestTrainSeconds = 0.25;
// Some seconds: reading host memory takes a microsecond or so.
constexpr uint32_t kStartPolls = 4'000'000;
// A calibration goes on with eight times as much until it takes so long.
constexpr double kCalibrationSeconds = 0.005;
constexpr uint32_t kMostBlocks = 1 << 14;
constexpr uint32_t kMostTurns = 1 << 24;

// What `steps` of x → (m x + a) mod p are together.
struct Step {
  uint64_t factor = 1;
  uint64_t addend = 0;
};
Step Together(uint64_t factor, uint64_t addend, uint64_t modulus, uint32_t steps) {
  Step whole;
  for (uint32_t i = 0; i < steps; ++i) {
    whole = {.factor = whole.factor * factor % modulus, .addend = (whole.addend * factor + addend) % modulus};
  }
  return whole;
}

uint32_t Nanoseconds(double seconds) { return static_cast<uint32_t>(std::lround(seconds * 1e9)); }

const char* KindName(uint32_t kind) {
  return kind == STRESS_CHAIN ? "fp32 chain" : kind == STRESS_WORD ? "integer word" : "tile entry";
}

template <typename T>
T* Need(T* memory) {
  if (memory == nullptr) throw sdk::ToolError("expected some MiB of free memory for the stress kernel");
  return memory;
}

}  // namespace

std::string PulseError::Describe() const {
  return absl::StrCat("pulse ", pulse, " on ", names_unit ? "unit " : "group ", unit, ", lane ", lane, ", block ",
                      block, ": ", KindName(kind), " ", index, " expected ", expected, ", found ", found);
}

PulseTrain::PulseTrain(ComputeDevice& device, uint32_t group_size, uint32_t nanoseconds_a_block)
    : device_(device),
      group_size_(group_size),
      groups_(device.Traits().units),
      errors_(Need(static_cast<StressErrors*>(device.Allocate(sizeof(StressErrors))))),
      start_(Need(static_cast<uint32_t*>(device.AllocateHost(sizeof(uint32_t))))),
      totals_(Need(static_cast<StressGroup*>(device.Allocate(groups_ * sizeof(StressGroup))))),
      block_ns_(nanoseconds_a_block),
      wait_ns_(nanoseconds_a_block) {
  Calibrate();
}

PulseTrain::~PulseTrain() {
  device_.Free(errors_);
  device_.Free(totals_);
  device_.FreeHost(start_);
  if (records_ != nullptr) device_.Free(records_);
}

uint32_t PulseTrain::MostPulses(double hertz) const {
  const double by_time = std::floor(kLongestTrainSeconds * hertz);
  const double by_room = static_cast<double>(kMostRecordBytes / (groups_ * sizeof(StressPulse)));
  return static_cast<uint32_t>(std::max(1.0, std::min(by_time, by_room)));
}

void PulseTrain::Start() { *static_cast<volatile uint32_t*>(start_) = 1; }

StressArguments PulseTrain::Arguments(const PulseOptions& options) const {
  const Step chain = Together(STRESS_STEP_FACTOR, STRESS_STEP_ADDEND, STRESS_PRIME, kSteps);
  const Step word = Together(STRESS_WORD_FACTOR, STRESS_WORD_ADDEND, uint64_t{1} << 32, kSteps);
  const auto seed = static_cast<u32>(options.seed);
  return {.key = mix_bits(seed) ^ mix_bits(static_cast<u32>(options.seed >> 32) + 0x51ed270bu),
          .pulses = options.pulses,
          .first_pulse = options.first_pulse,
          .steps = kSteps,
          .chain_factor = static_cast<u32>(chain.factor),
          .chain_addend = static_cast<u32>(chain.addend),
          .word_factor = static_cast<u32>(word.factor),
          .word_addend = static_cast<u32>(word.addend),
          .delay_ns = Nanoseconds(options.delay_seconds),
          .busy_ns = Nanoseconds(options.duty / options.hertz),
          .period_ns = Nanoseconds(1 / options.hertz),
          .block_ns = std::max(1u, static_cast<u32>(std::lround(block_ns_))),
          .wait_ns = std::max(1u, static_cast<u32>(std::lround(wait_ns_))),
          .start_polls = kStartPolls,
          .names_units = device_.Traits().names_units ? 1u : 0u,
          .inject_pulse = options.injection ? options.injection->pulse : STRESS_NO_PULSE,
          .inject_unit = options.injection ? options.injection->unit : 0,
          .inject_kind = options.injection ? options.injection->kind : 0};
}

void PulseTrain::Launch(const StressArguments& arguments) {
  const uint64_t records = arguments.pulses * groups_;
  if (records > room_) {
    if (records_ != nullptr) device_.Free(records_);
    records_ = nullptr;
    records_ = Need(static_cast<StressPulse*>(device_.Allocate(records * sizeof(StressPulse))));
    room_ = records;
  }
  device_.Zero(errors_, sizeof(StressErrors));
  device_.Zero(totals_, groups_ * sizeof(StressGroup));
  device_.Launch({.kernel = "stress_pulses",
                  .groups = groups_,
                  .group_size = group_size_,
                  .buffers = {errors_, records_, totals_, start_},
                  .arguments = &arguments,
                  .arguments_size = sizeof(arguments),
                  .local_bytes = sizeof(u32x4)});
}

// Also learns what the kernel is made of.
void PulseTrain::Calibrate() {
  StressArguments arguments = Arguments({});
  arguments.pulses = 1;
  arguments.busy_ns = 0;
  arguments.period_ns = 1;
  Start();
  Launch(arguments);
  StressErrors seen;
  device_.ReadBack(&seen, errors_, sizeof(seen));
  if (seen.wrong != 0) throw sdk::DeviceFailure("the first block of stress work was wrong already");
  has_clock_ = seen.has_clock != 0;
  tile_sets_ = seen.tile_sets;
  if (has_clock_ || block_ns_ > 0) return;
  const auto seconds = [&](uint32_t blocks, uint32_t turns) {
    arguments.block_ns = 1;
    arguments.wait_ns = 1;
    arguments.busy_ns = blocks;
    arguments.delay_ns = turns;
    return device_.Seconds([&] { Launch(arguments); });
  };
  const double few = seconds(1, 0);
  const auto each = [&](uint32_t most, const std::function<double(uint32_t count)>& measure) {
    uint32_t count = 4;
    double more = measure(count) - few;
    while (more < kCalibrationSeconds && count < most) {
      count *= 8;
      more = measure(count) - few;
    }
    return std::max(1.0, 1e9 * more / count);
  };
  block_ns_ = each(kMostBlocks, [&](uint32_t blocks) { return seconds(1 + blocks, 0); });
  wait_ns_ = each(kMostTurns, [&](uint32_t turns) { return seconds(1, turns); });
}

PulseReport PulseTrain::Run(const PulseOptions& options, const std::function<void()>& queued) {
  if (!(options.hertz >= 1 && options.duty > 0 && options.duty <= 1) || options.pulses == 0 ||
      options.pulses > std::max(1u, MostPulses(options.hertz)) || options.delay_seconds > 1) {
    throw sdk::ToolError(absl::StrCat("no train of ", options.pulses, " pulses at ", options.hertz, " Hz, ",
                                      options.duty, " of the time, ", options.delay_seconds, " s late"));
  }
  *static_cast<volatile uint32_t*>(start_) = queued == nullptr ? 1 : 0;
  const StressArguments arguments = Arguments(options);
  const double seconds = device_.Seconds([&] {
    Launch(arguments);
    if (queued != nullptr) queued();
  });
  return Summarise(options, seconds);
}

PulseReport PulseTrain::Summarise(const PulseOptions& options, double seconds) {
  StressErrors seen;
  device_.ReadBack(&seen, errors_, sizeof(seen));
  std::vector<StressGroup> totals(groups_);
  device_.ReadBack(totals.data(), totals_, totals.size() * sizeof(StressGroup));
  std::vector<StressPulse> records(options.pulses * groups_);
  device_.ReadBack(records.data(), records_, records.size() * sizeof(StressPulse));
  PulseReport report = {
      .pulses = options.pulses, .wrong = seen.wrong, .seconds = seconds, .by_device_clock = has_clock_};
  for (uint64_t i = 0; i < std::min<uint64_t>(seen.recorded, STRESS_RECORDS); ++i) {
    const StressRecord& record = seen.records[i];
    report.errors.push_back({record.unit, device_.Traits().names_units, record.lane, record.pulse, record.block,
                             record.kind, record.index, record.expected, record.found});
  }
  std::sort(report.errors.begin(), report.errors.end(), [](const PulseError& x, const PulseError& y) {
    return std::pair(x.pulse, x.unit) < std::pair(y.pulse, y.unit);
  });
  // A step of a lane: 64 multiply-adds in each tile, three and two additions in a chain, two operations on a word.
  const double of_block = kSteps * std::min(32.0, static_cast<double>(group_size_)) *
                          (128.0 * tile_sets_ * STRESS_TILES_A_STEP + 8.0 * STRESS_CHAINS + 2.0 * STRESS_WORDS);
  std::map<uint32_t, double> blocks;
  for (const StressGroup& total : totals) {
    report.operations += of_block * static_cast<double>(total.blocks);
    blocks[static_cast<uint32_t>(total.unit)] += static_cast<double>(total.blocks);
  }
  std::vector<double> each;
  for (const auto& [unit, count] : blocks) each.push_back(count);
  const double median = sdk::Median(each);
  for (const auto& [unit, count] : blocks) {
    if (count / median >= report.slowest_unit_share) continue;
    report.slowest_unit_share = count / median;
    report.slowest_unit = unit;
  }
  ReadTimes(records, report);
  if (!has_clock_) {
    report.hertz = static_cast<double>(options.pulses) / seconds;
    report.duty = options.duty;
  }
  return report;
}

void PulseTrain::ReadTimes(const std::vector<StressPulse>& records, PulseReport& report) const {
  const uint64_t pulses = report.pulses;
  double busy = 0;
  for (uint64_t pulse = 0; pulse < pulses; ++pulse) {
    uint32_t first = records[pulse * groups_].begin_ns;
    uint32_t last = first;
    for (uint64_t group = 0; group < groups_; ++group) {
      const StressPulse& record = records[pulse * groups_ + group];
      first = std::min(first, record.begin_ns);
      last = std::max(last, record.begin_ns);
      busy += 1e-9 * (record.end_ns - record.begin_ns);
    }
    report.widest_spread = std::max(report.widest_spread, 1e-9 * (last - first));
  }
  if (pulses < 2) return;
  double between = 0;
  for (uint64_t group = 0; group < groups_; ++group) {
    between += 1e-9 * (records[(pulses - 1) * groups_ + group].begin_ns - records[group].begin_ns);
  }
  const double period = between / static_cast<double>((pulses - 1) * groups_);
  if (period <= 0) return;
  report.hertz = 1 / period;
  report.duty = busy / static_cast<double>(pulses * groups_) / period;
  for (uint64_t pulse = 0; pulse < pulses; ++pulse) {
    for (uint64_t group = 0; group < groups_; ++group) {
      const double due = 1e-9 * records[group].begin_ns + period * static_cast<double>(pulse);
      report.latest = std::max(report.latest, 1e-9 * records[pulse * groups_ + group].begin_ns - due);
    }
  }
}

}  // namespace muster::physical
