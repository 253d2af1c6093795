// The repeats of a transfer that stream.h's measurements share: prepared, timed and verified one by one.
#ifndef MUSTER_SUITES_PHYSICAL_STREAM_REPEAT_H_
#define MUSTER_SUITES_PHYSICAL_STREAM_REPEAT_H_

#include <cstdint>
#include <functional>
#include <string>

#include "suites/physical/stream.h"

namespace muster::physical {

struct RepeatedTransfer {
  // Queues what must be there before, untimed.
  std::function<void(uint32_t repeat)> prepare;
  // Queues one piece of the transfer.
  std::function<void(uint32_t repeat, uint64_t to, uint64_t from, uint64_t bytes)> move;
  // Queues the injected flipped bit, where there is one.
  std::function<void()> flip;
  // What is wrong with what was moved; empty: nothing.
  std::function<std::string(uint32_t repeat)> problem;
  // Called while data flows.
  std::function<void()> between = {};
};

// Repeats are numbered from 0, the warm-ups first.
StreamReport RepeatTransfer(ComputeDevice& device, const StreamOptions& options, uint64_t bytes,
                            const RepeatedTransfer& transfer);

}  // namespace muster::physical

#endif  // MUSTER_SUITES_PHYSICAL_STREAM_REPEAT_H_
