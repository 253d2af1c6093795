#include "suites/sdk/run_suite.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "suites/sdk/case_listener.h"
#include "suites/sdk/child.h"
#include "suites/sdk/discovery.h"
#include "suites/sdk/environment.h"
#include "suites/sdk/injection.h"
#include "suites/sdk/ocptv_report.h"
#include "suites/sdk/session.h"
#include "suites/sdk/software.h"
#include "suites/sdk/terminal_report.h"
#include "suites/sdk/unproven.h"

namespace muster::sdk {
namespace {

std::string ProgramFolder() {
  std::error_code error;
  const auto program = std::filesystem::read_symlink("/proc/self/exe", error);
  return error ? "." : program.parent_path().string();
}

std::string CommandLine(int argc, char** argv) {
  std::string line;
  for (int i = 0; i < argc; ++i) absl::StrAppend(&line, i == 0 ? "" : " ", argv[i]);
  return line;
}

// Standard output for the report alone; prints of tests and libraries go to standard error.
int TakeStandardOutput() {
  const int own = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
  dup2(STDERR_FILENO, STDOUT_FILENO);
  return own;
}

std::unique_ptr<Report> MakeReport(const Environment& environment, const std::string& command_line) {
  if (!environment.ocptv) return std::make_unique<TerminalReport>(environment, stdout);
  const auto now = [] {
    return static_cast<int64_t>(
        std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now().time_since_epoch())
            .count());
  };
  return std::make_unique<OcptvReport>(environment, command_line, SoftwareUnderTest(environment),
                                       DescriptorSink(TakeStandardOutput()), now);
}

}  // namespace

int RunSuite(int argc, char** argv) {
  if (const auto status = RunAsChild(argc, argv)) return *status;
  const std::string command_line = CommandLine(argc, argv);
  testing::InitGoogleTest(&argc, argv);
  auto environment = ReadEnvironment([](const char* name) { return std::getenv(name); }, ProgramFolder());
  if (!environment.ok()) {
    std::fprintf(stderr, "%s\n", std::string(environment.status().message()).c_str());
    return 3;
  }
  // CUDA must number devices as everybody else does.
  setenv("CUDA_DEVICE_ORDER", "PCI_BUS_ID", 0);
  if (!environment->devices_given && !testing::GTEST_FLAG(list_tests))
    environment->devices = DiscoverDevices(std::getenv("CUDA_VISIBLE_DEVICES"));
  // A filter given by hand goes before what the environment names.
  if (testing::GTEST_FLAG(filter) == "*") testing::GTEST_FLAG(filter) = GtestFilter(*environment);

  const std::unique_ptr<Report> report = MakeReport(*environment, command_line);
  Session session(*environment, *report);
  auto& listeners = testing::UnitTest::GetInstance()->listeners();
  if (environment->ocptv) delete listeners.Release(listeners.default_result_printer());
  std::vector<std::string> warnings = UnprovenWarnings(*environment);
  for (std::string& warning : InjectionWarnings(*environment)) warnings.push_back(std::move(warning));
  listeners.Append(new CaseListener(*report, std::move(warnings)));
  return RUN_ALL_TESTS();
}

}  // namespace muster::sdk
