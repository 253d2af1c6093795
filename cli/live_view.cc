#include "cli/live_view.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "base/units.h"
#include "cli/text.h"

namespace muster::cli {
namespace {

bool IsActive(const JobView& job) { return job.state == v1::JOB_STATE_LEASED || job.state == v1::JOB_STATE_RUNNING; }

// A line with its own idea of its width, because colour codes take none.
class Line {
 public:
  explicit Line(const Palette& palette, size_t width) : palette_(palette), room_(width) {}
  void Add(Style style, absl::string_view text) {
    const std::string fitted = Truncate(text, room_);
    room_ -= DisplayWidth(fitted);
    out_ += palette_.Paint(style, fitted);
  }
  size_t room() const { return room_; }
  std::string Take() { return std::move(out_); }

 private:
  const Palette& palette_;
  size_t room_;
  std::string out_;
};

std::string TitleLine(const RunModel& model, const LiveFrame& frame, const Palette& palette) {
  const v1::Run& run = model.run();
  const std::string clock = base::FormatClock(frame.now_unix_ms - run.created_unix_ms());
  if (frame.width < clock.size() + 2) return Truncate(clock, frame.width);
  Line line(palette, frame.width - clock.size());
  line.Add(Style::kBold, Sanitize(run.plan().name(), 64));
  line.Add(Style::kDim, absl::StrCat("  ", Sanitize(run.id(), 64)));
  if (run.cancel_requested() && !model.finished()) line.Add(Style::kWarning, "  cancelling");
  const std::string gap(line.room(), ' ');
  return absl::StrCat(line.Take(), gap, clock);
}

std::string BarLine(const RunModel& model, const LiveFrame& frame, const Palette& palette) {
  const size_t total = model.cases_total();
  const double share = total == 0 ? 0 : static_cast<double>(model.cases_ended()) / static_cast<double>(total);
  std::string right = absl::StrCat("  ", model.cases_ended(), "/", total, " cases");
  if (frame.width >= 60) {
    absl::StrAppend(&right, "  ", model.job_counts().finished, "/", model.jobs().size(), " jobs");
  }
  const size_t room = frame.width - std::min(frame.width, DisplayWidth(right));
  const bool red = std::any_of(model.verdicts().begin(), model.verdicts().end(),
                               [](const auto& entry) { return entry.second > 0 && !IsGood(entry.first); });
  const std::string bar =
      palette.Paint(red ? Style::kBad : Style::kGood, palette.Bar(share, std::min<size_t>(room, 60)));
  return absl::StrCat(bar, Truncate(right, frame.width));
}

std::string VerdictLine(const RunModel& model, const LiveFrame& frame, const Palette& palette) {
  Line line(palette, frame.width);
  bool any = false;
  for (const auto& [verdict, count] : model.verdicts()) {
    if (count == 0) continue;
    if (any) line.Add(Style::kPlain, "  ");
    line.Add(VerdictStyle(verdict),
             absl::StrCat(palette.Symbol(verdict), " ", count, " ", absl::AsciiStrToLower(VerdictName(verdict))));
    any = true;
  }
  if (!any) line.Add(Style::kDim, "no case has ended yet");
  return line.Take();
}

std::string FailureLine(const CaseEnd& end, const LiveFrame& frame, const Palette& palette) {
  Line line(palette, frame.width);
  line.Add(VerdictStyle(end.verdict), absl::StrCat(palette.Symbol(end.verdict), " ", VerdictName(end.verdict)));
  line.Add(Style::kPlain, absl::StrCat("  ", end.machine, end.device.empty() ? "" : "  ", end.device, "  ", end.suite,
                                       "/", end.case_name));
  if (!end.reason.empty()) line.Add(Style::kDim, absl::StrCat("  ", end.reason));
  return line.Take();
}

// Widths of the columns of the list of jobs, for one frame.
struct JobColumns {
  size_t machine = 0;
  size_t device = 0;
  size_t suite = 0;
  size_t bar = 0;
  size_t count = 0;
};

JobColumns MeasureJobs(const std::vector<const JobView*>& jobs, size_t width) {
  JobColumns columns;
  for (const JobView* job : jobs) {
    columns.machine = std::max(columns.machine, DisplayWidth(job->machine));
    columns.device = std::max(columns.device, DisplayWidth(job->device));
    columns.suite = std::max(columns.suite, DisplayWidth(job->suite));
    columns.count = std::max(columns.count, absl::StrCat(job->cases_ended, "/", job->cases_total).size());
  }
  columns.machine = std::min(columns.machine, std::max<size_t>(width / 4, 8));
  columns.suite = std::min(columns.suite, std::max<size_t>(width / 6, 8));
  columns.device = width < 60 ? 0 : std::min<size_t>(columns.device, 12);
  columns.bar = width < 60 ? 0 : width < 100 ? 10 : 20;
  return columns;
}

void AddJobStatus(const JobView& job, const LiveFrame& frame, const Palette& palette, Line& line) {
  if (job.state == v1::JOB_STATE_QUEUED) return line.Add(Style::kDim, "waiting");
  if (job.state == v1::JOB_STATE_FINISHED) {
    if (job.cases_bad > 0)
      return line.Add(Style::kBad, absl::StrCat(palette.Symbol(v1::FAILED), " ", job.cases_bad, " bad"));
    const auto passed = job.verdicts.find(v1::PASSED);
    const bool ran = passed != job.verdicts.end() && passed->second > 0;
    return line.Add(ran ? Style::kGood : Style::kDim, ran ? absl::StrCat(palette.Symbol(v1::PASSED), " done")
                                                          : absl::StrCat(palette.Symbol(v1::SKIPPED), " skipped"));
  }
  if (job.running_case.empty())
    return line.Add(Style::kDim, job.state == v1::JOB_STATE_LEASED ? "starting" : "running");
  // The clock stands first, so that it does not jump with the length of the case's name.
  const std::string clock = base::FormatClock(frame.now_unix_ms - job.running_since_unix_ms);
  line.Add(Style::kPlain, absl::StrCat(FitRight(clock, std::max<size_t>(clock.size(), 5)), "  "));
  line.Add(Style::kAccent, job.running_case);
}

std::string JobLine(const JobView& job, const JobColumns& columns, const LiveFrame& frame, const Palette& palette) {
  Line line(palette, frame.width);
  line.Add(Style::kPlain, absl::StrCat(FitLeft(job.machine, columns.machine), "  "));
  if (columns.device > 0) line.Add(Style::kPlain, absl::StrCat(FitLeft(job.device, columns.device), "  "));
  line.Add(Style::kPlain, absl::StrCat(FitLeft(job.suite, columns.suite), "  "));
  if (columns.bar > 0) {
    const double share =
        job.cases_total == 0 ? 0 : static_cast<double>(job.cases_ended) / static_cast<double>(job.cases_total);
    line.Add(job.cases_bad > 0 ? Style::kBad : Style::kGood, palette.Bar(share, columns.bar));
    line.Add(Style::kPlain, " ");
  }
  line.Add(Style::kPlain,
           absl::StrCat(FitRight(absl::StrCat(job.cases_ended, "/", job.cases_total), columns.count), "  "));
  AddJobStatus(job, frame, palette, line);
  return line.Take();
}

struct JobList {
  std::vector<const JobView*> shown;
  size_t more_running = 0;
  size_t more_waiting = 0;
  size_t more_ended = 0;
};

// All jobs by name when they fit; otherwise those that run, the longest case first: a job that hangs comes to the top.
JobList ChooseJobs(const RunModel& model, size_t room) {
  JobList list;
  for (const auto& [key, job] : model.jobs()) list.shown.push_back(&job);
  if (list.shown.size() <= room) return list;
  const auto active_end =
      std::stable_partition(list.shown.begin(), list.shown.end(), [](const JobView* job) { return IsActive(*job); });
  std::stable_sort(list.shown.begin(), active_end, [](const JobView* a, const JobView* b) {
    if (a->running_case.empty() != b->running_case.empty()) return b->running_case.empty();
    return a->running_since_unix_ms < b->running_since_unix_ms;
  });
  const size_t active = active_end - list.shown.begin();
  const size_t keep = std::min(active, room > 0 ? room - 1 : 0);
  for (size_t i = keep; i < list.shown.size(); ++i) {
    const JobView& job = *list.shown[i];
    ++(IsActive(job) ? list.more_running : job.state == v1::JOB_STATE_FINISHED ? list.more_ended : list.more_waiting);
  }
  list.shown.resize(keep);
  return list;
}

std::string MoreLine(const JobList& list, const LiveFrame& frame, const Palette& palette) {
  std::string text;
  const auto add = [&text](size_t count, absl::string_view what) {
    if (count > 0) absl::StrAppend(&text, text.empty() ? "" : ", ", count, text.empty() ? " more jobs " : " ", what);
  };
  add(list.more_running, "running");
  add(list.more_waiting, "waiting");
  add(list.more_ended, "ended");
  return palette.Paint(Style::kDim, Truncate(text, frame.width));
}

void AddFailures(const RunModel& model, const LiveFrame& frame, const Palette& palette, size_t room,
                 std::vector<std::string>& lines) {
  const std::deque<CaseEnd>& failures = model.failures();
  const size_t shown = std::min(failures.size(), room);
  for (size_t i = failures.size() - shown; i < failures.size(); ++i)
    lines.push_back(FailureLine(failures[i], frame, palette));
}

}  // namespace

std::vector<std::string> RenderLive(const RunModel& model, const LiveFrame& frame, const Palette& palette) {
  std::vector<std::string> lines;
  if (frame.height == 0 || frame.width == 0) return lines;
  if (!model.started())
    return {palette.Paint(Style::kDim, Truncate(frame.hint.empty() ? "connecting" : frame.hint, frame.width))};
  lines = {TitleLine(model, frame, palette), BarLine(model, frame, palette), VerdictLine(model, frame, palette)};
  const size_t hint_lines = frame.hint.empty() ? 0 : 1;
  const size_t fixed = lines.size() + hint_lines;
  size_t room = frame.height > fixed ? frame.height - fixed : 0;
  const size_t failures = std::min({model.failures().size(), std::max<size_t>(room / 3, 1), room});
  room -= failures;
  // An empty line between the parts, where there is room to spare.
  const bool airy = frame.height >= 12;
  if (airy) room -= std::min<size_t>(room, 1 + (failures > 0 ? 1 : 0));
  const JobList list = ChooseJobs(model, room);
  if (failures > 0) {
    if (airy) lines.emplace_back();
    AddFailures(model, frame, palette, failures, lines);
  }
  if (airy && !model.jobs().empty()) lines.emplace_back();
  const JobColumns columns = MeasureJobs(list.shown, frame.width);
  for (const JobView* job : list.shown) lines.push_back(JobLine(*job, columns, frame, palette));
  if (list.shown.size() < model.jobs().size() && room > 0) lines.push_back(MoreLine(list, frame, palette));
  if (hint_lines > 0) lines.push_back(palette.Paint(Style::kDim, Truncate(frame.hint, frame.width)));
  if (lines.size() > frame.height) lines.resize(frame.height);
  return lines;
}

std::string PlainLine(const CaseEnd& end) {
  return absl::StrCat(FitLeft(VerdictName(end.verdict), 9), "  ", end.machine, "  ",
                      end.device.empty() ? "-" : end.device, "  ", end.suite, "/", end.case_name, "  ",
                      base::FormatDuration(end.duration_ms), end.reason.empty() ? "" : "  ", end.reason);
}

std::string CountsLine(const std::map<v1::Verdict, size_t>& verdicts, const Palette& palette) {
  std::string out;
  for (const auto& [verdict, count] : verdicts) {
    if (count == 0) continue;
    absl::StrAppend(&out, out.empty() ? "" : "  ",
                    palette.Paint(VerdictStyle(verdict),
                                  absl::StrCat(palette.Symbol(verdict), " ", count, " ", VerdictName(verdict))));
  }
  return out.empty() ? "no case" : out;
}

}  // namespace muster::cli
