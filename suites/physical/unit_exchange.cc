#include "suites/physical/unit_exchange.h"

#include <algorithm>
#include <string>

#include "suites/physical/unit_atomics.kernels.h"
#include "suites/physical/unit_exchange.kernels.h"

namespace muster::physical {
namespace {

constexpr uint32_t kInputs = 4096;
// Lanes of which one adds to the sums of all groups.
constexpr uint32_t kLanesPerSum = 32;
constexpr uint32_t kLanesPerTicket = 16;

std::vector<u64> Words(const std::vector<uint64_t>& inputs) { return {inputs.begin(), inputs.end()}; }
std::vector<uint64_t> Inputs(uint32_t key) { return IntegerInputs(key, kInputs); }

// What each lane has after a step of a shuffle, of what they all had before.
u32 Shuffled(uint32_t operation, const std::vector<u32>& values, uint32_t width, uint32_t item, u32 from, u32 step) {
  const uint32_t first = item & ~(width - 1);
  const uint32_t lane = item - first;
  const uint32_t by = step & (width - 1);
  const auto votes = [&] {
    u32 count = 0;
    for (uint32_t i = 0; i < width; ++i) count += exchange_vote(values[first + i], step) != 0 ? 1 : 0;
    return count;
  };
  switch (operation) {
    case UNIT_SHUFFLE:
      return values[first + from % width];
    case UNIT_SHUFFLE_XOR:
      return values[first + (lane ^ by)];
    case UNIT_SHUFFLE_UP:
      return values[lane < by ? item : item - by];
    case UNIT_SHUFFLE_DOWN:
      return values[lane + by < width ? item + by : item];
    case UNIT_BROADCAST:
      return values[first + by];
    case UNIT_BALLOT: {
      u32 ballot = 0;
      for (uint32_t i = 0; i < width; ++i) ballot |= exchange_vote(values[first + i], step) != 0 ? 1u << i : 0;
      return ballot;
    }
    case UNIT_ANY:
      return votes() != 0 ? 1 : 0;
    default:
      return votes() == width ? 1 : 0;
  }
}

// What each lane has after a step of a reduction.
std::vector<u32> Reduced(uint32_t operation, const std::vector<u32>& values, u32 step) {
  std::vector<u32> after(values.size());
  u32 sum = 0;
  for (uint32_t item = 0; item < values.size(); ++item) {
    sum += values[item];
    if (operation == UNIT_SCAN) after[item] = sum;
    if (operation == UNIT_PERMUTE) after[(item * (2 * step + 1) + step) % values.size()] = values[item];
  }
  if (operation == UNIT_REDUCE) std::fill(after.begin(), after.end(), sum);
  return after;
}

// Of each lane the digest of what `change` leaves it with, step after step.
template <typename Change>
void ExpectSteps(const UnitWork& work, const std::vector<u64>& inputs, const UnitArguments& arguments,
                 uint64_t* digests, const Change& change) {
  std::vector<u32> last(work.group_size);
  std::vector<u32> values(work.group_size);
  for (u32 step = 0; step < arguments.steps; ++step) {
    for (uint32_t item = 0; item < work.group_size; ++item) {
      values[item] = exchange_value(inputs.data(), arguments, item, step) + last[item];
    }
    last = change(values, step);
    for (uint32_t item = 0; item < work.group_size; ++item) digests[item] = unit_turn(digests[item], 9) + last[item];
  }
}

std::vector<uint64_t> ExpectShuffles(const UnitWork& work, const std::vector<uint64_t>& inputs,
                                     const UnitArguments& arguments) {
  const std::vector<u64> words = Words(inputs);
  std::vector<uint64_t> expected(work.operations.size() * work.group_size);
  for (uint32_t operation = 0; operation < UNIT_SHUFFLES; ++operation) {
    ExpectSteps(
        work, words, arguments, &expected[operation * work.group_size], [&](const std::vector<u32>& values, u32 step) {
          std::vector<u32> after(values.size());
          for (uint32_t item = 0; item < values.size(); ++item) {
            after[item] = Shuffled(operation, values, work.parameter, item, exchange_from(arguments, item, step), step);
          }
          return after;
        });
  }
  return expected;
}

std::vector<uint64_t> ExpectReductions(const UnitWork& work, const std::vector<uint64_t>& inputs,
                                       const UnitArguments& arguments) {
  const std::vector<u64> words = Words(inputs);
  std::vector<uint64_t> expected(work.operations.size() * work.group_size);
  for (const uint32_t operation : {UNIT_REDUCE, UNIT_SCAN, UNIT_PERMUTE}) {
    ExpectSteps(work, words, arguments, &expected[operation * work.group_size],
                [&](const std::vector<u32>& values, u32 step) { return Reduced(operation, values, step); });
  }
  for (uint32_t item = 0; item < work.group_size; ++item) {
    expected[UNIT_REGISTERS * work.group_size + item] = unit_registers(arguments, item, 0);
  }
  return expected;
}

std::vector<uint64_t> ExpectSums(const UnitWork& work, const std::vector<uint64_t>& expected, uint64_t groups) {
  uint64_t sum = 0;
  uint64_t lanes = 0;
  for (uint32_t item = 0; item < work.group_size; item += kLanesPerSum) {
    sum += expected[UNIT_REDUCE * work.group_size + item];
    ++lanes;
  }
  return {sum * groups, lanes * groups};
}

// One operation's words after all lanes and steps, in Word's width.
template <typename Word>
void ExpectAtomic(const UnitWork& work, const std::vector<u64>& inputs, const UnitArguments& arguments,
                  uint32_t operation, uint64_t* digests) {
  std::vector<Word> words(UNIT_ATOMIC_WORDS, static_cast<Word>(atomic_begin(operation)));
  Word put = 0;
  for (uint32_t item = 0; item < work.group_size; ++item) {
    for (u32 step = 0; step < arguments.steps; ++step) {
      const auto value = static_cast<Word>(atomic_value(inputs.data(), arguments, item, step));
      Word& word = words[atomic_word(item, step)];
      put += value;
      if (operation == UNIT_ATOMIC_ADD || operation == UNIT_ATOMIC_COMPARE) word += value;
      if (operation == UNIT_ATOMIC_MIN) word = std::min(word, value);
      if (operation == UNIT_ATOMIC_MAX) word = std::max(word, value);
      if (operation == UNIT_ATOMIC_AND) word &= value;
      if (operation == UNIT_ATOMIC_OR) word |= value;
      if (operation == UNIT_ATOMIC_XOR) word ^= value;
    }
  }
  for (uint32_t i = 0; i < UNIT_ATOMIC_WORDS && operation != UNIT_ATOMIC_EXCHANGE; ++i) digests[i] = words[i];
  if (operation == UNIT_ATOMIC_EXCHANGE) digests[0] = put;
  if (operation != UNIT_ATOMIC_TICKETS) return;
  for (uint32_t item = 0; item < work.group_size; ++item) {
    digests[item] = 0;
    for (uint32_t i = 0; i < UNIT_TICKETS; ++i) {
      digests[item] = unit_turn(digests[item], 9) + static_cast<Word>(Word{item * UNIT_TICKETS + i} + arguments.key);
    }
  }
}

template <typename Word>
std::vector<uint64_t> ExpectAtomics(const UnitWork& work, const std::vector<uint64_t>& inputs,
                                    const UnitArguments& arguments) {
  const std::vector<u64> words = Words(inputs);
  std::vector<uint64_t> expected(work.operations.size() * work.group_size);
  for (uint32_t operation = 0; operation < UNIT_ATOMICS; ++operation) {
    uint64_t* const local = &expected[operation * work.group_size];
    ExpectAtomic<Word>(work, words, arguments, operation, local);
    // The same in global memory.
    std::copy(local, local + work.group_size, &expected[(UNIT_ATOMICS + operation) * work.group_size]);
  }
  return expected;
}

std::vector<uint64_t> ExpectTickets(const UnitWork& work, uint64_t groups) {
  const uint64_t tickets = groups * ((work.group_size + kLanesPerTicket - 1) / kLanesPerTicket);
  uint64_t hashes = 0;
  for (uint64_t i = 0; i < tickets; ++i) hashes += mix_bits(static_cast<u32>(i));
  return {tickets, tickets * (tickets - 1) / 2, hashes};
}

UnitWork AtomicsOf(const char* kernel, const std::string& bits, uint32_t word_bytes) {
  UnitWork work = {.kernel = kernel, .steps = 16, .inputs = Inputs};
  for (const char* memory : {"local", "global"}) {
    for (const char* name : {"add", "min", "max", "and", "or", "xor", "exchange", "compare_exchange", "tickets"}) {
      work.operations.push_back(std::string(name) + bits + "_" + memory);
    }
  }
  const uint32_t area = word_bytes * UNIT_ATOMIC_AREA(work.group_size);
  work.local_bytes = area;
  work.scratch_bytes_per_group = area;
  return work;
}

}  // namespace

UnitWork ShuffleWork(uint32_t width) {
  UnitWork work = {.kernel = "unit_shuffle"};
  work.operations = {"shuffle", "shuffle_xor", "shuffle_up", "shuffle_down", "broadcast", "ballot", "any", "all"};
  work.local_bytes = work.group_size * sizeof(u32);
  work.parameter = width;
  work.inputs = Inputs;
  work.expect = ExpectShuffles;
  return work;
}

UnitWork ReductionWork() {
  UnitWork work = {.kernel = "unit_reduction"};
  work.operations = {"reduce", "scan", "permute", "registers"};
  work.local_bytes = work.group_size * sizeof(u32);
  work.common_words = 2;
  work.expect_common = ExpectSums;
  work.inputs = Inputs;
  work.expect = ExpectReductions;
  return work;
}

UnitWork AtomicsWork() {
  UnitWork work = AtomicsOf("unit_atomics", "32", sizeof(u32));
  work.common_words = 3;
  work.expect_common = [](const UnitWork& shape, const std::vector<uint64_t>&, uint64_t groups) {
    return ExpectTickets(shape, groups);
  };
  work.expect = ExpectAtomics<u32>;
  return work;
}

UnitWork Atomics64Work() {
  UnitWork work = AtomicsOf("unit_atomics64", "64", sizeof(u64));
  work.expect = ExpectAtomics<u64>;
  return work;
}

}  // namespace muster::physical
