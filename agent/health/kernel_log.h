// Reads the kernel's log, all of it since the machine's start and then each new record, and gives what the catalogue
// knows of it.
//
// ROOT/dev/kmsg is a character device on a machine: one record a read, EPIPE where records were written over before
// they were read. It is a plain file of records, one a line, on a simulated machine; that is tailed. A thread of its
// own reads, waits and matches; it posts to the loop, a few batches at most at a time, so that a flood of lines holds
// up the thread and not the agent.
//
//   (open) ──► UNREADABLE ──every second──► (open)          status: readable or not, and how many records were lost
//      └─────► read all ──► wait for more ──► read …
#ifndef MUSTER_AGENT_HEALTH_KERNEL_LOG_H_
#define MUSTER_AGENT_HEALTH_KERNEL_LOG_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/event_catalogue.h"
#include "base/event_loop.h"

namespace muster::agent {

// A line that the catalogue knows.
struct KernelEvent {
  base::EventCatalogue::Match match;
  int64_t time_unix_ms = 0;
  std::string text;  // As KernelRecord::text.
};

struct KernelLogStatus {
  bool readable = false;
  // When it is not: what was tried and what the system said.
  std::string problem;
  // Records that were gone before they could be read.
  uint64_t lost = 0;
};

// A seam: the real one below, none in most tests.
class KernelLogSource {
 public:
  // Called on the loop.
  struct Callbacks {
    std::function<void(std::vector<KernelEvent>)> on_events;
    // First when it is known whether the log can be read, then at each change.
    std::function<void(const KernelLogStatus&)> on_status;
  };
  // On the loop; no callback comes after it.
  virtual ~KernelLogSource() = default;
};

// `root` is "/" on a machine. The loop and the catalogue outlive the object.
std::unique_ptr<KernelLogSource> OpenKernelLog(base::EventLoop& loop, const base::EventCatalogue& catalogue,
                                               const std::string& root, KernelLogSource::Callbacks callbacks);

}  // namespace muster::agent

#endif  // MUSTER_AGENT_HEALTH_KERNEL_LOG_H_
