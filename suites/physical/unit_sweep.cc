#include "suites/physical/unit_sweep.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "suites/physical/device_memory.h"
#include "suites/physical/host_threads.h"
#include "suites/sdk/outcome.h"

namespace muster::physical {
namespace {

constexpr uint32_t kRetests = 10;
constexpr uint64_t kRetestGroupsPerUnit = 8;
constexpr uint64_t kMostLaunchesForCoverage = 64;
constexpr size_t kErrorsKept = 16;

// Inputs, and what must come out.
struct Round {
  UnitArguments arguments = {};
  std::vector<uint64_t> inputs;
  std::vector<uint64_t> expected;
  uint64_t sum = 0;  // Of a group.
};

// What a launch did.
struct Outcome {
  std::vector<UnitGroup> groups;
  std::set<uint64_t> wrong_groups;
  std::vector<UnitRecord> records;
  std::vector<std::string> wrong_common;
};

class Sweep {
 public:
  Sweep(ComputeDevice& device, const UnitWork& work, const UnitSweepOptions& options)
      : device_(device),
        work_(work),
        options_(options),
        most_groups_(uint64_t{device.Traits().units} * options.groups_per_unit),
        inputs_(device, work.inputs(0).size() * sizeof(uint64_t)),
        expected_(device, Results() * sizeof(uint64_t)),
        groups_(device, most_groups_ * sizeof(UnitGroup)),
        errors_(device, sizeof(UnitErrors)),
        scratch_(device, std::max<uint64_t>(ScratchBytes(most_groups_), 16)) {
    report_.units = device.Traits().units;
    report_.names_units = device.Traits().names_units;
  }

  UnitSweepReport Run() {
    const auto start = std::chrono::steady_clock::now();
    const auto taken = [&] { return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count(); };
    const uint64_t groups = uint64_t{report_.units} * options_.groups_per_unit;
    Round round = Prepare(Key(0), work_.steps);
    do {
      Round next;
      // The host computes what comes next while the device works.
      const Outcome outcome = Launch(round, groups, [&] { next = Prepare(Key(report_.launches + 1), work_.steps); });
      ++report_.launches;
      Count(outcome);
      if (!outcome.wrong_groups.empty() || !outcome.wrong_common.empty()) {
        report_.wrong_common = outcome.wrong_common;
        Keep(outcome, round);
        Retest(round);
        break;
      }
      round = std::move(next);
    } while (taken() < options_.seconds || (!Covered() && report_.launches < kMostLaunchesForCoverage));
    report_.units_seen = report_.names_units ? static_cast<uint32_t>(report_.tallies.size()) : 0;
    report_.operations = static_cast<double>(report_.groups) * static_cast<double>(Results()) * work_.steps;
    report_.verdicts = UnitVerdicts(report_.tallies, report_.names_units);
    if (report_.names_units) report_.paces = UnitPaces(report_.tallies);
    return report_;
  }

 private:
  uint64_t Results() const { return uint64_t{work_.group_size} * work_.operations.size(); }

  uint64_t ScratchBytes(uint64_t groups) const {
    return work_.common_words * sizeof(uint64_t) + groups * work_.scratch_bytes_per_group;
  }

  uint32_t Key(uint64_t round) const {
    return mix_bits(static_cast<u32>(options_.seed) ^
                    mix_bits(static_cast<u32>(options_.seed >> 32) + static_cast<u32>(round)));
  }

  Round Prepare(uint32_t key, uint32_t steps) const {
    Round round;
    round.inputs = work_.inputs(key);
    round.arguments = {.key = key,
                       .steps = steps,
                       .input_mask = static_cast<u32>(round.inputs.size() - 1),
                       .parameter = work_.parameter,
                       .zero = 0,
                       .fault_unit = UNIT_NONE,
                       .fault_lane = UNIT_NONE,
                       .fault_operation = UNIT_NONE,
                       .delay = 0,
                       .fault_bits = 0};
    round.expected = work_.expect(work_, round.inputs, round.arguments);
    for (uint64_t i = 0; i < Results(); ++i) {
      round.sum +=
          unit_weigh(round.expected[i], static_cast<u32>(i / work_.group_size), static_cast<u32>(i % work_.group_size));
    }
    return round;
  }

