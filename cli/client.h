// The coordinator as the commands see it: one method a call, errors that say what to do.
//
// Blocking; each call on the calling thread, with a deadline. A Watch reads on a thread of its own, which it owns.
#ifndef MUSTER_CLI_CLIENT_H_
#define MUSTER_CLI_CLIENT_H_

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "cli/endpoint.h"
#include "muster/v1/control_service.pb.h"

namespace muster::cli {

// A run being watched. Ends with the object, which must not outlive its Client.
class Watch {
 public:
  virtual ~Watch() = default;

  struct Event {
    std::optional<v1::RunUpdate> update;
    // Set when the stream is over: OK when the coordinator ended it.
    std::optional<absl::Status> end;
  };
  // The next event; an empty one when none came within `wait`.
  virtual Event Next(std::chrono::milliseconds wait) = 0;
};

class Client {
 public:
  // Connects with the first call, not before.
  explicit Client(Endpoint endpoint);
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  const Endpoint& endpoint() const { return endpoint_; }

  absl::StatusOr<v1::StartRunResponse> StartRun(const v1::StartRunRequest& request);
  absl::StatusOr<v1::GetRunResponse> GetRun(const v1::GetRunRequest& request);
  absl::StatusOr<v1::ListRunsResponse> ListRuns(const v1::ListRunsRequest& request);
  absl::StatusOr<v1::CancelRunResponse> CancelRun(const v1::CancelRunRequest& request);
  absl::StatusOr<v1::ListPlansResponse> ListPlans(const v1::ListPlansRequest& request);
  absl::StatusOr<v1::ListMachinesResponse> ListMachines(const v1::ListMachinesRequest& request);
  absl::StatusOr<v1::GetMachineResponse> GetMachine(const v1::GetMachineRequest& request);
  absl::StatusOr<v1::SetQuarantineResponse> SetQuarantine(const v1::SetQuarantineRequest& request);
  absl::StatusOr<v1::ReleaseQuarantineResponse> ReleaseQuarantine(const v1::ReleaseQuarantineRequest& request);
  absl::StatusOr<v1::ListArtifactsResponse> ListArtifacts(const v1::ListArtifactsRequest& request);
  absl::StatusOr<v1::CreateTokenResponse> CreateToken(const v1::CreateTokenRequest& request);

  std::unique_ptr<Watch> WatchRun(const std::string& run_id);

  // Streams: `take` gets what comes, in order; its error ends the call and is returned.
  using TakeBytes = std::function<absl::Status(absl::string_view data)>;
  absl::Status ReadLog(const v1::ReadLogRequest& request, const std::function<absl::Status(const v1::LogChunk&)>& take);
  absl::Status ReadArtifact(const v1::ReadArtifactRequest& request, const TakeBytes& take);
  absl::Status GetReport(const v1::GetReportRequest& request, const TakeBytes& take);

  // Calls give up after this long. For completion, which must not keep a shell waiting.
  void SetDeadline(std::chrono::milliseconds deadline) { deadline_ = deadline; }

 private:
  struct Connection;

  const Endpoint endpoint_;
  std::chrono::milliseconds deadline_{20'000};
  std::unique_ptr<Connection> connection_;
};

}  // namespace muster::cli

#endif  // MUSTER_CLI_CLIENT_H_
