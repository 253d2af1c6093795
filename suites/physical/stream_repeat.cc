#include "suites/physical/stream_repeat.h"

#include "absl/strings/str_cat.h"

namespace muster::physical {

StreamReport RepeatTransfer(ComputeDevice& device, const StreamOptions& options, uint64_t bytes,
                            const RepeatedTransfer& transfer) {
  StreamReport report = {.bytes = bytes};
  for (uint32_t repeat = 0; report.seconds.size() < static_cast<size_t>(options.repeats); ++repeat) {
    transfer.prepare(repeat);
    const double seconds = device.Seconds([&] {
      Transfer(options.bytes, options.fault,
               [&](uint64_t to, uint64_t from, uint64_t piece) { transfer.move(repeat, to, from, piece); });
      if (transfer.between) transfer.between();
      transfer.flip();
    });
    if (const std::string problem = transfer.problem(repeat); !problem.empty()) {
      report.problem = absl::StrCat("transfer ", repeat + 1, ": ", problem);
      break;
    }
    if (repeat >= static_cast<uint32_t>(options.warm_ups)) report.seconds.push_back(seconds);
  }
  return report;
}

}  // namespace muster::physical