  UnitArguments WithFault(UnitArguments arguments) const {
    if (!options_.fault) return arguments;
    const UnitFault& fault = *options_.fault;
    if (fault.kind == UnitFault::Kind::kOnce && launched_ != 0) return arguments;
    if (fault.kind == UnitFault::Kind::kSometimes && launched_ % 3 != 0) return arguments;
    arguments.fault_unit = fault.unit;
    if (fault.kind == UnitFault::Kind::kSlow) {
      // On an H200 the unit then runs less than half of what the others do.
      arguments.delay = static_cast<u32>(work_.steps * work_.operations.size() * 64);
      return arguments;
    }
    arguments.fault_lane = fault.lane;
    arguments.fault_operation = UNIT_EVERY;
    arguments.fault_bits = fault.bits;
    return arguments;
  }

  template <typename Meanwhile>
  Outcome Launch(const Round& round, uint64_t groups, const Meanwhile& meanwhile) {
    const UnitArguments arguments = WithFault(round.arguments);
    ++launched_;
    device_.Copy(inputs_.data(), round.inputs.data(), round.inputs.size() * sizeof(uint64_t));
    device_.Copy(expected_.data(), round.expected.data(), round.expected.size() * sizeof(uint64_t));
    device_.Zero(groups_.data(), groups * sizeof(UnitGroup));
    device_.Zero(errors_.data(), sizeof(UnitErrors));
    if (ScratchBytes(groups) != 0) device_.Zero(scratch_.data(), ScratchBytes(groups));
    report_.seconds += device_.Seconds([&] {
      device_.Launch({.kernel = work_.kernel,
                      .groups = groups,
                      .group_size = work_.group_size,
                      .buffers = {inputs_.data(), expected_.data(), groups_.data(), errors_.data(), scratch_.data()},
                      .arguments = &arguments,
                      .arguments_size = sizeof(arguments),
                      .local_bytes = work_.local_bytes});
      meanwhile();
    });
    return Judge(round, groups);
  }

  Outcome Judge(const Round& round, uint64_t groups) {
    Outcome outcome;
    outcome.groups.resize(groups);
    UnitErrors errors;
    device_.ReadBack(outcome.groups.data(), groups_.data(), groups * sizeof(UnitGroup));
    device_.ReadBack(&errors, errors_.data(), sizeof(errors));
    outcome.records.assign(errors.records, errors.records + std::min<uint64_t>(errors.recorded, UNIT_RECORDS));
    for (uint64_t i = 0; i < groups; ++i) {
      if (!report_.names_units) outcome.groups[i].unit = 0;
      const UnitGroup& group = outcome.groups[i];
      if (group.sum != round.sum || group.lanes != work_.group_size) outcome.wrong_groups.insert(i);
    }
    if (work_.common_words != 0) JudgeCommon(round, groups, outcome);
    for (const UnitRecord& record : outcome.records) {
      if (record.group < groups) outcome.wrong_groups.insert(record.group);
    }
    return outcome;
  }

  // What all groups have together is nobody's alone.
  void JudgeCommon(const Round& round, uint64_t groups, Outcome& outcome) {
    std::vector<uint64_t> found(work_.common_words);
    device_.ReadBack(found.data(), scratch_.data(), found.size() * sizeof(uint64_t));
    const std::vector<uint64_t> expected = work_.expect_common(work_, round.expected, groups);
    for (size_t i = 0; i < found.size(); ++i) {
      if (found[i] != expected[i]) {
        outcome.wrong_common.push_back(absl::StrFormat(
            "sum %u of all groups of a launch: expected 0x%016x, found 0x%016x", i, expected[i], found[i]));
      }
    }
  }

