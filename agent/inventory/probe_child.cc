// The child of probe_test: a probe as the agent's, or one that misbehaves as the environment says.
#include <unistd.h>

#include <cstdlib>
#include <iostream>
#include <string>

#include "agent/inventory/probe.h"

int main(int argc, char** argv) {
  using muster::agent::kProbeFlag;
  const std::string argument = argc > 1 ? argv[1] : "";
  if (argument.rfind(std::string(kProbeFlag), 0) != 0) return 2;
  const char* wanted = std::getenv("PROBE_CHILD");
  const std::string fault = wanted == nullptr ? "" : wanted;
  if (fault == "crash") {
    std::cerr << "last words" << std::endl;
    std::abort();
  }
  while (fault == "hang") pause();
  while (fault == "flood") std::cout << std::string(65536, 'x');
  if (fault == "garbage") std::cout << "muster-probe 1 0 5\n\xff\xff\xff\xff\xff" << std::flush;
  if (fault == "half") std::cout << "muster-probe 1 0 500\n" << std::flush;
  if (fault == "exit") return 7;
  if (fault == "linger") {  // a complete answer from a process that then stays
    std::cout << muster::agent::EncodeProbe(muster::agent::GpuLibraryReport{}) << std::flush;
    close(STDOUT_FILENO);
    while (true) pause();
  }
  if (!fault.empty()) return 0;
  return muster::agent::ProbeMain(argument.substr(kProbeFlag.size()));
}
