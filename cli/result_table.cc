#include "cli/result_table.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/case_context.h"
#include "base/units.h"
#include "cli/figures.h"
#include "cli/live_view.h"
#include "cli/run_model.h"
#include "cli/table.h"
#include "cli/text.h"

namespace muster::cli {
namespace {

// Measurements by job and case.
using Measured = std::map<std::pair<std::string, std::string>, std::vector<const v1::Measurement*>>;

Measured SortMeasurements(const v1::GetRunResponse& result) {
  Measured measured;
  for (const v1::JobMeasurements& group : result.measurements()) {
    for (const v1::Measurement& m : group.measurements()) measured[{group.job_id(), m.case_name()}].push_back(&m);
  }
  return measured;
}

// Builds the one table; knows how things are spelt, not which are shown.
class Builder {
 public:
  Builder(const DeviceNames& names, const Palette& palette, const ResultOptions& options)
      : names_(names),
        palette_(palette),
        options_(options),
        table_({{""}, {"", false, true}, {"", true}, {"", false, true}}, 2) {}

  void AddHeading(const std::string& text) {
    if (!table_.empty()) table_.AddLine("");
    table_.AddLine(text, Style::kBold);
  }
  void AddCase(const v1::Job& job, const v1::CaseResult& result) {
    const v1::Verdict verdict = VerdictOf(result);
    const bool ran = verdict != v1::SKIPPED || result.duration_ms() > 0;
    const std::string word = absl::StrCat(palette_.Symbol(verdict), " ", VerdictName(verdict));
    table_.AddRow({{FitLeft(word, kVerdictColumns), VerdictStyle(verdict)},
                   {absl::StrCat(Sanitize(job.spec().suite(), 64), "/", Sanitize(result.case_name(), 128))},
                   {ran ? base::FormatDuration(result.duration_ms()) : "", Style::kDim}});
  }
  void AddFigures(const std::vector<const v1::Measurement*>& measurements) {
    std::set<std::string> devices;
    for (const v1::Measurement* m : measurements) devices.insert(m->device_id());
    const std::vector<Figure> figures = MakeFigures(
        measurements, {.work = options_.all_figures, .name_devices = devices.size() > 1 ? &names_ : nullptr});
    const size_t shown = options_.all_figures ? figures.size() : std::min(figures.size(), ResultOptions::kMaxFigures);
    for (size_t i = 0; i < shown; ++i) {
      const Figure& f = figures[i];
      table_.AddRow({{""},
                     {absl::StrCat("  ", f.name)},
                     {f.value, f.valid ? Style::kAccent : Style::kBad},
                     {absl::StrCat(f.valid ? "" : palette_.Symbol(v1::FAILED), f.valid ? "" : " ", f.remark),
                      f.valid ? Style::kDim : Style::kBad}});
    }
    if (shown < figures.size())
      AddNote(absl::StrCat(figures.size() - shown, " more figures: muster show RUN --figures"), Style::kDim);
  }
  void AddNote(const std::string& text, Style style) {
    const size_t width = options_.width == 0 ? SIZE_MAX : std::max<size_t>(options_.width, 24) - kNoteIndent;
    for (const std::string& line : Wrap(text, width)) table_.AddLine(std::string(kNoteIndent, ' ') + line, style);
  }
  std::string Take() { return table_.Render(palette_, options_.width); }

 private:
  static constexpr size_t kVerdictColumns = 11;                       // As wide as "✓ TIMED_OUT".
  static constexpr size_t kNoteIndent = 2 + kVerdictColumns + 2 + 2;  // Under the names of figures.

