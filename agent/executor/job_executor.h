// Runs the suites' programs and turns what they print into events.
//
// Used by the agent's core on the event loop; an implementation has a thread for each running job and posts back. A
// fake for the core's tests and for the simulation is in job_executor_fake.h.
#ifndef MUSTER_AGENT_EXECUTOR_JOB_EXECUTOR_H_
#define MUSTER_AGENT_EXECUTOR_JOB_EXECUTOR_H_

#include <functional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "muster/v1/event.pb.h"
#include "muster/v1/run.pb.h"

namespace muster::agent {

class JobExecutor {
 public:
  // Called on the event loop, in order for one job. `event` has no sequence number yet. The last one of a job is its
  // JobFinished; nothing follows it.
  using EventSink = std::function<void(const v1::JobRef& ref, v1::Event event)>;

  virtual ~JobExecutor() = default;

  // Must be called once, before Start.
  virtual void SetSink(EventSink sink) = 0;

  // Begins the job. An error means that nothing was started: InvalidArgument or NotFound when the request does not
  // match the manifest on this machine (Fate REFUSED), anything else when the program could not be started (Fate
  // NOT_STARTED). No event is emitted for a job that was refused here.
  virtual absl::Status Start(const v1::JobRef& ref, const v1::JobSpec& spec) = 0;

  // SIGTERM, then SIGKILL after the grace period, to the whole group; the job still ends with its JobFinished (Fate
  // CANCELLED). Unknown jobs are ignored.
  virtual void Cancel(const v1::JobRef& ref, std::string_view reason) = 0;
};

}  // namespace muster::agent

#endif  // MUSTER_AGENT_EXECUTOR_JOB_EXECUTOR_H_
