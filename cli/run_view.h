// Who is shown a run while it goes on: plain lines for a pipe, frames for a terminal.
#ifndef MUSTER_CLI_RUN_VIEW_H_
#define MUSTER_CLI_RUN_VIEW_H_

#include <functional>
#include <ostream>
#include <string>
#include <vector>

#include "cli/environment.h"
#include "cli/live_view.h"
#include "cli/palette.h"
#include "cli/run_model.h"

namespace muster::cli {

class RunView {
 public:
  virtual ~RunView() = default;
  // What is new.
  virtual void Show(const RunModel& model, const RunModel::Changes& changes) = 0;
  // Time went on; about ten times a second.
  virtual void Tick(const RunModel& model) = 0;
  // What is wrong or happens, e.g. with the connection; empty: nothing any more.
  virtual void Note(const std::string& note) = 0;
  // The last call. Leaves the output ready for other things.
  virtual void End() = 0;
};

// A line for each case that ends; notes to `notes`.
class PlainRunView final : public RunView {
 public:
  PlainRunView(std::ostream& out, std::ostream& notes) : out_(out), notes_(notes) {}
  void Show(const RunModel& model, const RunModel::Changes& changes) override;
  void Tick(const RunModel& model) override {}
  void Note(const std::string& note) override;
  void End() override;

 private:
  bool printed_ = false;
  std::ostream& out_;
  std::ostream& notes_;
};

// Frames on a terminal, each in the place of the last one. The cursor is hidden meanwhile.
class LiveRunView final : public RunView {
 public:
  LiveRunView(const Environment& environment, std::ostream& terminal, Palette palette, std::string hint)
      : environment_(environment), terminal_(terminal), palette_(palette), hint_(std::move(hint)) {}
  ~LiveRunView() override { End(); }
  void Show(const RunModel& model, const RunModel::Changes& changes) override { Tick(model); }
  void Tick(const RunModel& model) override;
  void Note(const std::string& note) override { note_ = note; }
  // Takes the frame off the screen: the table of results follows.
  void End() override;

 private:
  std::string ToFrameStart(const TerminalSize& size) const;

  const Environment& environment_;
  std::ostream& terminal_;
  const Palette palette_;
  const std::string hint_;
  std::string note_;
  bool started_ = false;
  std::vector<std::string> shown_;
  std::vector<size_t> shown_widths_;
  TerminalSize size_;
};

}  // namespace muster::cli

#endif  // MUSTER_CLI_RUN_VIEW_H_