  const DeviceNames& names_;
  const Palette& palette_;
  const ResultOptions& options_;
  Table table_;
};

std::string HeadingOf(const v1::Job& job, const DeviceNames& names) {
  std::string heading = Sanitize(job.machine(), 253);
  const std::vector<std::string> devices(job.spec().device_ids().begin(), job.spec().device_ids().end());
  if (devices.size() == 1) return absl::StrCat(heading, "  ", names.Long(devices.front()));
  if (!devices.empty()) return absl::StrCat(heading, "  ", names.Join(devices));
  return heading;
}

bool IsUnremarkable(v1::Verdict verdict) { return verdict == v1::PASSED || verdict == v1::SKIPPED; }

void AddJob(const v1::Job& job, const Measured& measured, bool brief, Builder& builder) {
  const std::vector<v1::CaseResult> results = CountingResults(job);
  for (size_t i = 0; i < results.size(); ++i) {
    const v1::CaseResult& result = results[i];
    const v1::Verdict verdict = VerdictOf(result);
    if (brief && IsUnremarkable(verdict)) continue;
    builder.AddCase(job, result);
    const auto it = measured.find({job.id(), result.case_name()});
    // One reason for several cases is said once, after the last of them, with what the device did meanwhile.
    const bool said_below = !result.reason().empty() && it == measured.end() && i + 1 < results.size() &&
                            VerdictOf(results[i + 1]) == verdict && results[i + 1].reason() == result.reason();
    if (said_below) continue;
    if (!result.reason().empty()) builder.AddNote(Sanitize(result.reason()), VerdictStyle(verdict));
    for (const std::string& line : base::ContextLines(result.context())) {
      builder.AddNote(absl::StrCat("meanwhile: ", Sanitize(line)), Style::kDim);
    }
    if (it != measured.end()) builder.AddFigures(it->second);
  }
}

// Jobs of one machine and device stand together, machines in the order of their names.
std::vector<const v1::Job*> SortJobs(const v1::GetRunResponse& result, const DeviceNames& names) {
  std::vector<std::pair<std::string, const v1::Job*>> keyed;
  for (const v1::Job& job : result.jobs()) keyed.emplace_back(HeadingOf(job, names), &job);
  std::stable_sort(keyed.begin(), keyed.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<const v1::Job*> jobs;
  for (const auto& [heading, job] : keyed) jobs.push_back(job);
  return jobs;
}

// Attempts whose machinery failed.
std::string MachineryLines(const v1::GetRunResponse& result, const Palette& palette) {
  v1::RunUpdate update;
  *update.mutable_run() = result.run();
  *update.mutable_jobs() = result.jobs();
  RunModel model;
  std::string out;
  for (const AttemptEnd& end : model.Apply(update, 0).attempts)
    absl::StrAppend(&out, palette.Paint(Style::kWarning, "machinery: "), end.text, "\n");
  return out;
}

std::string SummaryLines(const v1::GetRunResponse& result, const std::map<v1::Verdict, size_t>& counts,
                         const Palette& palette) {
  const v1::Run& run = result.run();
  std::string out = MachineryLines(result, palette);
  for (const std::string& note : run.notes()) absl::StrAppend(&out, "note: ", Sanitize(note), "\n");
  absl::StrAppend(&out, CountsLine(counts, palette), "\n");
  const std::string id = Sanitize(run.id(), 64);
  if (run.state() != v1::RUN_STATE_FINISHED) {
    return absl::StrCat(out, id, " goes on: ", run.jobs_finished(), " of ", run.jobs_total(), " jobs have ended\n");
  }
  absl::StrAppend(&out, palette.Paint(ColourStyle(run.colour()), ColourName(run.colour())), "  ",
                  Sanitize(run.plan().name(), 64), "  ", id);
  if (run.finished_unix_ms() > 0)
    absl::StrAppend(&out, "  ", base::FormatDuration(run.finished_unix_ms() - run.created_unix_ms()));
  if (run.cancel_requested())
    absl::StrAppend(&out, "  cancelled", run.cancelled_by().empty() ? "" : " by ", Sanitize(run.cancelled_by(), 64));
  return out + "\n";
}

}  // namespace

std::string RenderResult(const v1::GetRunResponse& result, const DeviceNames& names, const Palette& palette,
                         const ResultOptions& options) {
  std::map<v1::Verdict, size_t> counts;
  size_t total = 0;
  for (const v1::Job& job : result.jobs()) {
    for (const v1::CaseResult& r : CountingResults(job)) ++counts[VerdictOf(r)], ++total;
  }
  const bool brief = !options.all && total > ResultOptions::kBriefAbove;
  const Measured measured = SortMeasurements(result);
  Builder builder(names, palette, options);
  std::string heading;
  for (const v1::Job* job : SortJobs(result, names)) {
    const std::vector<v1::CaseResult> results = CountingResults(*job);
    const bool shown = std::any_of(results.begin(), results.end(),
                                   [&](const auto& r) { return !brief || !IsUnremarkable(VerdictOf(r)); });
    if (!shown) continue;
    if (HeadingOf(*job, names) != heading) builder.AddHeading(heading = HeadingOf(*job, names));
    AddJob(*job, measured, brief, builder);
  }
  std::string out = builder.Take();
  if (!out.empty()) out += "\n";
  if (brief)
    absl::StrAppend(&out, "Only what is neither PASSED nor SKIPPED is listed; all ", total, " cases: muster show ",
                    Sanitize(result.run().id(), 64), " --all\n");
  return out + SummaryLines(result, counts, palette);
}

}  // namespace muster::cli
