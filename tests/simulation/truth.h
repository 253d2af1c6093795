// What really happened on the machines, and whether the coordinator's store says the same.
//
// Each result and measurement carries a mark that no other has. At the end every one that was durable on its machine
// must be in the store, once, with the attempt that gave it.
#ifndef MUSTER_TESTS_SIMULATION_TRUTH_H_
#define MUSTER_TESTS_SIMULATION_TRUTH_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "agent/outbox/outbox.h"
#include "coordinator/store/store.h"
#include "muster/v1/event.pb.h"
#include "muster/v1/run.pb.h"

namespace muster::simulation {

class Truth {
 public:
  // The program of an attempt begins. Wrong when it had begun before and left something durable.
  std::string Started(const v1::JobRef& ref);
  // Marks `event` if it is a result or a measurement, and keeps it.
  void Emit(const v1::JobRef& ref, int machine, v1::Event& event);
  // How many events the attempt gave so far.
  size_t Count(const v1::JobRef& ref) const;
  // The first `count` events of the attempt are on the disk, or were dropped and counted.
  void Durable(const v1::JobRef& ref, size_t count);
  // The machine's agent died: what is not durable yet never will be, for all that is known. When it may have dropped
  // events, their count may have died with it.
  void Died(int machine, bool may_have_dropped);
  // The machine's disk was wiped: an attempt of which the store has nothing may begin again, and no other; nothing is
  // asked of what it had.
  void Wiped(int machine, coordinator::Store& store);
  // The machine never comes back: nothing is asked of what it had.
  void Lost(int machine);

  // Sentences, one for each thing that is wrong.
  std::vector<std::string> Check(coordinator::Store& store) const;

  uint64_t results() const { return next_mark_ - 1; }

 private:
  struct Attempt {
    int machine = 0;
    std::vector<uint64_t> marks;  // Of its events in order; 0 for one that has none.
    size_t durable = 0;
    v1::Fate fate = v1::FATE_UNSPECIFIED;  // As the program ended.
    bool count_unsure = false;
    bool lost = false;
    bool over = false;  // Its agent has died.
  };
  void CheckAttempt(const v1::JobRef& ref, const Attempt& attempt, coordinator::Store& store,
                    std::vector<std::string>& wrong) const;

  std::map<v1::JobRef, Attempt, agent::RefLess> attempts_;
  uint64_t next_mark_ = 1;
};

}  // namespace muster::simulation

#endif  // MUSTER_TESTS_SIMULATION_TRUTH_H_
