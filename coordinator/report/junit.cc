#include "coordinator/report/junit.h"

#include <cstdio>
#include <pugixml.hpp>
#include <sstream>

#include "absl/strings/str_cat.h"
#include "base/case_context.h"
#include "coordinator/report/printable.h"

namespace muster::coordinator {
namespace {

// Of one case; the rest is told as a number.
constexpr size_t kMaxMeasurementLines = 1'000;

struct Totals {
  int tests = 0, failures = 0, errors = 0, skipped = 0;

  void Add(const Totals& more) {
    tests += more.tests;
    failures += more.failures;
    errors += more.errors;
    skipped += more.skipped;
  }
};

void SetAttribute(pugi::xml_node node, const char* name, const std::string& value) {
  node.append_attribute(name).set_value(Printable(value).c_str());
}

std::string Seconds(int64_t milliseconds) {
  char buffer[32];
  snprintf(buffer, sizeof buffer, "%.3f", static_cast<double>(milliseconds) / 1e3);
  return buffer;
}

void SetText(pugi::xml_node node, const std::string& text) {
  node.append_child(pugi::node_pcdata).set_value(Printable(text).c_str());
}

void AddProperty(pugi::xml_node properties, const std::string& name, const std::string& value) {
  if (value.empty()) return;
  pugi::xml_node property = properties.append_child("property");
  SetAttribute(property, "name", name);
  SetAttribute(property, "value", value);
}

void AddDevice(pugi::xml_node properties, const std::string& prefix, const v1::Device& device) {
  AddProperty(properties, prefix + "id", device.id());
  AddProperty(properties, prefix + "model", device.model());
  AddProperty(properties, prefix + "pci_address", device.pci_address());
  AddProperty(properties, prefix + "serial", device.serial());
  AddProperty(properties, prefix + "driver_version", device.driver_version());
  AddProperty(properties, prefix + "vbios_version", device.vbios_version());
  AddProperty(properties, prefix + "firmware_version", device.firmware_version());
  if (device.simulated()) AddProperty(properties, prefix + "simulated", "true");
}

void AddProperties(pugi::xml_node suite, const RunReport& report, const ReportedJob& reported) {
  const v1::Job& job = *reported.job;
  pugi::xml_node properties = suite.append_child("properties");
  AddProperty(properties, "run", report.stored.run.id());
  AddProperty(properties, "plan", report.stored.run.plan().name());
  AddProperty(properties, "job", job.id());
  AddProperty(properties, "machine", job.machine());
  AddProperty(properties, "suite", job.spec().suite());
  AddProperty(properties, "suite_version", job.spec().suite_version());
  AddProperty(properties, "level", absl::StrCat(static_cast<int>(job.spec().level())));
  if (reported.attempt != nullptr) {
    AddProperty(properties, "attempt", absl::StrCat(reported.attempt->ref().attempt()));
    AddProperty(properties, "fate", FateName(reported.attempt->fate()));
    AddProperty(properties, "fate_detail", reported.attempt->detail());
  }
  const std::map<std::string, std::string> parameters(job.spec().parameters().begin(), job.spec().parameters().end());
  for (const auto& [name, value] : parameters) AddProperty(properties, "parameter." + name, value);
  if (const v1::Machine* machine = reported.machine; machine != nullptr) {
    AddProperty(properties, "os", machine->os());
    AddProperty(properties, "kernel", machine->kernel());
    AddProperty(properties, "agent_version", machine->agent_version());
    AddProperty(properties, "nixos_system", machine->nixos().system_closure());
    AddProperty(properties, "nixpkgs_revision", machine->nixos().nixpkgs_revision());
  }
  for (size_t i = 0; i < reported.devices.size(); ++i) {
    AddDevice(properties, absl::StrCat("device.", i, "."), *reported.devices[i]);
  }
}

std::string MeasurementLine(const v1::Measurement& one) {
  std::string line = one.name();
  if (one.has_series_index()) absl::StrAppend(&line, "[", one.series_index(), "]");
  absl::StrAppend(&line, " = ", ValueText(one), one.unit().empty() ? "" : " ", one.unit());
  if (!one.device_id().empty()) absl::StrAppend(&line, " on ", one.device_id());
  for (const v1::Validator& validator : one.validators()) {
    absl::StrAppend(&line, ", ", validator.type(), " ", validator.value_json());
  }
  if (!one.validators().empty()) line += one.valid() ? ": holds" : ": DOES NOT HOLD";
  return line + "\n";
}

void AddMeasurements(pugi::xml_node node, const std::vector<const v1::Measurement*>& measurements) {
  if (measurements.empty()) return;
  std::string lines;
  for (size_t i = 0; i < measurements.size() && i < kMaxMeasurementLines; ++i)
    lines += MeasurementLine(*measurements[i]);
  if (measurements.size() > kMaxMeasurementLines) {
    absl::StrAppend(&lines, "and ", measurements.size() - kMaxMeasurementLines, " more\n");
  }
  SetText(node.append_child("system-out"), lines);
}

std::string Details(const v1::CaseResult& result) {
  std::string details = result.reason();
  for (const v1::Diagnosis& diagnosis : result.diagnoses()) {
    absl::StrAppend(&details, "\n", v1::Diagnosis::Type_Name(diagnosis.type()), " ", diagnosis.verdict(), ": ",
                    diagnosis.message(), diagnosis.device_id().empty() ? "" : " on ", diagnosis.device_id());
  }
  for (const std::string& finding : result.findings()) absl::StrAppend(&details, "\nfinding: ", finding);
  for (const std::string& line : base::ContextLines(result.context())) absl::StrAppend(&details, "\nmeanwhile: ", line);
  return details;
}

void AddVerdict(pugi::xml_node test, const ReportedCase& one, Totals& totals) {
  ++totals.tests;
  const Outcome outcome = one.unfinished() ? Outcome::kSkipped : OutcomeOf(one.verdict());
  if (outcome == Outcome::kPassed) return;
  const bool failed = outcome == Outcome::kFailed;
  const bool skipped = outcome == Outcome::kSkipped;
  ++(skipped ? totals.skipped : failed ? totals.failures : totals.errors);
  pugi::xml_node element = test.append_child(skipped ? "skipped" : failed ? "failure" : "error");
  SetAttribute(element, "type", one.unfinished() ? "UNFINISHED" : VerdictName(one.verdict()));
  SetAttribute(element, "message", one.unfinished() ? "it has not ended yet" : one.result.reason());
  if (!skipped) SetText(element, Details(one.result));
}

pugi::xml_node AddTest(pugi::xml_node suite, const ReportedJob& reported, const std::string& name,
                       int64_t duration_ms) {
  pugi::xml_node test = suite.append_child("testcase");
  SetAttribute(test, "name", name);
  SetAttribute(test, "classname", reported.job->spec().suite());
  SetAttribute(test, "time", Seconds(duration_ms));
  return test;
}

Totals AddCases(pugi::xml_node suite, const ReportedJob& reported) {
  Totals totals;
  for (const ReportedCase& one : reported.cases) {
    pugi::xml_node test = AddTest(suite, reported, one.result.case_name(), one.result.duration_ms());
    AddVerdict(test, one, totals);
    AddMeasurements(test, one.measurements);
  }
  if (reported.cases.empty() && reported.broken()) {
    ReportedCase whole;
    whole.result.set_verdict(v1::ERROR);
    whole.result.set_reason(absl::StrCat(FateName(reported.attempt->fate()), ": ", reported.attempt->detail()));
    AddVerdict(AddTest(suite, reported, "(job)", 0), whole, totals);
  }
  return totals;
}

void SetTotals(pugi::xml_node node, const Totals& totals) {
  node.append_attribute("tests").set_value(totals.tests);
  node.append_attribute("failures").set_value(totals.failures);
  node.append_attribute("errors").set_value(totals.errors);
  node.append_attribute("skipped").set_value(totals.skipped);
}

void SetTimes(pugi::xml_node node, int64_t from_unix_ms, int64_t to_unix_ms) {
  if (from_unix_ms > 0) SetAttribute(node, "timestamp", Rfc3339(from_unix_ms));
  SetAttribute(node, "time", Seconds(from_unix_ms > 0 && to_unix_ms > from_unix_ms ? to_unix_ms - from_unix_ms : 0));
}

Totals AddSuite(pugi::xml_node root, const RunReport& report, const ReportedJob& reported) {
  pugi::xml_node suite = root.append_child("testsuite");
  SetAttribute(suite, "name", reported.title);
  SetAttribute(suite, "hostname", reported.job->machine());
  if (const v1::Attempt* attempt = reported.attempt; attempt != nullptr) {
    SetTimes(suite, attempt->started_unix_ms() ? attempt->started_unix_ms() : attempt->granted_unix_ms(),
             attempt->finished_unix_ms());
  }
  AddProperties(suite, report, reported);
  const Totals totals = AddCases(suite, reported);
  SetTotals(suite, totals);
  AddMeasurements(suite, reported.measurements);
  return totals;
}

}  // namespace

std::string JunitXml(const RunReport& report) {
  const v1::Run& run = report.stored.run;
  pugi::xml_document document;
  pugi::xml_node declaration = document.append_child(pugi::node_declaration);
  declaration.append_attribute("version").set_value("1.0");
  declaration.append_attribute("encoding").set_value("UTF-8");
  pugi::xml_node root = document.append_child("testsuites");
  SetAttribute(root, "name", absl::StrCat(run.plan().name(), " ", run.id()));
  SetTimes(root, run.created_unix_ms(), run.finished_unix_ms());
  Totals totals;
  for (const ReportedJob& job : ReportedJobs(report)) totals.Add(AddSuite(root, report, job));
  SetTotals(root, totals);
  std::ostringstream out;
  document.save(out, "  ", pugi::format_indent, pugi::encoding_utf8);
  return out.str();
}

}  // namespace muster::coordinator
