// The kernels of the API's conformance, for CUDA C++, OpenCL C and C++ (portable.h). They also make up the module that
// is loaded from a file.
#ifndef MUSTER_SUITES_PHYSICAL_API_KERNELS_H_
#define MUSTER_SUITES_PHYSICAL_API_KERNELS_H_

#include "suites/physical/portable.h"

typedef struct {
  u64 words;
  u32 key;
  // Turns of work that keep a work item busy between its reading and its writing.
  u32 turns;
  // 0; a compiler that does not know it leaves the turns in.
  u32 nothing;
} ApiStep;

DEVICE_FUNCTION u32 api_busy(u32 start, u32 turns) {
  u32 value = start;
  for (u32 i = 0; i < turns; ++i) value = mix_bits(value + i);
  return value;
}

DEVICE_FUNCTION u32 api_step_value(u32 own, u32 other, u32 key) { return mix_bits(own * 3u + other + key); }

// Each word of `out` follows from the same word of both inputs: which ran first shows in the value.
KERNEL api_step(GLOBAL u32* own, GLOBAL u32* other, GLOBAL u32* out, ApiStep a) {
  for (u64 i = GROUP_ID * GROUP_SIZE + LOCAL_ID; i < a.words; i += GROUPS * GROUP_SIZE) {
    const u32 mine = own[i];
    const u32 theirs = other[i];
    const u32 busy = api_busy(mine ^ a.key, a.turns);
    out[i] = api_step_value(mine, theirs, a.key) ^ (busy & a.nothing);
  }
}

typedef struct {
  u64 word;  // From the start of the buffer.
  u32 value;
} ApiStray;

// One work item. Past the buffer's end on purpose: what a broken program does.
KERNEL api_stray(GLOBAL u32* data, ApiStray a) { data[a.word] = a.value; }

#endif  // MUSTER_SUITES_PHYSICAL_API_KERNELS_H_
