// The plans that the coordinator knows by name: NAME.textproto files in a folder, read anew at each use, so that an
// edited plan is the plan. Any thread.
#ifndef MUSTER_COORDINATOR_API_PLAN_FOLDER_H_
#define MUSTER_COORDINATOR_API_PLAN_FOLDER_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "muster/v1/plan.pb.h"

namespace muster::coordinator {

class PlanFolder {
 public:
  // Empty: there are no plans.
  explicit PlanFolder(std::string path) : path_(std::move(path)) {}

  // NotFound names the plans that there are; InvalidArgument says what is wrong with the file.
  absl::StatusOr<v1::Plan> Read(const std::string& name) const;
  // By name. What cannot be read is left out and, into `problems`, told in a sentence each.
  std::vector<v1::Plan> ReadAll(std::vector<std::string>& problems) const;

 private:
  std::vector<std::string> Names() const;

  const std::string path_;
};

}  // namespace muster::coordinator

#endif  // MUSTER_COORDINATOR_API_PLAN_FOLDER_H_
