#include "agent/executor/process_executor.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <utility>

#include "agent/executor/job_environment.h"
#include "agent/executor/suite_state.h"
#include "base/digest.h"
#include "base/file.h"
#include "base/log.h"
#include "base/manifest.h"
#include "base/names.h"
#include "base/parameter.h"
#include "base/status_macros.h"
#include "base/text.h"

namespace muster::agent {
namespace {

constexpr size_t kIdentityLength = 16;
constexpr int kMaxCases = 4096;

std::optional<std::string> OwnVariable(const std::string& name) {
  const char* const value = std::getenv(name.c_str());
  return value == nullptr ? std::nullopt : std::optional<std::string>(value);
}

// "r-abc/3", attempt 1, epoch 7: "r-abc-3-1-7"; fit for file and group names.
std::string FolderName(const v1::JobRef& ref) {
  std::string name = base::Text(ref.job_id().substr(0, 100), "-", ref.attempt(), "-", ref.epoch());
  for (char& c : name) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
    if (!plain) c = '-';
  }
  return name;
}

bool MayEnter(const base::Subprocess::User& user, const struct stat& folder) {
  if (user.uid == 0) return true;
  if (folder.st_uid == user.uid) return (folder.st_mode & S_IXUSR) != 0;
  const bool in_group = folder.st_gid == user.gid ||
                        std::find(user.groups.begin(), user.groups.end(), folder.st_gid) != user.groups.end();
  return (folder.st_mode & (in_group ? S_IXGRP : S_IXOTH)) != 0;
}

// Said at the start, and not by each job's program that cannot reach its own folder.
absl::Status CheckReachable(const base::Subprocess::User& user, const std::string& name,
                            const std::filesystem::path& folder) {
  for (std::filesystem::path at = folder;; at = at.parent_path()) {
    struct stat info {};
    if (stat(at.c_str(), &info) != 0) return base::ErrnoStatus(errno, base::Text("cannot stat ", at.string()));
    if (!MayEnter(user, info)) {
      return absl::PermissionDeniedError(base::Text("suite programs run as ", name, ", who may not enter ", at.string(),
                                                    " and so cannot reach ", folder.string(), "; chmod o+x ",
                                                    at.string()));
    }
    if (at == at.parent_path()) return absl::OkStatus();
  }
}

// The cases asked for, in the order asked for. All of them are checked against the manifest.
absl::StatusOr<std::vector<CaseBook::Requested>> FindCases(const v1::SuiteManifest& manifest, const v1::JobSpec& spec) {
  if (spec.cases().empty())
    return absl::InvalidArgumentError(base::Text("no case of suite ", spec.suite(), " is named"));
  if (spec.cases_size() > kMaxCases)
    return absl::InvalidArgumentError(base::Text("more than ", kMaxCases, " cases are named"));
  std::vector<CaseBook::Requested> requested;
  for (const std::string& name : spec.cases()) {
    const auto found = std::find_if(manifest.cases().begin(), manifest.cases().end(),
                                    [&name](const v1::Case& one) { return one.name() == name; });
    if (found == manifest.cases().end()) {
      return absl::NotFoundError(base::Text("suite ", manifest.name(), " ", manifest.version(),
                                            " on this machine has no case ", base::Quoted(name)));
    }
    if (found->destructive() && !spec.destructive()) {
      return absl::InvalidArgumentError(
          base::Text("case ", name, " is destructive, and the request does not say that such may run"));
    }
    const bool twice = std::any_of(requested.begin(), requested.end(),
                                   [&name](const CaseBook::Requested& one) { return one.name == name; });
    if (twice) return absl::InvalidArgumentError(base::Text("case ", name, " is named twice"));
    requested.push_back({.name = name,
                         .time_limit_ms = base::CaseTimeLimitMs(manifest, *found),
                         .needs_gpu_work = found->needs_gpu_work()});
  }
  return requested;
}

bool Names(const v1::JobSpec& spec, const v1::Case& one) {
  return std::find(spec.cases().begin(), spec.cases().end(), one.name()) != spec.cases().end();
}

int64_t JobLimitMs(const v1::SuiteManifest& manifest, const v1::JobSpec& spec) {
  std::vector<const v1::Case*> cases;
  for (const v1::Case& one : manifest.cases()) {
    if (Names(spec, one)) cases.push_back(&one);
  }
  return base::JobTimeLimitMs(manifest, cases);
}

}  // namespace

