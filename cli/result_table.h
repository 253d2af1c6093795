// What a finished run found, as a table: machines and devices, cases and verdicts, figures with units and their share
// of what was expected.
#ifndef MUSTER_CLI_RESULT_TABLE_H_
#define MUSTER_CLI_RESULT_TABLE_H_

#include <cstddef>
#include <string>

#include "cli/device_names.h"
#include "cli/palette.h"
#include "muster/v1/control_service.pb.h"

namespace muster::cli {

struct ResultOptions {
  size_t width = 0;  // Columns; 0: no limit.
  // Every case; otherwise, of a run of more than kBriefAbove cases, only those that are not PASSED or SKIPPED.
  bool all = false;
  // The figures that prove work (work.*) and every figure of a case, however many.
  bool all_figures = false;

  static constexpr size_t kBriefAbove = 400;
  static constexpr size_t kMaxFigures = 12;  // A case, unless all_figures.
};

// Lines, each ended by a newline; the last one tells the run's colour. Everything from the wire is sanitized.
std::string RenderResult(const v1::GetRunResponse& result, const DeviceNames& names, const Palette& palette,
                         const ResultOptions& options);

}  // namespace muster::cli

#endif  // MUSTER_CLI_RESULT_TABLE_H_
