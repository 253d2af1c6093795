// Feeds anything to the OCPTV reader and the case tracker, in both modes and cut into pieces.
//
//   build-fuzz/tests/fuzz/fuzz_ocptv -max_total_time=30
//
// Besides crashes and sanitizer reports it looks for broken promises: a line is read the same whole or in pieces.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "agent/executor/case_tracker.h"

namespace {

using muster::agent::CaseBook;
using muster::agent::OcptvMode;
using muster::agent::OcptvResults;

std::vector<std::string> Read(std::string_view text, OcptvMode mode, size_t piece) {
  std::vector<std::string> events;
  muster::base::Time now{.mono_ms = 1, .unix_ms = 1};
  CaseBook book({{.name = "a", .time_limit_ms = 10}},
                [&events](muster::v1::Event event) { events.push_back(event.DebugString()); });
  OcptvResults results(mode, {}, &book, [](muster::v1::LogStream, std::string_view) {});
  for (size_t at = 0; at < text.size(); at += piece) results.TakeStdout(text.substr(at, piece), now);
  results.End({.exit_code = 0}, now);
  book.End({.exit_code = 0}, now);
  return events;
}

// Where the fuzzer starts, since it has no corpus: a good run, to be mutated by what it feeds.
constexpr std::string_view kPreamble =
    R"({"sequenceNumber":0,"timestamp":"2026-01-01T00:00:00Z","schemaVersion":{"major":2,"minor":0}}
{"sequenceNumber":1,"timestamp":"2026-01-01T00:00:00Z","testRunArtifact":{"testRunStart":{"name":"t","version":"","commandLine":"","parameters":{},"dutInfo":{"dutInfoId":"d"}}}}
{"sequenceNumber":2,"timestamp":"2026-01-01T00:00:00Z","testStepArtifact":{"testStepId":"0","testStepStart":{"name":"a"}}}
)";

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  std::string text(reinterpret_cast<const char*>(data) + 1, size - 1);
  if ((data[0] & 1) != 0) text.insert(0, kPreamble);
  // An artifact within the open step, so that the fuzzer need not find the frame by itself.
  if ((data[0] & 2) != 0) {
    text = std::string(kPreamble) +
           R"({"sequenceNumber":3,"timestamp":"2026-01-01T00:00:00Z","testStepArtifact":{"testStepId":"0",)" +
           text.substr(std::min(text.size(), (data[0] & 1) != 0 ? kPreamble.size() : 0)) + "}}\n";
  }
  const OcptvMode mode = (data[0] & 4) != 0 ? OcptvMode::kCompatible : OcptvMode::kStrict;
  if (Read(text, mode, text.size() + 1) != Read(text, mode, 1 + data[0] / 8)) abort();
  return 0;
}