absl::StatusOr<std::unique_ptr<ProcessExecutor>> ProcessExecutor::Create(Options options, base::EventLoop* loop,
                                                                         MachineSource machine) {
  std::unique_ptr<ProcessExecutor> executor(new ProcessExecutor(std::move(options), loop, std::move(machine)));
  RETURN_IF_ERROR(executor->Prepare());
  return executor;
}

ProcessExecutor::ProcessExecutor(Options options, base::EventLoop* loop, MachineSource machine)
    : options_(std::move(options)),
      loop_(*loop),
      machine_(std::move(machine)),
      shared_(std::make_shared<Shared>()),
      suites_(SuiteCatalogue::Load(options_.suites_folder)) {
  shared_->executor = this;
}

absl::Status ProcessExecutor::Prepare() {
  // Programs running as another user must get through to their folders, and not list them.
  RETURN_IF_ERROR(base::MakeFolders(options_.work_folder, 0711));
  std::error_code error;
  const std::string canonical = std::filesystem::canonical(options_.work_folder, error).string();
  if (error) return absl::InternalError(base::Text("cannot resolve ", options_.work_folder, ": ", error.message()));
  enclosures_ =
      std::make_unique<Enclosures>(base::Sha256Hex(canonical).substr(0, kIdentityLength), options_.enclosure_means);
  if (const int killed = enclosures_->KillLeftovers(); killed > 0) {
    base::LogWarning("killed ", killed, " groups or processes of jobs that an earlier life of this agent left running");
  }
  for (const auto& entry : std::filesystem::directory_iterator(canonical, error)) {
    std::error_code ignored;
    std::filesystem::remove_all(entry.path(), ignored);
  }
  if (options_.run_as_user.empty()) return absl::OkStatus();
  ASSIGN_OR_RETURN(user_, base::FindUser(options_.run_as_user));
  if (geteuid() == 0 || user_->uid == geteuid()) {
    RETURN_IF_ERROR(CheckReachable(*user_, options_.run_as_user, canonical));
    return CheckReachable(*user_, options_.run_as_user, std::filesystem::absolute(options_.suites_folder));
  }
  return absl::PermissionDeniedError(
      base::Text("suite programs cannot run as ", options_.run_as_user, ": the agent is not root"));
}

ProcessExecutor::~ProcessExecutor() {
  shared_->sink = nullptr;
  shared_->executor = nullptr;
  for (auto& [key, job] : jobs_) job->Kill();
  jobs_.clear();
}

void ProcessExecutor::SetSink(EventSink sink) { shared_->sink = std::move(sink); }

ProcessExecutor::Key ProcessExecutor::KeyOf(const v1::JobRef& ref) {
  return {ref.job_id(), ref.attempt(), ref.epoch()};
}

absl::Status ProcessExecutor::Start(const v1::JobRef& ref, const v1::JobSpec& spec) {
  if (jobs_.contains(KeyOf(ref))) return absl::AlreadyExistsError(base::Text("job ", ref.job_id(), " runs already"));
  ASSIGN_OR_RETURN(JobPlan plan, MakePlan(ref, spec));
  const std::string name = FolderName(ref);
  const std::string folder = plan.folder;
  absl::StatusOr<std::unique_ptr<Enclosure>> enclosure = enclosures_->Create(name, plan.manifest.memory_limit_bytes());
  absl::Status status = enclosure.status();
  if (status.ok()) {
    auto deliver = [shared = shared_, ref](v1::Event event) {
      const bool last = event.has_job_finished();
      if (shared->sink) shared->sink(ref, std::move(event));
      // The thread has posted its last: joining it does not wait. Not from within the job's own delivery, though.
      if (!last || shared->executor == nullptr) return;
      shared->executor->loop_.Post([shared, key = KeyOf(ref)] {
        if (shared->executor != nullptr) shared->executor->jobs_.erase(key);
      });
    };
    auto job = RunningJob::Start(std::move(plan), *std::move(enclosure), &loop_, std::move(deliver));
    status = job.status();
    if (status.ok()) jobs_.emplace(KeyOf(ref), *std::move(job));
  }
  if (status.ok()) return status;
  std::error_code ignored;
  std::filesystem::remove_all(folder, ignored);
  // The request was in order: whatever the code, it is no refusal.
  return absl::UnavailableError(std::string(status.message()));
}

void ProcessExecutor::Cancel(const v1::JobRef& ref, std::string_view reason) {
  const auto found = jobs_.find(KeyOf(ref));
  if (found != jobs_.end()) found->second->Cancel(reason);
}

