// Every unit of a device (a multiprocessor, an Xe core) tested by itself: all groups of a launch compute the same, the
// host knows what must come out, and each group says on which unit it ran.
//
// Groups are launched until each unit has run its share. After an error the same inputs go again: whether the unit
// fails always, sometimes or not again, and whether it is alone, makes the verdict. Where the device does not name its
// units (DeviceTraits.names_units) errors are told with the group and the unit unknown.
#ifndef MUSTER_SUITES_PHYSICAL_UNIT_SWEEP_H_
#define MUSTER_SUITES_PHYSICAL_UNIT_SWEEP_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "suites/physical/compute_device.h"
#include "suites/physical/unit_verdict.h"
#include "suites/physical/unit_work.h"

namespace muster::physical {

// One kind of work; unit_work.h says what its kernel looks like.
struct UnitWork {
  const char* kernel = nullptr;
  std::vector<std::string> operations;
  uint32_t group_size = 256;
  uint32_t local_bytes = 0;
  uint64_t scratch_bytes_per_group = 0;  // Zero before each launch.
  // Before the groups' parts: words to which all groups of a launch add; zero, too.
  uint32_t common_words = 0;
  // What these must come to.
  std::function<std::vector<uint64_t>(const UnitWork& work, const std::vector<uint64_t>& expected, uint64_t groups)>
      expect_common;
  uint32_t parameter = 0;  // As the kernel has it.
  uint32_t steps = 64;
  // Fresh ones for a key; a power of two of them.
  std::function<std::vector<uint64_t>(uint32_t key)> inputs;
  // What a group computes: of each operation each lane's result. On the host, whatever the device is.
  std::function<std::vector<uint64_t>(const UnitWork& work, const std::vector<uint64_t>& inputs,
                                      const UnitArguments& arguments)>
      expect;
  // What the lane computed with in that step (from 0), in words; may be null.
  std::function<std::string(const std::vector<uint64_t>& inputs, const UnitArguments& arguments, uint32_t lane,
                            uint32_t step)>
      describe;
};

// For work whose lanes know nothing of each other: calls `lane_result` for each operation and lane, on several threads.
std::vector<uint64_t> ExpectByLane(const UnitWork& work,
                                   const std::function<uint64_t(uint32_t operation, uint32_t lane)>& lane_result);

// Words of all bits, and of those at the edges: 0, 1, ~0, the largest and smallest of either sign, single bits.
std::vector<uint64_t> IntegerInputs(uint32_t key, uint32_t count);

// A fault that the test makes by itself, to see that it is found.
struct UnitFault {
  enum class Kind { kStuck, kSometimes, kOnce, kSlow };
  Kind kind = Kind::kStuck;
  uint32_t unit = UNIT_EVERY;
  uint32_t lane = 0;
  uint64_t bits = 0;
};
// "stuck:UNIT:LANE:BIT" in every launch, "sometimes:UNIT:LANE:BIT" in every third, "once:UNIT:LANE:BIT" in the first,
// "every:LANE:BIT" in all units, "slow:UNIT" right but late; empty: none. Throws ToolError for others.
std::optional<UnitFault> ParseUnitFault(const std::string& text);

struct UnitSweepOptions {
  uint64_t seed = 1;
  double seconds = 0.05;          // At least one launch.
  uint32_t groups_per_unit = 32;  // Of a launch.
  uint32_t least_groups = 8;      // That each unit must have run; launches go on for it, at most 64 times.
  std::optional<UnitFault> fault;
};

struct UnitError {
  std::optional<uint32_t> unit;
  uint64_t group = 0;
  uint32_t lane = 0;
  std::string operation;
  uint64_t expected = 0;
  uint64_t found = 0;
  uint32_t key = 0;
  // Of the chain whose result this is.
  uint32_t steps = 0;
  // What the last of them computed with, where the chain is the shortest that fails.
  std::string input;
  std::string Describe() const;
};

struct UnitSweepReport {
  UnitTallies tallies;
  uint32_t units = 0;       // That the device has.
  uint32_t units_seen = 0;  // Of those that it names.
  bool names_units = false;
  uint64_t launches = 0;
  uint64_t groups = 0;
  uint64_t wrong_groups = 0;
  // Of these the group's sum is wrong and none of its lanes noticed: comparing is at fault as well.
  uint64_t unnoticed_groups = 0;
  // What the groups came to together, where it is wrong; right groups and a wrong sum of them: the way to memory.
  std::vector<std::string> wrong_common;
  double operations = 0;
  double seconds = 0;             // Of the device, with its wait for the host that prepares the next launch.
  std::vector<UnitError> errors;  // Of the first launch that failed and of the shortest chain; at most 16.
  std::vector<std::string> verdicts;
  std::vector<UnitPace> paces;
};

UnitSweepReport SweepUnits(ComputeDevice& device, const UnitWork& work, const UnitSweepOptions& options);

}  // namespace muster::physical

#endif  // MUSTER_SUITES_PHYSICAL_UNIT_SWEEP_H_
