// muster-load: the figures of docs/performance.md, measured against a running coordinator.
//
//   muster-load ingest  --coordinator HOST:PORT --agents 4 --measurements 500000
//       durable ingest: measurements a second from the first event sent to the last one acked, none lost
//   muster-load connect --coordinator HOST:PORT --agents 1000 --pid PID
//       the coordinator's resident memory (PID) for each connected, idle agent
//   muster-load latency --coordinator HOST:PORT --runs 200 --suite selftest --case pass
//       from the StartRun call to the first CaseStarted that WatchRun tells of; needs a real agent with that suite
//
// Plaintext on loopback with --insecure-loopback; otherwise with the identities that --authority (a coordinator's data
// folder) lets it make. Prints one line of JSON.
#include <grpcpp/grpcpp.h>
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "muster/v1/control_service.grpc.pb.h"
#include "tests/load/load_agent.h"
#include "tests/load/load_channel.h"

namespace muster::load {
namespace {

using Clock = std::chrono::steady_clock;

struct Options {
  ChannelOptions channel;
  uint32_t agents = 4;
  uint32_t measurements = 500'000;
  uint32_t batch_size = 1'000;
  int64_t pid = 0;
  uint32_t runs = 200;
  std::string suite = "selftest";
  std::string case_name = "pass";
};

double SecondsSince(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

[[noreturn]] void Die(const std::string& why) {
  std::fprintf(stderr, "muster-load: %s\n", why.c_str());
  std::exit(3);
}

// Polls until `done` or 120 s have passed; a bounded wait on other processes.
template <typename Done>
void WaitFor(const char* what, Done done) {
  const Clock::time_point start = Clock::now();
  while (!done()) {
    if (SecondsSince(start) > 120) Die(std::string("gave up after 120 s waiting for ") + what);
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

uint64_t ResidentKib(int64_t pid) {
  std::ifstream status("/proc/" + std::to_string(pid) + "/status");
  for (std::string line; std::getline(status, line);) {
    if (line.rfind("VmRSS:", 0) == 0) return std::stoull(line.substr(6));
  }
  Die("cannot read the memory of process " + std::to_string(pid));
}

std::vector<std::unique_ptr<LoadAgent>> ConnectAgents(const Options& options) {
  std::vector<std::unique_ptr<LoadAgent>> agents;
  for (uint32_t i = 0; i < options.agents; ++i) {
    const std::string name = "load-" + std::to_string(i);
    agents.push_back(std::make_unique<LoadAgent>(
        AgentChannel(options.channel, name),
        LoadAgentOptions{.name = name, .measurements = options.measurements, .batch_size = options.batch_size}));
    agents.back()->Connect();
    // Not all handshakes at once: a coordinator's listen queue is bounded.
    if (i % 100 == 99)
      WaitFor("agents to be welcomed", [&] { return agents.back()->welcomed() || !agents.back()->error().empty(); });
  }
  WaitFor("agents to be welcomed", [&] {
    return std::all_of(agents.begin(), agents.end(), [](const auto& agent) {
      if (!agent->error().empty()) Die("an agent was refused: " + agent->error());
      return agent->welcomed();
    });
  });
  return agents;
}

v1::StartRunRequest RunOf(const std::string& suite, const std::string& case_name) {
  v1::StartRunRequest request;
  request.mutable_plan()->set_name("load");
  v1::PlanSuite& plan_suite = *request.mutable_plan()->add_suites();
  plan_suite.set_suite(suite);
  if (!case_name.empty()) plan_suite.add_cases(case_name);
  return request;
}

int Ingest(const Options& options) {
  const auto agents = ConnectAgents(options);
  const auto stub = v1::ControlService::NewStub(ControlChannel(options.channel));
  const Clock::time_point start = Clock::now();
  grpc::ClientContext context;
  v1::StartRunResponse response;
  if (const grpc::Status status = stub->StartRun(&context, RunOf("load", ""), &response); !status.ok()) {
    Die("StartRun: " + status.error_message());
  }
  WaitFor("the last ack", [&] {
    return std::all_of(agents.begin(), agents.end(), [](const auto& agent) { return agent->jobs_done() == 1; });
  });
  const double seconds = SecondsSince(start);
  const double total = static_cast<double>(options.agents) * options.measurements;
  std::printf(
      "{\"test\":\"ingest\",\"agents\":%u,\"measurements\":%.0f,\"seconds\":%.3f,\"measurements_per_second\":%.0f,"
      "\"run\":\"%s\"}\n",
      options.agents, total, seconds, total / seconds, response.run().id().c_str());
  return 0;
}

int ConnectIdle(const Options& options) {
  const uint64_t before_kib = ResidentKib(options.pid);
  const auto agents = ConnectAgents(options);
  const uint64_t after_kib = ResidentKib(options.pid);
  std::printf(
      "{\"test\":\"connect\",\"agents\":%u,\"rss_before_kib\":%lu,\"rss_after_kib\":%lu,\"kib_per_agent\":%.1f}\n",
      options.agents, before_kib, after_kib, static_cast<double>(after_kib - before_kib) / options.agents);
  return 0;
}

// From the call to the first update that shows the case as running or ended.
double OneStartMs(v1::ControlService::Stub& stub, const Options& options) {
  const Clock::time_point start = Clock::now();
  v1::StartRunResponse response;
  {
    grpc::ClientContext context;
    const grpc::Status status = stub.StartRun(&context, RunOf(options.suite, options.case_name), &response);
    if (!status.ok()) Die("StartRun: " + status.error_message());
  }
  grpc::ClientContext context;
  v1::WatchRunRequest watch;
  watch.set_run_id(response.run().id());
  const auto reader = stub.WatchRun(&context, watch);
  double started_ms = -1;
  for (v1::RunUpdate update; reader->Read(&update);) {
    bool ended = false;
    for (const v1::Job& job : update.jobs()) {
      for (const v1::Attempt& attempt : job.attempts()) ended = ended || !attempt.results().empty();
    }
    if (started_ms < 0 && (!update.running().empty() || ended)) started_ms = SecondsSince(start) * 1e3;
  }
  reader->Finish();
  if (started_ms < 0) Die("run " + response.run().id() + " ended and no case was seen to start");
  return started_ms;
}

int Latency(const Options& options) {
  const auto stub = v1::ControlService::NewStub(ControlChannel(options.channel));
  std::vector<double> ms;
  OneStartMs(*stub, options);  // The connection's handshake is not the run's.
  for (uint32_t i = 0; i < options.runs; ++i) ms.push_back(OneStartMs(*stub, options));
  std::sort(ms.begin(), ms.end());
  std::printf("{\"test\":\"latency\",\"runs\":%u,\"p50_ms\":%.2f,\"p99_ms\":%.2f,\"max_ms\":%.2f}\n", options.runs,
              ms[ms.size() / 2], ms[ms.size() * 99 / 100], ms.back());
  return 0;
}

void RaiseFileLimit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
  }
}

int Main(int argc, char** argv) {
  Options options;
  CLI::App app("Measures a running Muster coordinator.");
  app.add_option("--coordinator", options.channel.address, "HOST:PORT")->required();
  app.add_flag("--insecure-loopback", options.channel.insecure, "plaintext");
  app.add_option("--authority", options.channel.authority_folder,
                 "data folder of the coordinator, to make identities with");
  app.add_option("--agents", options.agents);
  app.require_subcommand(1);
  CLI::App* ingest = app.add_subcommand("ingest")->fallthrough();
  ingest->add_option("--measurements", options.measurements, "of each agent");
  ingest->add_option("--batch", options.batch_size);
  CLI::App* connect = app.add_subcommand("connect")->fallthrough();
  connect->add_option("--pid", options.pid, "of the coordinator")->required();
  CLI::App* latency = app.add_subcommand("latency")->fallthrough();
  latency->add_option("--runs", options.runs);
  latency->add_option("--suite", options.suite);
  latency->add_option("--case", options.case_name);
  CLI11_PARSE(app, argc, argv);
  RaiseFileLimit();
  if (*ingest) return Ingest(options);
  return *connect ? ConnectIdle(options) : Latency(options);
}

}  // namespace
}  // namespace muster::load

int main(int argc, char** argv) { return muster::load::Main(argc, argv); }
