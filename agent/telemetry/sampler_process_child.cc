// The child of sampler_process_test: a sampler of three devices, or one that misbehaves as the file says whose name is
// in SAMPLER_CHILD_FAULT.
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iostream>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "agent/telemetry/sample_frame.h"
#include "agent/telemetry/sampler_child.h"

namespace muster::agent {
namespace {

constexpr const char* kDevices[] = {"0000:01:00.0", "0000:02:00.0", "0000:03:00.0"};

void Stay() {
  while (true) pause();
}

class FakeSampler final : public Sampler {
 public:
  FakeSampler(std::string fault, CallMarker& marker) : fault_(std::move(fault)), marker_(marker) {}

  absl::Status Start() override {
    if (fault_ == "absent") return absl::NotFoundError("found no library");
    if (fault_ == "broken") return absl::FailedPreconditionError("library and driver differ");
    marker_.Enter("", "fakeInit");
    if (fault_ == "hang-start") Stay();
    marker_.Leave();
    std::puts("the library prints what nobody asked for");
    std::fflush(stdout);
    return absl::OkStatus();
  }

  absl::StatusOr<std::vector<v1::DeviceSample>> Sample(const std::vector<std::string>& skip) override {
    if (fault_ == "sample-error") return absl::UnavailableError("the library wants to be started anew");
    std::vector<v1::DeviceSample> samples;
    for (const char* device : kDevices) {
      if (std::count(skip.begin(), skip.end(), device) > 0) continue;
      marker_.Enter(device, "fakeGetTemperature");
      if (device == kDevices[1]) MisbehaveInCall();
      if (fault_ == "slow") std::this_thread::sleep_for(std::chrono::milliseconds(30));
      marker_.Leave();
      v1::DeviceSample& sample = samples.emplace_back();
      sample.set_pci_address(device);
      v1::Reading& reading = *sample.add_readings();
      reading.set_field(v1::TEMPERATURE);
      reading.add_labels("core");
      reading.set_value(40);
    }
    if (fault_ == "stall") Stay();
    return samples;
  }

 private:
  void MisbehaveInCall() {
    if (fault_ == "hang-device" || fault_ == "hang-unkillable") Stay();
    if (fault_ == "crash-device") {
      std::cerr << "last words" << std::endl;
      std::abort();
    }
    if (fault_ == "scribble") {  // Writes nonsense all over what it shares with the agent.
      void* page = mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, STDIN_FILENO, 0);
      std::memset(page, 0xEE, 4096);
      Stay();
    }
  }

  const std::string fault_;
  CallMarker& marker_;
};

void WriteOut(const std::string& bytes) {
  if (write(STDOUT_FILENO, bytes.data(), bytes.size()) < 0) _exit(0);
}

// What is no sampler.
void MisbehaveInstead(const std::string& fault) {
  if (fault == "rubbish") WriteOut("Segmentation fault, or something like it\n");
  if (fault == "long-frame") WriteOut(std::string("\xff\xff\xff\x7fS", 5));
  while (fault == "flood") WriteOut(EncodeTurn({}));
  while (fault == "flood-words") std::cerr << std::string(65536, 'x');
  if (fault == "exit") _exit(7);
  if (fault == "close") close(STDOUT_FILENO);
  if (fault == "rubbish" || fault == "long-frame" || fault == "close") Stay();
}

}  // namespace
}  // namespace muster::agent

int main(int argc, char** argv) {
  using namespace muster::agent;
  const char* file = std::getenv("SAMPLER_CHILD_FAULT");
  std::string fault;
  if (file != nullptr) std::ifstream(file) >> fault;
  if (fault == "hang-unkillable") signal(SIGTERM, SIG_IGN);
  MisbehaveInstead(fault);
  RunSamplerMain(
      [&](const SamplerArguments&, CallMarker& marker) { return std::make_unique<FakeSampler>(fault, marker); },
      std::vector<std::string>(argv + std::min(argc, 2), argv + argc));
}