  void Count(const Outcome& outcome) {
    report_.groups += outcome.groups.size();
    report_.wrong_groups += outcome.wrong_groups.size();
    for (const UnitGroup& group : outcome.groups) ++report_.tallies[group.unit].groups;
    for (const uint64_t group : outcome.wrong_groups) ++report_.tallies[outcome.groups[group].unit].wrong_groups;
    // Records are bounded: only while there is room for all they tell of every group.
    if (outcome.records.size() >= UNIT_RECORDS) return;
    std::set<uint64_t> noticed;
    for (const UnitRecord& record : outcome.records) noticed.insert(record.group);
    report_.unnoticed_groups += outcome.wrong_groups.size() - noticed.size();
  }

  bool Covered() const {
    if (!report_.names_units) return report_.groups >= uint64_t{report_.units} * options_.least_groups;
    if (report_.tallies.size() < report_.units) return false;
    return std::all_of(report_.tallies.begin(), report_.tallies.end(),
                       [&](const auto& entry) { return entry.second.groups >= options_.least_groups; });
  }

  // In order of group, operation and lane, whoever came first.
  void Keep(const Outcome& outcome, const Round& round) {
    std::vector<UnitRecord> records = outcome.records;
    std::sort(records.begin(), records.end(), [](const UnitRecord& a, const UnitRecord& b) {
      return std::tie(a.group, a.operation, a.lane) < std::tie(b.group, b.operation, b.lane);
    });
    for (const UnitRecord& record : records) {
      if (report_.errors.size() < kErrorsKept / 2) report_.errors.push_back(ErrorOf(record, round));
    }
  }

  UnitError ErrorOf(const UnitRecord& record, const Round& round) const {
    const bool known = record.operation < work_.operations.size();
    UnitError error = {.group = record.group,
                       .lane = record.lane,
                       .operation = known ? work_.operations[record.operation] : "unknown",
                       .expected = record.expected,
                       .found = record.found,
                       .key = round.arguments.key,
                       .steps = round.arguments.steps};
    if (report_.names_units) error.unit = record.unit;
    return error;
  }

  void Retest(const Round& round) {
    const uint64_t groups = report_.units * std::min<uint64_t>(options_.groups_per_unit, kRetestGroupsPerUnit);
    bool always = true;
    for (uint32_t i = 0; i < kRetests; ++i) {
      const Outcome outcome = Launch(round, groups, [] {});
      std::set<uint32_t> seen;
      std::set<uint32_t> failed;
      for (const UnitGroup& group : outcome.groups) seen.insert(group.unit);
      for (const uint64_t group : outcome.wrong_groups) failed.insert(outcome.groups[group].unit);
      for (const uint32_t unit : seen) ++report_.tallies[unit].retests;
      for (const uint32_t unit : failed) ++report_.tallies[unit].retests_failed;
      always = always && !failed.empty();
    }
    if (always) FindShortest(round, groups);
  }

  // The shortest chain that still fails: its last step is the one that went wrong.
  void FindShortest(const Round& round, uint64_t groups) {
    uint32_t least = 1;
    uint32_t most = round.arguments.steps;
    std::optional<UnitError> shortest;
    while (least <= most) {
      const uint32_t steps = least + (most - least) / 2;
      const Round prefix = Prepare(round.arguments.key, steps);
      const Outcome outcome = Launch(prefix, groups, [] {});
      if (outcome.records.empty()) {
        least = steps + 1;
        continue;
      }
      shortest = ErrorOf(*std::min_element(outcome.records.begin(), outcome.records.end(),
                                           [](const UnitRecord& a, const UnitRecord& b) {
                                             return std::tie(a.operation, a.group, a.lane) <
                                                    std::tie(b.operation, b.group, b.lane);
                                           }),
                         prefix);
      if (work_.describe) shortest->input = work_.describe(prefix.inputs, prefix.arguments, shortest->lane, steps - 1);
      most = steps - 1;
    }
    if (shortest) report_.errors.insert(report_.errors.begin(), *shortest);
  }

