#include "suites/sdk/terminal_report.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/units.h"

namespace muster::sdk {
namespace {

std::string InWords(const MeasurementRecord& measurement) {
  if (const auto* text = std::get_if<std::string>(&measurement.value)) return *text;
  if (const auto* truth = std::get_if<bool>(&measurement.value)) return *truth ? "yes" : "no";
  const double number = std::get<double>(measurement.value);
  if (absl::EndsWith(measurement.name, ".share")) return absl::StrFormat("%.1f %%", 100 * number);
  return base::FormatQuantity(number, measurement.unit == "1" ? "" : measurement.unit);
}

}  // namespace

void TerminalReport::RunStart() {
  for (const v1::Device& device : environment_.devices) {
    absl::FPrintF(out_, "[  DEVICE  ] %s %s %s\n", device.pci_address(), device.model(), device.id());
  }
  if (environment_.devices.empty()) absl::FPrintF(out_, "[  DEVICE  ] no GPU found\n");
}

void TerminalReport::Measure(const MeasurementRecord& measurement) {
  std::string where = measurement.subcomponent.empty() ? "" : absl::StrCat(" (", measurement.subcomponent, ")");
  if (environment_.devices.size() > 1 && !measurement.device_id.empty())
    absl::StrAppend(&where, " ", measurement.device_id);
  absl::FPrintF(out_, "[ MEASURE  ]   %-36s %s%s\n", measurement.name, InWords(measurement), where);
  std::fflush(out_);
}

void TerminalReport::Diagnose(const DiagnosisRecord& diagnosis) {
  // GoogleTest prints failures and whole skips.
  if (diagnosis.verdict == "device-skipped") Log(Severity::kInfo, diagnosis.message);
}

void TerminalReport::Log(Severity severity, const std::string& message) {
  const char* word = severity == Severity::kInfo ? "NOTE" : severity == Severity::kWarning ? "WARNING" : "ERROR";
  absl::FPrintF(out_, "[ %-8s ]   %s\n", word, message);
  std::fflush(out_);
}

}  // namespace muster::sdk
