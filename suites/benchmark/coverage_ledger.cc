#include "suites/benchmark/coverage_ledger.h"

#include <cmath>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "base/file.h"
#include "base/status_macros.h"
#include "suites/sdk/outcome.h"

namespace muster::benchmark {
namespace {

constexpr char kHeader[] = "muster stress coverage 1";
constexpr size_t kMaxBytes = 64 << 10;
constexpr size_t kMaxKinds = 64;

// Fit for a file's name.
std::string FileName(const std::string& device_id) {
  std::string name = device_id.substr(0, 100);
  for (char& c : name) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
    if (!plain) c = '_';
  }
  return absl::StrCat("stress-", name, ".txt");
}

}  // namespace

absl::StatusOr<CoverageLedger> CoverageLedger::Open(const std::string& folder, const std::string& device_id) {
  if (folder.empty()) return CoverageLedger("");
  CoverageLedger ledger(base::JoinPath(folder, FileName(device_id)));
  const absl::StatusOr<std::string> text = base::ReadFile(ledger.path_, kMaxBytes);
  if (absl::IsNotFound(text.status())) return ledger;
  if (!text.ok()) return text.status();
  RETURN_IF_ERROR(ledger.Parse(*text));
  return ledger;
}

// A line for each kind: its name, seconds, next seed, with tabs between.
absl::Status CoverageLedger::Parse(const std::string& text) {
  const std::vector<std::string> lines = absl::StrSplit(text, '\n', absl::SkipEmpty());
  const auto broken = [this](const std::string& what) {
    return absl::DataLossError(
        absl::StrCat(path_, " is no ledger of stress coverage: ", what, "; remove it to begin anew"));
  };
  if (lines.empty() || lines[0] != kHeader) return broken("its first line is another");
  if (lines.size() > kMaxKinds + 1) return broken("too many lines");
  for (size_t i = 1; i < lines.size(); ++i) {
    const std::vector<std::string> parts = absl::StrSplit(lines[i], '\t');
    Entry entry;
    if (parts.size() != 3 || !absl::SimpleAtod(parts[1], &entry.seconds) || !std::isfinite(entry.seconds) ||
        entry.seconds < 0 || !absl::SimpleAtoi(parts[2], &entry.next_seed)) {
      return broken(absl::StrCat("line ", i + 1));
    }
    entries_[parts[0]] = entry;
  }
  return absl::OkStatus();
}

CoverageLedger::Entry& CoverageLedger::Of(const std::string& kind) {
  if (entries_.size() >= kMaxKinds && !entries_.contains(kind))
    throw sdk::ToolError(absl::StrCat("more than ", kMaxKinds, " kinds of stress in the ledger"));
  return entries_[kind];
}

absl::Status CoverageLedger::Save() const {
  if (path_.empty()) return absl::OkStatus();
  std::string text = absl::StrCat(kHeader, "\n");
  for (const auto& [kind, entry] : entries_) {
    absl::StrAppend(&text, kind, "\t", absl::StrFormat("%.3f", entry.seconds), "\t", entry.next_seed, "\n");
  }
  return base::WriteFileAtomic(path_, text);
}

}  // namespace muster::benchmark
