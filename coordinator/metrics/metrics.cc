#include "coordinator/metrics/metrics.h"

#include <prometheus/counter.h>
#include <prometheus/family.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <sstream>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "base/prometheus_text.h"
#include "coordinator/daemon/core_runner.h"

namespace muster::coordinator {
namespace {

using base::MetricType;
using prometheus::Histogram;

// Suites beyond these are counted together, so that no agent can grow a label set without bound.
constexpr size_t kMaxSuites = 256;
constexpr size_t kMaxDeviceKinds = 1'024;

Histogram& AddHistogram(prometheus::Registry& registry, const char* name, const char* help,
                        const Histogram::BucketBoundaries& bounds) {
  return prometheus::BuildHistogram().Name(name).Help(help).Register(registry).Add({}, bounds);
}

prometheus::Counter& AddCounter(prometheus::Registry& registry, const char* name, const char* help) {
  return prometheus::BuildCounter().Name(name).Help(help).Register(registry).Add({});
}

// "VENDOR_NVIDIA" with "VENDOR_": "nvidia".
std::string ShortName(absl::string_view name, absl::string_view prefix) {
  return absl::AsciiStrToLower(absl::StripPrefix(name, prefix));
}

// Families of the core's counts: written by hand, since the core already keeps them and a counter of prometheus-cpp
// cannot be set.
void AppendOne(std::string& out, const char* name, MetricType type, const char* help, uint64_t value) {
  base::PrometheusFamily(out, name, type, help).Add("", static_cast<double>(value));
}

void AppendCounts(std::string& out, const Core::Counts& counts) {
  AppendOne(out, "muster_machines", MetricType::kGauge, "Machines of the fleet.", counts.machines);
  AppendOne(out, "muster_machines_connected", MetricType::kGauge, "Machines whose agent is connected.",
            counts.machines_connected);
  AppendOne(out, "muster_runs_active", MetricType::kGauge, "Runs that go on.", counts.active_runs);
  base::PrometheusFamily jobs(out, "muster_jobs", MetricType::kGauge, "Jobs that are not finished, by state.");
  jobs.Add("state=\"queued\"", static_cast<double>(counts.jobs_queued));
  jobs.Add("state=\"leased\"", static_cast<double>(counts.jobs_leased));
  jobs.Add("state=\"running\"", static_cast<double>(counts.jobs_running));
  AppendOne(out, "muster_events_ingested_total", MetricType::kCounter, "Events of agents that were taken.",
            counts.events_ingested);
  AppendOne(out, "muster_measurements_ingested_total", MetricType::kCounter, "Measurements among them.",
            counts.measurements_ingested);
  AppendOne(out, "muster_events_duplicate_total", MetricType::kCounter, "Events that were already there, and dropped.",
            counts.events_duplicate);
  AppendOne(out, "muster_leases_lost_total", MetricType::kCounter, "Leases that no agent renewed in time.",
            counts.leases_lost);
}

}  // namespace

Metrics::Metrics()
    : registry_(std::make_unique<prometheus::Registry>()),
      cases_(prometheus::BuildCounter()
                 .Name("muster_cases_total")
                 .Help("Case results that came in, by suite and verdict.")
                 .Register(*registry_)),
      queue_seconds_(AddHistogram(*registry_, "muster_queue_seconds", "How long jobs waited for their lease.",
                                  {0.001, 0.01, 0.1, 1, 10, 60, 600, 3600})),
      commit_seconds_(AddHistogram(*registry_, "muster_store_commit_seconds", "How long a commit took.",
                                   {0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5})),
      batch_rows_(AddHistogram(*registry_, "muster_store_batch_rows", "Rows written by one commit.",
                               {1, 10, 100, 1'000, 10'000, 100'000})),
      commit_failures_(AddCounter(*registry_, "muster_store_failures_total", "Times that the store began to fail.")),
      agent_messages_(AddCounter(*registry_, "muster_agent_messages_total", "Messages that agents sent.")),
      agent_bytes_(AddCounter(*registry_, "muster_agent_received_bytes_total", "Bytes of those messages.")) {}

Metrics::~Metrics() = default;

void Metrics::Count(const Core::Counts& counts) {
  base::MutexLock lock(mutex_);
  counts_ = counts;
}

Core::Counts Metrics::counts() const {
  base::MutexLock lock(mutex_);
  return counts_;
}

void Metrics::Observe(const Observation& observation, int64_t now_unix_ms) {
  if (observation.measurement != nullptr) {
    series_.Measured(observation.machine, observation.device_id, observation.suite, *observation.measurement);
  }
  if (observation.result == nullptr) return;
  const v1::CaseResult& result = *observation.result;
  series_.Result(observation.machine, observation.device_id, observation.suite, result, now_unix_ms);
  std::string suite = observation.suite;
  {
    base::MutexLock lock(mutex_);
    if (suites_.size() < kMaxSuites) suites_.insert(suite);
    if (!suites_.contains(suite)) suite = "(other)";
  }
  const v1::Verdict verdict = result.verdict() != v1::VERDICT_UNSPECIFIED ? result.verdict() : result.outcome();
  const std::string name = v1::Verdict_IsValid(verdict) ? v1::Verdict_Name(verdict) : "UNKNOWN";
  cases_.Add({{"suite", suite}, {"verdict", name}}).Increment();
}

void Metrics::Committed(const WriteBatch& batch, double seconds) {
  commit_seconds_.Observe(seconds);
  batch_rows_.Observe(static_cast<double>(RowCount(batch)));
  for (const v1::Run& run : batch.runs) plans_.RunEnded(run);
  if (batch.attempts.empty()) return;
  std::map<std::string_view, int64_t> queued_unix_ms;
  for (const v1::Job& job : batch.jobs) queued_unix_ms.emplace(job.id(), job.queued_unix_ms());
  base::MutexLock lock(mutex_);
  for (const v1::Attempt& attempt : batch.attempts) NoteLease(attempt, queued_unix_ms);
}

// An attempt is written again and again; it waited once: when it first shows with its job beside it.
void Metrics::NoteLease(const v1::Attempt& attempt, const std::map<std::string_view, int64_t>& queued_unix_ms) {
  std::string key = absl::StrCat(attempt.ref().job_id(), "#", attempt.ref().attempt());
  if (attempt.fate() != v1::FATE_UNSPECIFIED) {
    leased_.erase(key);
    return;
  }
  const auto queued = queued_unix_ms.find(attempt.ref().job_id());
  if (attempt.ref().epoch() == 0 || attempt.started_unix_ms() != 0 || queued == queued_unix_ms.end() ||
      !leased_.insert(std::move(key)).second)
    return;
  queue_seconds_.Observe(static_cast<double>(std::max<int64_t>(attempt.granted_unix_ms() - queued->second, 0)) / 1e3);
}

void Metrics::StoreFailed() { commit_failures_.Increment(); }

void Metrics::AgentMessage(const std::string& machine, size_t bytes, int64_t now_unix_ms) {
  fleet_series_.Heard(machine, now_unix_ms);
  agent_messages_.Increment();
  agent_bytes_.Increment(static_cast<double>(bytes));
}

void Metrics::MachineChanged(const v1::MachineStatus& status) {
  fleet_series_.MachineChanged(status);
  const v1::Machine& machine = status.machine();
  std::vector<DeviceKind> kinds;
  for (const v1::Device& device : machine.devices()) {
    kinds.push_back({.vendor = ShortName(v1::Vendor_Name(device.vendor()), "VENDOR_"),
                     .model = device.model(),
                     .driver_state = ShortName(v1::DriverState_Name(device.driver_state()), "DRIVER_STATE_"),
                     .simulated = device.simulated()});
  }
  series_.SetMachine(machine);
  base::MutexLock lock(mutex_);
  std::vector<DeviceKind>& known = fleet_[machine.name()];
  for (const DeviceKind& kind : known) {
    if (--kinds_[kind] == 0) kinds_.erase(kind);
  }
  for (DeviceKind& kind : kinds) {
    if (kinds_.size() >= kMaxDeviceKinds && !kinds_.contains(kind)) kind.model = "(other)";
    ++kinds_[kind];
  }
  known = std::move(kinds);
}

void Metrics::AppendDevices(std::string& out) const {
  base::PrometheusFamily devices(out, "muster_devices", MetricType::kGauge,
                                 "GPUs of the fleet, by what they are and whether their driver serves them.");
  for (const auto& [kind, count] : kinds_) {
    devices.Add(
        base::PrometheusLabels({{"vendor", kind.vendor}, {"model", kind.model}, {"driver_state", kind.driver_state}}),
        kind.simulated ? "simulated=\"true\"" : "", static_cast<double>(count));
  }
}

std::string Metrics::Text() const {
  std::ostringstream registered;
  prometheus::TextSerializer().Serialize(registered, registry_->Collect());
  std::string out;
  out.reserve(last_bytes_);
  out.append(registered.str());
  {
    base::MutexLock lock(mutex_);
    AppendCounts(out, counts_);
    AppendDevices(out);
  }
  AppendOne(out, "muster_series_refused_total", MetricType::kCounter,
            "Results and measurements left out of these metrics because there were too many series.",
            series_.refused());
  fleet_series_.Write(out);
  plans_.Write(out);
  series_.Write(out);
  last_bytes_ = out.size() + out.size() / 64;
  return out;
}

}  // namespace muster::coordinator
