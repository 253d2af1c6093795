// absl::Status as gRPC's: the codes are the same numbers.
#ifndef MUSTER_COORDINATOR_API_GRPC_STATUS_H_
#define MUSTER_COORDINATOR_API_GRPC_STATUS_H_

#include <grpcpp/support/status.h>

#include <string>

#include "absl/status/status.h"

namespace muster::coordinator {

inline grpc::Status ToGrpc(const absl::Status& status) {
  if (status.ok()) return grpc::Status::OK;
  return grpc::Status(static_cast<grpc::StatusCode>(status.code()), std::string(status.message()));
}

// When the workers' queue is full.
inline absl::Status BusyStatus() {
  return absl::ResourceExhaustedError("the coordinator has too many requests to answer; try again in a moment");
}

}  // namespace muster::coordinator

#endif  // MUSTER_COORDINATOR_API_GRPC_STATUS_H_
