// muster-agent: runs test suites on this machine's GPUs for a coordinator. docs/operations.md says how to run it.
//
//   muster-agent --coordinator HOST:PORT --suites-dir DIR [--token TOKEN] [options]
//   muster-agent enroll --coordinator HOST:PORT --token TOKEN
#include <cstdio>
#include <string_view>

#include "agent/assembly.h"
#include "agent/inventory/probe.h"
#include "agent/options.h"
#include "agent/telemetry/sampler_process.h"
#include "base/log.h"

int main(int argc, char** argv) {
  using muster::agent::Options;
  // The agent's own children, which ask the vendors' libraries (agent/inventory/probe.h, agent/telemetry/).
  const std::string_view first = argc > 1 ? argv[1] : "";
  const std::string_view probe(muster::agent::kProbeFlag.data(), muster::agent::kProbeFlag.size());
  if (first.starts_with(probe)) return muster::agent::ProbeMain(argv[1] + probe.size());
  const std::string_view sampler(muster::agent::kSamplerFlag.data(), muster::agent::kSamplerFlag.size());
  if (first.starts_with(sampler)) return muster::agent::SamplerMain(argv[1] + sampler.size(), argc, argv);

  const std::variant<Options, int> parsed = muster::agent::ParseOptions(argc, argv);
  if (const int* status = std::get_if<int>(&parsed)) return *status;
  const Options& options = std::get<Options>(parsed);
  muster::base::SetLogLevel(options.log_level);
  const absl::Status status = muster::agent::RunAgent(options);
  if (status.ok()) return 0;
  std::fprintf(stderr, "muster-agent: %s\n", std::string(status.message()).c_str());
  return 3;
}