absl::StatusOr<std::vector<v1::Device>> ProcessExecutor::FindDevices(const v1::SuiteManifest& manifest,
                                                                     const v1::JobSpec& spec,
                                                                     const v1::Machine& machine) const {
  std::vector<v1::Device> devices;
  for (const std::string& id : spec.device_ids()) {
    const auto found = std::find_if(machine.devices().begin(), machine.devices().end(),
                                    [&id](const v1::Device& device) { return device.id() == id; });
    if (found == machine.devices().end()) {
      return absl::NotFoundError(base::Text("this machine has no device ", base::Quoted(id)));
    }
    devices.push_back(*found);
  }
  for (const v1::Case& one : manifest.cases()) {
    if (!Names(spec, one)) continue;
    const v1::DeviceScope scope = base::ScopeOf(manifest, one);
    const char* const takes = scope == v1::DEVICE_SCOPE_ONE && devices.size() != 1    ? "one device"
                              : scope == v1::DEVICE_SCOPE_MACHINE && !devices.empty() ? "no device"
                              : scope == v1::DEVICE_SCOPE_ALL && devices.empty()      ? "devices"
                                                                                      : nullptr;
    if (takes == nullptr) continue;
    return absl::InvalidArgumentError(base::Text("case ", one.name(), " of suite ", manifest.name(), " takes ", takes,
                                                 ", the request has ", devices.size()));
  }
  return devices;
}

absl::StatusOr<JobPlan> ProcessExecutor::MakePlan(const v1::JobRef& ref, const v1::JobSpec& spec) const {
  const v1::SuiteManifest* const manifest = suites_.Find(spec.suite());
  if (manifest == nullptr)
    return absl::NotFoundError(base::Text("this machine has no suite ", base::Quoted(spec.suite())));
  if (!spec.suite_version().empty() && spec.suite_version() != manifest->version()) {
    return absl::InvalidArgumentError(base::Text("suite ", spec.suite(), " has version ", manifest->version(),
                                                 " on this machine, the request was made for ",
                                                 base::Quoted(spec.suite_version())));
  }
  const v1::Machine machine = machine_();
  JobPlan plan{.manifest = *manifest};
  ASSIGN_OR_RETURN(plan.cases, FindCases(*manifest, spec));
  ASSIGN_OR_RETURN(plan.devices, FindDevices(*manifest, spec, machine));
  ASSIGN_OR_RETURN(google::protobuf::Struct parameters, base::ResolveParameters(*manifest, spec.parameters()));
  plan.job_limit_ms = JobLimitMs(*manifest, spec);
  plan.grace_ms = base::TerminationGraceMs(*manifest);
  RETURN_IF_ERROR(MakeFolders(plan, FolderName(ref)));
  ASSIGN_OR_RETURN(const std::string state_folder,
                   MakeSuiteState(options_.suite_state_folder, manifest->name(), user_));
  const JobEnvironment environment{.manifest = manifest,
                                   .spec = &spec,
                                   .machine = &machine,
                                   .devices = plan.devices,
                                   .parameters = std::move(parameters),
                                   .artifact_folder = plan.artifact_folder,
                                   .state_folder = state_folder,
                                   .junit_file = plan.junit_file,
                                   .root = options_.root,
                                   .pass = options_.pass_environment};
  plan.program.program = suites_.ProgramOf(*manifest);
  plan.program.arguments = JobArguments(*manifest, spec, plan.junit_file);
  plan.program.environment = environment.Build(OwnVariable);
  plan.program.working_directory = suites_.FolderOf(*manifest);
  plan.program.user = user_;
  return plan;
}

// FOLDER/artifacts and FOLDER/results, the program's to write; FOLDER itself is not.
absl::Status ProcessExecutor::MakeFolders(JobPlan& plan, const std::string& name) const {
  std::error_code error;
  const std::string work = std::filesystem::canonical(options_.work_folder, error).string();
  if (error) return absl::UnavailableError(base::Text("cannot use ", options_.work_folder, ": ", error.message()));
  plan.folder = base::JoinPath(work, name);
  plan.artifact_folder = base::JoinPath(plan.folder, "artifacts");
  const std::string results = base::JoinPath(plan.folder, "results");
  plan.junit_file = base::JoinPath(results, "junit.xml");
  for (const std::string& folder : {plan.folder, plan.artifact_folder, results}) {
    const absl::Status made = base::MakeFolders(folder, 0755);
    if (!made.ok()) return absl::UnavailableError(std::string(made.message()));
    const bool the_programs = folder != plan.folder && user_.has_value();
    if (the_programs && chown(folder.c_str(), user_->uid, user_->gid) != 0) {
      return absl::UnavailableError(base::Text("cannot give ", folder, " to ", options_.run_as_user));
    }
  }
  return absl::OkStatus();
}

}  // namespace muster::agent