  ComputeDevice& device_;
  const UnitWork& work_;
  const UnitSweepOptions options_;
  const uint64_t most_groups_;
  const DeviceMemory inputs_, expected_, groups_, errors_, scratch_;
  uint64_t launched_ = 0;
  UnitSweepReport report_;
};

uint32_t Number(const std::string& text, const std::string& whole, uint32_t limit) {
  uint32_t number = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (code != std::errc() || end != text.data() + text.size() || number >= limit) {
    throw sdk::ToolError(
        absl::StrCat("inject_unit: expected a number below ", limit, ", found '", text, "' in '", whole, "'"));
  }
  return number;
}

}  // namespace

std::vector<uint64_t> ExpectByLane(const UnitWork& work,
                                   const std::function<uint64_t(uint32_t operation, uint32_t lane)>& lane_result) {
  std::vector<uint64_t> expected(work.operations.size() * work.group_size);
  OnHostThreads(expected.size(), [&](uint64_t i) {
    expected[i] = lane_result(static_cast<uint32_t>(i / work.group_size), static_cast<uint32_t>(i % work.group_size));
  });
  return expected;
}

std::vector<uint64_t> IntegerInputs(uint32_t key, uint32_t count) {
  static constexpr uint64_t kEdges[] = {0,
                                        1,
                                        ~0ull,
                                        0x8000000080000000,
                                        0x7fffffff7fffffff,
                                        0x8000000000000000,
                                        0x7fffffffffffffff,
                                        0x00000000ffffffff,
                                        0xffffffff00000000,
                                        0x5555555555555555,
                                        0xaaaaaaaaaaaaaaaa};
  std::vector<uint64_t> inputs(count);
  for (uint32_t i = 0; i < count; ++i) {
    const uint64_t random = uint64_t{mix_bits(key + 2 * i)} << 32 | mix_bits(key + 2 * i + 1);
    const uint32_t choice = mix_bits(key ^ mix_bits(i));
    inputs[i] = choice % 8 == 0   ? kEdges[(choice >> 8) % std::size(kEdges)]
                : choice % 8 == 1 ? 1ull << ((choice >> 8) % 64)
                                  : random;
  }
  return inputs;
}

std::optional<UnitFault> ParseUnitFault(const std::string& text) {
  if (text.empty()) return std::nullopt;
  const std::vector<std::string> parts = absl::StrSplit(text, ':');
  constexpr uint32_t kUnits = 4096;
  if (parts[0] == "slow" && parts.size() == 2) {
    return UnitFault{.kind = UnitFault::Kind::kSlow, .unit = Number(parts[1], text, kUnits)};
  }
  if (parts[0] == "every" && parts.size() == 3) {
    return UnitFault{.lane = Number(parts[1], text, 512), .bits = uint64_t{1} << Number(parts[2], text, 64)};
  }
  const bool stuck = parts[0] == "stuck";
  const bool sometimes = parts[0] == "sometimes";
  if ((stuck || sometimes || parts[0] == "once") && parts.size() == 4) {
    return UnitFault{.kind = stuck       ? UnitFault::Kind::kStuck
                             : sometimes ? UnitFault::Kind::kSometimes
                                         : UnitFault::Kind::kOnce,
                     .unit = Number(parts[1], text, kUnits),
                     .lane = Number(parts[2], text, 512),
                     .bits = uint64_t{1} << Number(parts[3], text, 64)};
  }
  throw sdk::ToolError(absl::StrCat(
      "inject_unit: expected stuck:, sometimes: or once:UNIT:LANE:BIT, every:LANE:BIT or slow:UNIT, found '", text,
      "'"));
}

std::string UnitError::Describe() const {
  std::string place = unit ? absl::StrCat("unit ", *unit) : "unit unknown";
  absl::StrAppend(&place, ", group ", group, ", lane ", lane, ", ", operation, ", key ", key, ", after ", steps,
                  steps == 1 ? " step" : " steps");
  if (!input.empty()) absl::StrAppend(&place, ", the last with ", input);
  return absl::StrFormat("%s: expected 0x%016x, found 0x%016x, differing bits 0x%016x", place, expected, found,
                         expected ^ found);
}

UnitSweepReport SweepUnits(ComputeDevice& device, const UnitWork& work, const UnitSweepOptions& options) {
  return Sweep(device, work, options).Run();
}

}  // namespace muster::physical
