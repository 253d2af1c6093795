#include "agent/executor/tap_results.h"

#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "base/text.h"

namespace muster::agent {
namespace {

constexpr size_t kMaxTapLineBytes = 64 * 1024;
constexpr int kSkippedStatus = 77;
constexpr int kErrorStatus = 99;

std::string_view Trimmed(std::string_view text) {
  const size_t begin = text.find_first_not_of(" \t\r");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t\r") - begin + 1);
}

// Takes `prefix` off `text` when it is there.
bool Take(std::string_view& text, std::string_view prefix) {
  if (text.substr(0, prefix.size()) != prefix) return false;
  text.remove_prefix(prefix.size());
  return true;
}

std::optional<int64_t> TakeNumber(std::string_view& text) {
  const size_t length = std::min(text.find_first_not_of("0123456789"), text.size());
  int64_t number = 0;
  if (length == 0 || !absl::SimpleAtoi(base::AbslView(text.substr(0, length)), &number)) return std::nullopt;
  text.remove_prefix(length);
  return number;
}

struct Directive {
  enum { kNone, kSkip, kTodo } kind = kNone;
  std::string_view reason;
};

// Cuts " # SKIP reason" or " # TODO reason" off a description; "\#" is no directive.
Directive TakeDirective(std::string_view& description) {
  for (size_t at = description.find('#'); at != std::string_view::npos; at = description.find('#', at + 1)) {
    if (at > 0 && description[at - 1] == '\\') continue;
    const std::string_view text = Trimmed(description.substr(at + 1));
    const bool skip = absl::StartsWithIgnoreCase(base::AbslView(text), "skip");
    if (!skip && !absl::StartsWithIgnoreCase(base::AbslView(text), "todo")) continue;
    description = Trimmed(description.substr(0, at));
    const size_t word_end = text.find(' ');
    return {.kind = skip ? Directive::kSkip : Directive::kTodo,
            .reason = word_end == std::string_view::npos ? std::string_view() : Trimmed(text.substr(word_end))};
  }
  return {};
}

}  // namespace

TapResults::TapResults(CaseBook* book, Log log) : book_(*book), log_(std::move(log)), lines_(kMaxTapLineBytes) {}

void TapResults::Begin(base::Time now) { book_.OpenAllUntimed(now); }

void TapResults::TakeStdout(std::string_view bytes, base::Time now) {
  now_ = now;
  log_(v1::LOG_STREAM_STDOUT, bytes);
  lines_.Take(bytes, [this](const LineSplitter::Line& line) { TakeLine(line.text); });
}

void TapResults::TakeLine(std::string_view line) {
  if (bailed_out_ || TakePoint(line) || TakePlan(line)) return;
  if (!Take(line, "Bail out!")) return;
  bailed_out_ = true;
  const std::string reason = base::Text("bailed out: ", Trimmed(line));
  book_.FaultRun(v1::ERROR, "bail-out", reason);
  for (const std::string& name : book_.OpenNames()) book_.Close(name, v1::ERROR, reason, now_);
}

bool TapResults::TakePlan(std::string_view line) {
  if (!Take(line, "1..")) return false;
  const std::optional<int64_t> count = TakeNumber(line);
  if (!count) return false;
  if (planned_) book_.FaultRun(v1::ERROR, "second-plan", "the plan is there a second time");
  planned_ = *count;
  std::string_view rest = line;
  const Directive directive = TakeDirective(rest);
  if (*count > 0 || directive.kind != Directive::kSkip) return true;
  for (const std::string& name : book_.OpenNames()) book_.Close(name, v1::SKIPPED, directive.reason, now_);
  return true;
}

bool TapResults::TakePoint(std::string_view line) {
  const bool failed = Take(line, "not ok");
  if (!failed && !Take(line, "ok")) return false;
  if (!line.empty() && line[0] != ' ' && line[0] != '\t' && line[0] != '\r') return false;
  line = Trimmed(line);
  ++points_;
  const int64_t number = TakeNumber(line).value_or(points_);
  if (number != points_) {
    book_.FaultRun(v1::ERROR, "test-number", base::Text("expected test point ", points_, ", found ", number));
  }
  std::string_view description = Trimmed(line);
  Take(description, "- ");
  const Directive directive = TakeDirective(description);
  const std::string name = NameOf(Trimmed(description), number);
  if (directive.kind == Directive::kSkip) {
    Report(name, v1::SKIPPED, directive.reason.empty() ? "the program gave no reason" : directive.reason);
  } else if (directive.kind == Directive::kTodo && failed) {
    Report(name, v1::SKIPPED, base::Text("known to fail (TODO): ", directive.reason));
  } else {
    Report(name, failed ? v1::FAILED : v1::PASSED, failed ? "not ok" : "");
    if (directive.kind == Directive::kTodo) book_.Note(name, "todo-passes", directive.reason);
  }
  return true;
}

std::string TapResults::NameOf(std::string_view description, int64_t number) const {
  const std::string_view first_word = description.substr(0, description.find_first_of(" \t:"));
  for (const std::string_view candidate : {description, first_word}) {
    for (const CaseBook::Requested& requested : book_.requested()) {
      if (requested.name == candidate) return requested.name;
    }
  }
  if (!description.empty()) return std::string(description);
  if (number >= 1 && number <= static_cast<int64_t>(book_.requested().size()))
    return book_.requested()[number - 1].name;
  return base::Text("test-", number);
}

void TapResults::Report(const std::string& name, v1::Verdict outcome, std::string_view reason) {
  const std::string kept = book_.IsOpen(name) ? name : book_.Open(name, now_);
  if (!kept.empty()) book_.Close(kept, outcome, reason, now_);
}

void TapResults::End(const ProgramEnd& end, base::Time now) {
  now_ = now;
  lines_.End([this](const LineSplitter::Line& line) { TakeLine(line.text); });
  if (end.stop != ProgramEnd::kNone || end.signal) return;
  if (points_ == 0 && !planned_ && !bailed_out_) {
    const std::string text = base::Text("the program ", Describe(end), " and its output is not TAP");
    book_.FaultRun(v1::ERROR, "not-tap", text);
    for (const std::string& name : book_.OpenNames()) book_.Close(name, v1::ERROR, text, now);
    return;
  }
  if (!bailed_out_ && planned_ != points_) {
    book_.FaultRun(v1::ERROR, "plan-mismatch",
                   planned_ ? base::Text("the plan says ", *planned_, " test points, ", points_, " came")
                            : std::string("the output holds no plan"));
  }
  book_.WithdrawOpen();
}

void ExitCodeResults::Begin(base::Time now) {
  book_.IgnoreExitStatus();
  for (const CaseBook::Requested& requested : book_.requested()) book_.Open(requested.name, now);
}

void ExitCodeResults::End(const ProgramEnd& end, base::Time now) {
  if (end.stop != ProgramEnd::kNone || !end.exit_code) return;
  const v1::Verdict outcome = *end.exit_code == 0                ? v1::PASSED
                              : *end.exit_code == kSkippedStatus ? v1::SKIPPED
                              : *end.exit_code == kErrorStatus   ? v1::ERROR
                                                                 : v1::FAILED;
  const std::string reason = outcome == v1::PASSED ? "" : base::Text("exit status ", *end.exit_code);
  for (const std::string& name : book_.OpenNames()) book_.Close(name, outcome, reason, now);
}

}  // namespace muster::agent
