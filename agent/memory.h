// Keeps the agent small while it has nothing to do.
#ifndef MUSTER_AGENT_MEMORY_H_
#define MUSTER_AGENT_MEMORY_H_

namespace muster::agent {

// Before there are threads: free memory goes back to the system soon, and few threads share few arenas.
void KeepMemorySmall();

// What only the start, or a job long over, needed: free memory, and the program's own code, which the kernel reads in
// again where it is needed.
void GiveMemoryBack();

}  // namespace muster::agent

#endif  // MUSTER_AGENT_MEMORY_H_
