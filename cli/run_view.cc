#include "cli/run_view.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "cli/text.h"

namespace muster::cli {
namespace {

// Control sequences of ECMA-48 and DEC; those of synchronized output are ignored where they are not known.
constexpr char kBegin[] = "\x1b[?2026h";
constexpr char kEnd[] = "\x1b[?2026l";
constexpr char kHideCursor[] = "\x1b[?25l";
constexpr char kShowCursor[] = "\x1b[?25h";
constexpr char kClearLine[] = "\x1b[2K";
constexpr char kClearBelow[] = "\x1b[J";

// Columns of a line with colour codes in it.
size_t PaintedWidth(const std::string& line) {
  std::string bare;
  for (size_t i = 0; i < line.size(); ++i) {
    if (line[i] == '\x1b') {
      while (i < line.size() && line[i] != 'm') ++i;
    } else {
      bare += line[i];
    }
  }
  return DisplayWidth(bare);
}

}  // namespace

void PlainRunView::Show(const RunModel& model, const RunModel::Changes& changes) {
  for (const CaseEnd& end : changes.cases) out_ << PlainLine(end) << '\n';
  printed_ = printed_ || !changes.cases.empty();
  for (const AttemptEnd& end : changes.attempts) notes_ << "muster: " << end.text << '\n';
  out_.flush();
}

void PlainRunView::End() {
  if (printed_) out_ << '\n';
}

void PlainRunView::Note(const std::string& note) {
  if (!note.empty()) notes_ << "muster: " << note << std::endl;
}

std::string LiveRunView::ToFrameStart(const TerminalSize& size) const {
  // A terminal that became narrower may have broken each line of the old frame into several.
  size_t rows = 0;
  for (const size_t width : shown_widths_)
    rows += std::max<size_t>(1, (width + size.width - 1) / std::max<size_t>(size.width, 1));
  rows = std::min(rows, size.height > 0 ? size.height - 1 : 0);
  return rows == 0 ? "\r" : absl::StrCat("\r\x1b[", rows, "A");
}

void LiveRunView::Tick(const RunModel& model) {
  const TerminalSize size = environment_.terminal_size();
  const LiveFrame frame{.width = size.width,
                        .height = size.height > 1 ? size.height - 1 : 1,  // The cursor rests on the line below.
                        .now_unix_ms = environment_.now_unix_ms(),
                        .hint = note_.empty() ? hint_ : note_};
  std::vector<std::string> lines = RenderLive(model, frame, palette_);
  const bool resized = size.width != size_.width || size.height != size_.height;
  if (started_ && !resized && lines == shown_) return;
  std::string out = absl::StrCat(kBegin, started_ ? "" : kHideCursor, ToFrameStart(size));
  if (resized && started_) out += kClearBelow;
  for (const std::string& line : lines) absl::StrAppend(&out, kClearLine, line, "\r\n");
  absl::StrAppend(&out, kClearBelow, kEnd);
  terminal_ << out << std::flush;
  started_ = true;
  size_ = size;
  shown_widths_.clear();
  for (const std::string& line : lines) shown_widths_.push_back(PaintedWidth(line));
  shown_ = std::move(lines);
}

void LiveRunView::End() {
  if (!started_) return;
  terminal_ << ToFrameStart(environment_.terminal_size()) << kClearBelow << kShowCursor << std::flush;
  started_ = false;
  shown_.clear();
  shown_widths_.clear();
}

}  // namespace muster::cli
