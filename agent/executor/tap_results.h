// The Test Anything Protocol, versions 12 to 14, on standard output.
//
// A test point is the requested case whose name its description is, or begins with as its first word; without
// description, the case at its number. `not ok` with TODO is SKIPPED (known to fail), with SKIP too. A plan that does
// not match, no plan, numbers out of order and "Bail out!" are faults. Subtests (indented) and YAML blocks are left to
// their parent point. TAP names no case before its result, so all requested cases are open from the beginning and have
// no time limit of their own.
#ifndef MUSTER_AGENT_EXECUTOR_TAP_RESULTS_H_
#define MUSTER_AGENT_EXECUTOR_TAP_RESULTS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "agent/executor/line_splitter.h"
#include "agent/executor/result_reader.h"

namespace muster::agent {

class TapResults final : public ResultReader {
 public:
  // `book` outlives this.
  TapResults(CaseBook* book, Log log);
  void Begin(base::Time now) override;
  void TakeStdout(std::string_view bytes, base::Time now) override;
  void End(const ProgramEnd& end, base::Time now) override;

 private:
  void TakeLine(std::string_view line);
  bool TakePoint(std::string_view line);
  bool TakePlan(std::string_view line);
  std::string NameOf(std::string_view description, int64_t number) const;
  void Report(const std::string& name, v1::Verdict outcome, std::string_view reason);

  CaseBook& book_;
  const Log log_;
  LineSplitter lines_;
  base::Time now_;
  int64_t points_ = 0;
  std::optional<int64_t> planned_;
  bool bailed_out_ = false;
};

// Exit status alone: 0 passed, 77 skipped, 99 error, others failed.
class ExitCodeResults final : public ResultReader {
 public:
  ExitCodeResults(CaseBook* book, Log log) : book_(*book), log_(std::move(log)) {}
  void Begin(base::Time now) override;
  void TakeStdout(std::string_view bytes, base::Time now) override { log_(v1::LOG_STREAM_STDOUT, bytes); }
  void End(const ProgramEnd& end, base::Time now) override;

 private:
  CaseBook& book_;
  const Log log_;
};

}  // namespace muster::agent

#endif  // MUSTER_AGENT_EXECUTOR_TAP_RESULTS_H_
