// The cases of one running job: what was asked for, what is open, how each ended. Every result format writes into it;
// it makes the events and holds the rules that they share, so that nothing is green by accident:
//
// * Two steps of one case: the worse outcome counts (the case is finished again with both).
// * A fault of the output (something was lost or refused) turns what is open and would have passed into ERROR.
// * A case that is open when the program dies is CRASHED; when it is stopped, TIMED_OUT or CANCELLED.
// * A run that is at fault as a whole (the program died, or contradicts itself) while every case is green and none is
// missing
//   takes the last case with it.
//
// Pure: time comes in, events go out. One thread.
#ifndef MUSTER_AGENT_EXECUTOR_CASE_BOOK_H_
#define MUSTER_AGENT_EXECUTOR_CASE_BOOK_H_

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/executor/findings.h"
#include "base/event_loop.h"
#include "muster/v1/event.pb.h"
#include "muster/v1/run.pb.h"

namespace muster::agent {

// How the program ended, and whether it was made to.
struct ProgramEnd {
  enum Stop { kNone, kCaseLimit, kJobLimit, kCancelled };
  std::optional<int> exit_code;
  std::optional<int> signal;
  Stop stop = kNone;
  std::string stop_reason;  // In words, when it was stopped.
};

// "exit status 3", "died of SIGSEGV (signal 11)".
std::string Describe(const ProgramEnd& end);

class CaseBook {
 public:
  struct Requested {
    std::string name;
    int64_t time_limit_ms = 0;
    bool needs_gpu_work = false;
  };
  using Emit = std::function<void(v1::Event event)>;

  // `requested` in the order to run.
  CaseBook(std::vector<Requested> requested, Emit emit);

  // Opens a case, or one more step of it. An unknown name is kept, with a finding; characters that no name has become
  // '_'. Returns the name under which it is kept, empty when there are too many to keep.
  std::string Open(std::string_view name, base::Time now);
  // Of an open case; empty: of the whole job. Sums work.*; bounds the texts.
  void Measure(const std::string& name, v1::Measurement measurement, base::Time now);
  void Diagnose(const std::string& name, v1::Diagnosis diagnosis);
  // `duration_ms`: where the program says how long it took.
  void Close(const std::string& name, v1::Verdict outcome, std::string_view reason, base::Time now,
             std::optional<int64_t> duration_ms = std::nullopt);

  // For formats whose results come at the end. Opens every requested case, without a time limit of its own.
  void OpenAllUntimed(base::Time now);
  // An open case has ended, its outcome is still to come: its clock stops.
  void Pause(const std::string& name, base::Time now);
  // What is open was never reported on: it stays without result.
  void WithdrawOpen();
  // The exit status is the result itself and contradicts nothing.
  void IgnoreExitStatus() { ignore_exit_status_ = true; }

  // Irregular, but nothing is lost by it: a finding of the case, or of every open case, or of the job when none is
  // open.
  void Note(const std::string& name, std::string_view kind, std::string_view text);
  void NoteOpen(std::string_view kind, std::string_view text);
  // Something may be lost: a finding as above, and what would have passed is ERROR.
  void Fault(const std::string& name, std::string_view kind, std::string_view text);
  void FaultOpen(std::string_view kind, std::string_view text);
  // The run as a whole is not in order, whatever its cases say.
  void FaultRun(v1::Verdict outcome, std::string_view kind, std::string_view text);
  // Adds a finding to a case that has finished and reports it anew.
  void Amend(const std::string& name, v1::Verdict at_least, std::string_view kind, std::string_view text,
             base::Time now);

  // When the first open case runs out of time, on the monotonic clock.
  std::optional<int64_t> NextDeadlineMs() const;
  // Ends what ran out of time as TIMED_OUT; later words about it are ignored. Returns the names.
  std::vector<std::string> Expire(base::Time now);

  // Requested cases without a result become ERROR: the output could not be read at all.
  void FailMissing(std::string_view reason, base::Time now);
  // The program has ended: ends what is open. Nothing may follow.
  void End(const ProgramEnd& end, base::Time now);

  bool IsOpen(const std::string& name) const;
  bool HasResult(const std::string& name) const;
  // The outcome, of a case that has one.
  std::optional<v1::Verdict> OutcomeOf(const std::string& name) const;
  std::vector<std::string> OpenNames() const;
  const std::vector<Requested>& requested() const { return requested_; }
  bool AllGreen() const;
  std::vector<std::string> NamesWith(v1::Verdict outcome) const;
  std::vector<std::string> JobFindings() const { return job_findings_.Texts(); }

 private:
  struct Entry {
    int open_steps = 0;
    bool started = false;
    bool finished = false;
    bool expired = false;
    bool faulty = false;
    std::optional<int64_t> opened_mono_ms;  // While open.
    int64_t deadline_mono_ms = 0;
    int64_t spent_ms = 0;
    int64_t limit_ms = 0;
    Findings findings;
    v1::CaseResult result;
  };

  Entry* FindOpen(const std::string& name);
  Entry* Find(const std::string& name);
  void Finish(Entry& entry, base::Time now);
  void Worsen(Entry& entry, v1::Verdict outcome, std::string_view reason);
  void EmitAt(base::Time now, v1::Event event);
  bool NoneMissing() const;

  const std::vector<Requested> requested_;
  const Emit emit_;
  std::map<std::string, Entry> entries_;
  std::string last_finished_;
  Findings job_findings_;
  uint64_t measurements_ = 0;
  bool ignore_exit_status_ = false;
  struct RunFault {
    v1::Verdict outcome;
    std::string text;
  };
  std::optional<RunFault> run_fault_;
};

}  // namespace muster::agent

#endif  // MUSTER_AGENT_EXECUTOR_CASE_BOOK_H_
