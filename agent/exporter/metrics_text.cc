#include "agent/exporter/metrics_text.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/strip.h"
#include "base/prometheus_text.h"
#include "base/telemetry_field.h"

namespace muster::agent {
namespace {

using base::MetricType;
using base::PrometheusFamily;
using base::PrometheusLabels;

struct Gpu {
  std::string labels;
  const DeviceSnapshot* snapshot = nullptr;
  const v1::DeviceSample* sample = nullptr;  // Null: there is none of now.
};

// "VENDOR_NVIDIA" with "VENDOR_": "NVIDIA".
std::string Short(const std::string& name, absl::string_view prefix) {
  return std::string(absl::StripPrefix(name, prefix));
}

std::string VendorName(v1::Vendor vendor) { return absl::AsciiStrToLower(Short(v1::Vendor_Name(vendor), "VENDOR_")); }
std::string SeverityName(v1::EventSeverity severity) {
  return absl::AsciiStrToLower(Short(v1::EventSeverity_Name(severity), "EVENT_SEVERITY_"));
}
std::string StateName(v1::HealthState state) { return Short(v1::HealthState_Name(state), "HEALTH_STATE_"); }

std::vector<Gpu> Gpus(const MonitorSnapshot& snapshot, const AgentFacts& facts) {
  std::vector<Gpu> gpus;
  for (const DeviceSnapshot& seen : snapshot.devices) {
    const v1::Device& device = *seen.device;
    Gpu& gpu = gpus.emplace_back();
    gpu.snapshot = &seen;
    gpu.sample = CurrentSample(seen, facts);
    gpu.labels = PrometheusLabels({{"machine", facts.machine},
                                   {"gpu", std::to_string(gpus.size() - 1)},
                                   {"uuid", device.uuid()},
                                   {"pci", device.pci_address()},
                                   {"vendor", VendorName(device.vendor())},
                                   {"model", device.model()}});
    if (device.simulated()) base::AppendPrometheusLabel(gpu.labels, "simulated", "true");
  }
  return gpus;
}

void AppendInfo(std::string& out, const std::vector<Gpu>& gpus) {
  PrometheusFamily info(out, "muster_gpu_info", MetricType::kGauge, "The GPUs of the machine; always 1.");
  for (const Gpu& gpu : gpus) {
    const v1::Device& device = *gpu.snapshot->device;
    info.Add(gpu.labels,
             PrometheusLabels({{"driver_version", device.driver_version()},
                               {"vbios_version", device.vbios_version()},
                               {"firmware_version", device.firmware_version()},
                               {"serial", device.serial()},
                               {"device_id", device.id()}}),
             1);
  }
}

void AppendField(std::string& out, const std::vector<Gpu>& gpus, const base::TelemetryFieldInfo& info) {
  PrometheusFamily family(out, info.metric, info.counter ? MetricType::kCounter : MetricType::kGauge, info.help);
  for (const Gpu& gpu : gpus) {
    if (gpu.sample == nullptr) continue;
    std::set<std::string> seen;  // Prometheus refuses a page that says one thing twice.
    for (const v1::Reading& reading : gpu.sample->readings()) {
      if (reading.field() != info.field || !reading.has_value()) continue;
      std::string labels;
      for (int i = 0; i < static_cast<int>(info.labels.size()); ++i) {
        base::AppendPrometheusLabel(labels, info.labels[i], i < reading.labels_size() ? reading.labels(i) : "");
      }
      if (seen.insert(labels).second) family.Add(gpu.labels, labels, reading.value());
    }
  }
}

// Why a field has no value at all on a device; nothing when it has one. What no GPU of the vendor has is in no sample.
std::optional<v1::Absence> AbsenceOf(const v1::DeviceSample& sample, v1::TelemetryField field) {
  std::optional<v1::Absence> absence;
  for (const v1::Reading& reading : sample.readings()) {
    if (reading.field() != field) continue;
    if (reading.has_value()) return std::nullopt;
    absence = std::max(absence.value_or(v1::ABSENCE_UNSPECIFIED), reading.absence());
  }
  return absence.value_or(v1::ABSENCE_UNSUPPORTED);
}

// Of a sample that is too old every field is failing that had a value.
void AppendAbsences(std::string& out, const std::vector<Gpu>& gpus) {
  PrometheusFamily family(out, "muster_gpu_reading_absent", MetricType::kGauge,
                          "1 for each field that the GPU gives no value of, and why.");
  for (const Gpu& gpu : gpus) {
    const v1::DeviceSample* const newest = gpu.snapshot->sample;
    if (newest == nullptr) continue;
    std::set<v1::TelemetryField> valued;
    for (const v1::Reading& reading : newest->readings()) {
      if (reading.has_value()) valued.insert(reading.field());
    }
    for (const base::TelemetryFieldInfo& info : base::TelemetryFields()) {
      std::optional<v1::Absence> absence = AbsenceOf(*newest, info.field);
      if (gpu.sample == nullptr && valued.contains(info.field)) absence = v1::ABSENCE_FAILING;
      if (!absence.has_value()) continue;
      family.Add(gpu.labels, PrometheusLabels({{"field", info.name}, {"reason", base::AbsenceName(*absence)}}), 1);
    }
  }
}

void AppendSampleTimes(std::string& out, const std::vector<Gpu>& gpus) {
  PrometheusFamily family(out, "muster_gpu_last_sample_timestamp_seconds", MetricType::kGauge,
                          "When the GPU was last read.");
  for (const Gpu& gpu : gpus) {
    if (gpu.snapshot->sample == nullptr) continue;
    family.Add(gpu.labels, static_cast<double>(gpu.snapshot->sample->time_unix_ms()) / 1e3);
  }
}

void AddConditions(PrometheusFamily& family, const std::string& owner,
                   const google::protobuf::RepeatedPtrField<v1::HealthCondition>& conditions) {
  std::set<std::pair<std::string, v1::HealthState>> seen;
  for (const v1::HealthCondition& condition : conditions) {
    if (!seen.emplace(condition.code(), condition.state()).second) continue;
    family.Add(owner, PrometheusLabels({{"code", condition.code()}, {"state", StateName(condition.state())}}), 1);
  }
}

void AppendHealth(std::string& out, const std::vector<Gpu>& gpus) {
  PrometheusFamily status(out, "muster_gpu_health_status", MetricType::kGauge,
                          "How the GPU is: 1 for one of the states, 0 for the others.");
  std::string conditions_text;
  PrometheusFamily conditions(conditions_text, "muster_gpu_health_condition", MetricType::kGauge,
                              "1 while the condition stands that keeps the GPU from being healthy.");
  for (const Gpu& gpu : gpus) {
    v1::HealthState is = gpu.snapshot->health->state();
    if (is == v1::HEALTH_STATE_UNSPECIFIED) is = v1::HEALTH_STATE_UNKNOWN;
    for (const v1::HealthState state :
         {v1::HEALTH_STATE_HEALTHY, v1::HEALTH_STATE_DEGRADED, v1::HEALTH_STATE_FAILED, v1::HEALTH_STATE_UNKNOWN}) {
      status.Add(gpu.labels, PrometheusLabels({{"state", StateName(state)}}), state == is ? 1 : 0);
    }
    AddConditions(conditions, gpu.labels, gpu.snapshot->health->conditions());
  }
  out += conditions_text;
}

void AppendEvents(std::string& out, const std::vector<Gpu>& gpus, const MonitorSnapshot& snapshot,
                  const std::string& machine_label) {
  std::map<std::string, const Gpu*> by_id;
  for (const Gpu& gpu : gpus) by_id.emplace(gpu.snapshot->device->id(), &gpu);
  // Events of a device that is no longer of the machine are the machine's.
  std::map<std::tuple<const Gpu*, std::string, v1::EventSeverity>, uint64_t> counts;
  for (const EventCount& event : snapshot.event_counts) {
    const auto found = by_id.find(event.device_id);
    counts[{found == by_id.end() ? nullptr : found->second, event.code, event.severity}] += event.count;
  }
  std::string machine_text;
  PrometheusFamily of_gpu(out, "muster_gpu_events_total", MetricType::kCounter,
                          "What happened to the GPU, by code of the event catalogue.");
  PrometheusFamily of_machine(machine_text, "muster_machine_events_total", MetricType::kCounter,
                              "What happened on the machine and could not be told of one GPU.");
  for (const auto& [key, count] : counts) {
    const auto& [gpu, code, severity] = key;
    PrometheusFamily& family = gpu != nullptr ? of_gpu : of_machine;
    family.Add(gpu != nullptr ? gpu->labels : machine_label,
               PrometheusLabels({{"code", code}, {"severity", SeverityName(severity)}}), static_cast<double>(count));
  }
  out += machine_text;
}

constexpr std::pair<SamplerStatus::State, std::string_view> kSamplerStates[] = {
    {SamplerStatus::State::kAbsent, "absent"},
    {SamplerStatus::State::kStarting, "starting"},
    {SamplerStatus::State::kRunning, "running"},
    {SamplerStatus::State::kHung, "hung"},
    {SamplerStatus::State::kBroken, "broken"}};

void AppendSamplers(std::string& out, const std::vector<SamplerSnapshot>& samplers, const std::string& machine_label) {
  std::string hangs_text, crashes_text, turns_text, durations_text;
  PrometheusFamily states(out, "muster_agent_sampler_state", MetricType::kGauge,
                          "How the reader of a vendor's GPUs is: 1 for one of the states, 0 for the others.");
  PrometheusFamily hangs(hangs_text, "muster_agent_sampler_hangs_total", MetricType::kCounter,
                         "Calls into the driver that did not return.");
  PrometheusFamily crashes(crashes_text, "muster_agent_sampler_crashes_total", MetricType::kCounter,
                           "Times that the reader ended by itself.");
  PrometheusFamily turns(turns_text, "muster_agent_sampler_turns_total", MetricType::kCounter,
                         "Times that all GPUs of the vendor were read.");
  PrometheusFamily durations(durations_text, "muster_agent_sample_duration_seconds", MetricType::kGauge,
                             "How long reading them last took.");
  for (const SamplerSnapshot& sampler : samplers) {
    std::string labels = machine_label;
    base::AppendPrometheusLabel(labels, "sampler", sampler.status.kind == SamplerKind::kNvml ? "nvml" : "intel");
    for (const auto& [state, state_name] : kSamplerStates) {
      states.Add(labels, PrometheusLabels({{"state", state_name}}), state == sampler.status.state ? 1 : 0);
    }
    hangs.Add(labels, static_cast<double>(sampler.status.hangs));
    crashes.Add(labels, static_cast<double>(sampler.status.crashes));
    turns.Add(labels, static_cast<double>(sampler.status.samples));
    if (sampler.status.samples > 0) durations.Add(labels, static_cast<double>(sampler.last_duration_us) / 1e6);
  }
  out.append(hangs_text).append(crashes_text).append(turns_text).append(durations_text);
}

void AppendAgent(std::string& out, const AgentFacts& facts, const std::string& machine_label) {
  PrometheusFamily(out, "muster_agent_info", MetricType::kGauge, "The agent; always 1.")
      .Add(machine_label, PrometheusLabels({{"version", facts.version}}), 1);
  PrometheusFamily(out, "muster_agent_connected", MetricType::kGauge, "1 while the agent is connected.")
      .Add(machine_label, facts.connected ? 1 : 0);
  PrometheusFamily(out, "muster_agent_jobs_running", MetricType::kGauge, "Jobs that run on the machine.")
      .Add(machine_label, static_cast<double>(facts.jobs_running));
  const ProcessStats& process = facts.process;
  if (process.resident_bytes > 0) {
    PrometheusFamily(out, "process_resident_memory_bytes", MetricType::kGauge, "Memory of the agent that is resident.")
        .Add("", static_cast<double>(process.resident_bytes));
  }
  PrometheusFamily(out, "process_cpu_seconds_total", MetricType::kCounter, "Processor time of the agent.")
      .Add("", process.cpu_seconds);
  PrometheusFamily(out, "process_start_time_seconds", MetricType::kGauge, "When the agent started.")
      .Add("", static_cast<double>(process.start_unix_ms) / 1e3);
}

}  // namespace

const v1::DeviceSample* CurrentSample(const DeviceSnapshot& device, const AgentFacts& facts) {
  return device.sample_age_ms <= facts.stale_after_ms ? device.sample : nullptr;
}

std::string MetricsText(const MonitorSnapshot& snapshot, const AgentFacts& facts) {
  const std::string machine_label = PrometheusLabels({{"machine", facts.machine}});
  const std::vector<Gpu> gpus = Gpus(snapshot, facts);
  std::string out;
  AppendInfo(out, gpus);
  for (const base::TelemetryFieldInfo& info : base::TelemetryFields()) AppendField(out, gpus, info);
  AppendAbsences(out, gpus);
  AppendSampleTimes(out, gpus);
  AppendHealth(out, gpus);
  AppendEvents(out, gpus, snapshot, machine_label);
  if (snapshot.health != nullptr) {
    PrometheusFamily conditions(out, "muster_machine_condition", MetricType::kGauge,
                                "1 while the condition of the machine stands.");
    AddConditions(conditions, machine_label, snapshot.health->machine_conditions());
  }
  AppendSamplers(out, snapshot.samplers, machine_label);
  AppendAgent(out, facts, machine_label);
  return out;
}

}  // namespace muster::agent
