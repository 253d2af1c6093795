// The kernel by which several devices count in one's memory, for CUDA C++, OpenCL C and C++ (portable.h).
#ifndef MUSTER_SUITES_PHYSICAL_PEER_ATOMICS_KERNELS_H_
#define MUSTER_SUITES_PHYSICAL_PEER_ATOMICS_KERNELS_H_

#include "suites/physical/portable.h"

typedef struct {
  u32 slots;
  u32 rounds;
  u32 lost;  // For the self-test: the first addition at this slot is left out. Otherwise no slot.
  u32 unused;
} PeerCountArguments;

// Each work item adds 1 at `rounds` slots, one after the other; work items begin at slots of their own.
KERNEL peer_count(GLOBAL u32* counts, PeerCountArguments a) {
  const u32 item = (u32)(GROUP_ID * GROUP_SIZE + LOCAL_ID);
  for (u32 round = 0; round < a.rounds; ++round) {
    if (round == 0 && item == a.lost) continue;
    ATOMIC_ADD_ACROSS(counts + (item + round) % a.slots, 1u);
  }
}

#endif  // MUSTER_SUITES_PHYSICAL_PEER_ATOMICS_KERNELS_H_
