// What a run looks like while it goes on: lines for a terminal of any size, from 40 columns and one machine to a
// thousand.
//
// Pure: the same model, size and time give the same lines. live_terminal.h puts them on the screen.
#ifndef MUSTER_CLI_LIVE_VIEW_H_
#define MUSTER_CLI_LIVE_VIEW_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "cli/palette.h"
#include "cli/run_model.h"

namespace muster::cli {

struct LiveFrame {
  size_t width = 80;
  size_t height = 24;
  int64_t now_unix_ms = 0;
  // The last line: what the keys do, or what is wrong with the connection. Sanitized.
  std::string hint;
};

// At most `frame.height` lines of at most `frame.width` columns each, without line ends. Shown, in this order of right:
// the whole run, the failures, the jobs that run, what became of the others.
std::vector<std::string> RenderLive(const RunModel& model, const LiveFrame& frame, const Palette& palette);

// One case's end as a line of plain output, for a stream that is not a terminal. Fields are two spaces apart:
// VERDICT MACHINE DEVICE SUITE/CASE TIME [REASON]; a job without devices has "-". Without a line end.
std::string PlainLine(const CaseEnd& end);

// "12 PASSED, 1 FAILED, 3 SKIPPED", in the order of the verdicts' numbers.
std::string CountsLine(const std::map<v1::Verdict, size_t>& verdicts, const Palette& palette);

}  // namespace muster::cli

#endif  // MUSTER_CLI_LIVE_VIEW_H_
