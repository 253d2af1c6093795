// The order of many queues, held by events alone: in each round every queue computes from its own value and from
// another queue's of the round before, for whose event it waits. One queue of each round is slow, so whoever does not
// wait reads what is not written yet, and its value does not follow from what it should have read.
#ifndef MUSTER_SUITES_PHYSICAL_QUEUE_ORDER_H_
#define MUSTER_SUITES_PHYSICAL_QUEUE_ORDER_H_

#include <cstdint>
#include <string>
#include <vector>

#include "suites/physical/api_injection.h"
#include "suites/physical/compute_device.h"

namespace muster::physical {

struct QueueOrderOptions {
  uint32_t queues = 8;  // At least 2.
  uint32_t rounds = 64;
  uint64_t seed = 1;
  // How much longer the slow queue of a round takes.
  double slow_seconds = 200e-6;
  // "order:ROUND": in this round (2 to `rounds`) the queue that needs the slow one's value does not wait for it.
  ApiInjection injection;
};

struct QueueOrderReport {
  uint64_t steps = 0;  // Rounds times queues.
  uint64_t waits = 0;  // For events of other queues.
  // Steps whose value does not follow from the values that they should have read.
  uint64_t steps_out_of_order = 0;
  std::vector<std::string> problems;  // Of the first of them.
};

QueueOrderReport RunQueueOrder(ComputeDevice& device, const QueueOrderOptions& options);

// Turns of api_step that one work item does in a second.
double TurnsPerSecond(ComputeDevice& device);

}  // namespace muster::physical

#endif  // MUSTER_SUITES_PHYSICAL_QUEUE_ORDER_H_
