#include "coordinator/api/plan_folder.h"

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/file.h"
#include "base/names.h"
#include "base/plan.h"
#include "base/status_macros.h"
#include "base/textproto.h"

namespace muster::coordinator {
namespace {

constexpr char kSuffix[] = ".textproto";
constexpr size_t kMaxPlans = 1'000;

}  // namespace

std::vector<std::string> PlanFolder::Names() const {
  std::vector<std::string> names;
  if (path_.empty()) return names;
  std::error_code error;
  for (std::filesystem::directory_iterator it(path_, error), end; !error && it != end && names.size() < kMaxPlans;
       it.increment(error)) {
    if (it->path().extension() == kSuffix && base::CheckPlanName(it->path().stem().string()).ok()) {
      names.push_back(it->path().stem().string());
    }
  }
  std::sort(names.begin(), names.end());
  return names;
}

absl::StatusOr<v1::Plan> PlanFolder::Read(const std::string& name) const {
  RETURN_IF_ERROR(base::CheckPlanName(name));
  const std::string path = base::JoinPath(path_, name + kSuffix);
  if (path_.empty() || !base::FileExists(path)) {
    const std::vector<std::string> names = Names();
    return absl::NotFoundError(
        absl::StrCat("the coordinator has no plan ", base::Quoted(name), "; it has ",
                     names.empty() ? "none: start it with --plans-dir" : absl::StrJoin(names, ", ")));
  }
  v1::Plan plan;
  RETURN_IF_ERROR(base::ReadTextProto(path, &plan));
  if (plan.name().empty()) plan.set_name(name);
  if (plan.name() != name) {
    return absl::InvalidArgumentError(absl::StrCat(path, ": the plan calls itself ", base::Quoted(plan.name()),
                                                   ", the file says ", base::Quoted(name), "; they must agree"));
  }
  if (const absl::Status valid = base::ValidatePlan(plan); !valid.ok()) {
    return absl::InvalidArgumentError(absl::StrCat(path, ": ", valid.message()));
  }
  return plan;
}

std::vector<v1::Plan> PlanFolder::ReadAll(std::vector<std::string>& problems) const {
  std::vector<v1::Plan> plans;
  for (const std::string& name : Names()) {
    absl::StatusOr<v1::Plan> plan = Read(name);
    if (plan.ok()) {
      plans.push_back(*std::move(plan));
    } else {
      problems.push_back(std::string(plan.status().message()));
    }
  }
  return plans;
}

}  // namespace muster::coordinator
