// How long it takes to have a kernel run that does nothing: launched by itself, and as a graph.
//
// Nothing in a device's figures says how long that is: the limits are parameters, far above what a healthy machine
// needs.
#include <gtest/gtest.h>

#include <utility>

#include "suites/benchmark/kernels.h"
#include "suites/sdk/cuda/device.h"
#include "suites/sdk/cuda/memory.h"
#include "suites/sdk/cuda/timing.h"
#include "suites/sdk/devices.h"
#include "suites/sdk/measurement.h"
#include "suites/sdk/parameters.h"

namespace muster::benchmark {
namespace {

using sdk::TimeOnHost;
using sdk::cuda::DeviceScope;
using sdk::cuda::Stream;
using sdk::cuda::TimeOnDevice;

constexpr int kWarmUps = 100;
constexpr int kRepeats = 2000;
// Kernels in a row, for the time each adds.
constexpr int kRow = 100;
constexpr int kRows = 50;

double LimitSeconds() { return 1e-6 * sdk::Parameter<double>("latency_limit_us"); }

TEST(latency, launch) {
  sdk::ForEachDevice([](const v1::Device& device) {
    const DeviceScope scope(device);
    const Stream stream;
    const auto one = TimeOnHost(kWarmUps, kRepeats, [&] {
      CUDA_CHECK(LaunchEmpty(stream.get()));
      stream.Wait();
    });
    sdk::Measure("launch_latency", one.median_seconds, "s").AtMost(LimitSeconds());
    const auto row = TimeOnDevice(stream, 1, kRows, [&] {
      for (int i = 0; i < kRow; ++i) CUDA_CHECK(LaunchEmpty(stream.get()));
    });
    sdk::Measure("launch_interval", row.median_seconds / kRow, "s").AtMost(LimitSeconds());
    sdk::ReportWork("iterations", kRepeats + static_cast<double>(kRow) * kRows);
  });
}

// `kernels` empty kernels, one after the other, ready to launch.
class EmptyGraph {
 public:
  EmptyGraph(const Stream& stream, int kernels) {
    CUDA_CHECK(cudaStreamBeginCapture(stream.get(), cudaStreamCaptureModeThreadLocal));
    for (int i = 0; i < kernels; ++i) CUDA_CHECK(LaunchEmpty(stream.get()));
    cudaGraph_t graph = nullptr;
    CUDA_CHECK(cudaStreamEndCapture(stream.get(), &graph));
    const cudaError_t error = cudaGraphInstantiate(&executable_, graph, 0);
    cudaGraphDestroy(graph);
    CUDA_CHECK(error);
  }
  ~EmptyGraph() { cudaGraphExecDestroy(executable_); }
  EmptyGraph(const EmptyGraph&) = delete;
  EmptyGraph& operator=(const EmptyGraph&) = delete;

  void Launch(const Stream& stream) const { CUDA_CHECK(cudaGraphLaunch(executable_, stream.get())); }

 private:
  cudaGraphExec_t executable_ = nullptr;
};

TEST(latency, graph) {
  sdk::ForEachDevice([](const v1::Device& device) {
    const DeviceScope scope(device);
    const Stream stream;
    const EmptyGraph single(stream, 1);
    const auto one = TimeOnHost(kWarmUps, kRepeats, [&] {
      single.Launch(stream);
      stream.Wait();
    });
    sdk::Measure("graph_launch_latency", one.median_seconds, "s").AtMost(LimitSeconds());
    const EmptyGraph chain(stream, kRow);
    const auto row = TimeOnDevice(stream, 1, kRows, [&] { chain.Launch(stream); });
    sdk::Measure("graph_kernel_interval", row.median_seconds / kRow, "s").AtMost(LimitSeconds());
    sdk::ReportWork("iterations", kRepeats + static_cast<double>(kRow) * kRows);
  });
}

}  // namespace
}  // namespace muster::benchmark
