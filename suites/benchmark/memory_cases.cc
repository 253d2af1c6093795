// How fast device memory is read, written and copied, against bus width × clock.
//
// Bytes read and bytes written both count. Buffers are many times the cache; each result is verified.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>

#include "suites/benchmark/kernels.h"
#include "suites/sdk/cuda/device.h"
#include "suites/sdk/cuda/memory.h"
#include "suites/sdk/cuda/pattern.h"
#include "suites/sdk/cuda/timing.h"
#include "suites/sdk/devices.h"
#include "suites/sdk/measurement.h"
#include "suites/sdk/parameters.h"
#include "suites/sdk/peak.h"

namespace muster::benchmark {
namespace {

using sdk::Timing;
using sdk::cuda::DeviceBuffer;
using sdk::cuda::DeviceScope;
using sdk::cuda::Stream;
using sdk::cuda::TimeOnDevice;

constexpr uint64_t kSeed = 0x62656E63;
constexpr size_t kVectorBytes = 16;
constexpr int kWarmUps = 5;

// Bytes of each of `buffers` buffers: as the parameter says, and never more than 4/5 of the free memory for all.
size_t BufferBytes(const DeviceScope& scope, size_t buffers) {
  const auto wanted = static_cast<uint64_t>(sdk::Parameter<int64_t>("buffer_mib")) << 20;
  const uint64_t fitting = scope.FreeMemoryBytes() / 5 * 4 / buffers;
  return std::min(wanted, fitting) / (1 << 20) * (1 << 20);
}

int Repeats() { return static_cast<int>(sdk::Parameter<int64_t>("repeats")); }

void ReportBandwidth(const std::string& name, const DeviceScope& scope, double bytes, const Timing& timing) {
  sdk::MeasureShare(name, bytes / timing.median_seconds, "B/s", MemoryBandwidthPeak(scope.Figures()),
                    sdk::Parameter<double>("memory_floor"));
  sdk::ReportWork("bytes", bytes * Repeats());
}

// Two buffers, the first with the pattern in it and the second poisoned.
struct CopyBuffers {
  explicit CopyBuffers(const DeviceScope& scope)
      : words(BufferBytes(scope, 2) / sizeof(uint64_t)), from(words), to(words) {
    sdk::cuda::FillPattern(stream, from.data(), words, kSeed);
    Poison();
  }
  void Poison() { CUDA_CHECK(cudaMemsetAsync(to.data(), 0xFF, to.bytes(), stream.get())); }
  void ExpectCopied(const char* how) {
    const auto seen = VerifyPattern(stream, to.data(), words, kSeed);
    EXPECT_EQ(seen.wrong_words, 0u) << "data copied by " << how << ": " << seen.Problem();
  }

  Stream stream;
  size_t words;
  DeviceBuffer<uint64_t> from;
  DeviceBuffer<uint64_t> to;
};

TEST(copy, device) {
  sdk::ForEachDevice([](const v1::Device& device) {
    const DeviceScope scope(device);
    CopyBuffers buffers(scope);
    const double bytes = 2.0 * static_cast<double>(buffers.to.bytes());
    const auto by_driver = TimeOnDevice(buffers.stream, kWarmUps, Repeats(), [&] {
      CUDA_CHECK(cudaMemcpyAsync(buffers.to.data(), buffers.from.data(), buffers.to.bytes(), cudaMemcpyDeviceToDevice,
                                 buffers.stream.get()));
    });
    buffers.ExpectCopied("the driver");
    ReportBandwidth("copy_bandwidth", scope, bytes, by_driver);
    buffers.Poison();
    const auto by_kernel = TimeOnDevice(buffers.stream, kWarmUps, Repeats(), [&] {
      CUDA_CHECK(
          LaunchCopy(buffers.to.data(), buffers.from.data(), buffers.to.bytes() / kVectorBytes, buffers.stream.get()));
    });
    buffers.ExpectCopied("a kernel");
    ReportBandwidth("copy_kernel_bandwidth", scope, bytes, by_kernel);
  });
}

// A counter in device memory, zero at first.
class Counter {
 public:
  explicit Counter(const Stream& stream) : stream_(stream), value_(1) { Zero(); }
  void Zero() { CUDA_CHECK(cudaMemsetAsync(value_.data(), 0, sizeof(unsigned long long), stream_.get())); }
  unsigned long long* data() { return value_.data(); }
  unsigned long long Read() const {
    unsigned long long value = 0;
    CUDA_CHECK(cudaMemcpyAsync(&value, value_.data(), sizeof(value), cudaMemcpyDeviceToHost, stream_.get()));
    stream_.Wait();
    return value;
  }

 private:
  const Stream& stream_;
  DeviceBuffer<unsigned long long> value_;
};

TEST(memory, read) {
  sdk::ForEachDevice([](const v1::Device& device) {
    const DeviceScope scope(device);
    const Stream stream;
    const size_t words = BufferBytes(scope, 1) / sizeof(uint64_t);
    const DeviceBuffer<uint64_t> buffer(words);
    Counter found(stream);
    Counter expected(stream);
    sdk::cuda::FillPattern(stream, buffer.data(), words, kSeed);
    const auto read = [&] {
      CUDA_CHECK(LaunchRead(buffer.data(), buffer.bytes() / kVectorBytes, found.data(), stream.get()));
    };
    const auto timing = TimeOnDevice(stream, kWarmUps, Repeats(), read);
    found.Zero();
    read();
    CUDA_CHECK(LaunchPatternXor(words, kSeed, expected.data(), stream.get()));
    EXPECT_EQ(found.Read(), expected.Read())
        << "expected the checksum of what was read to be that of the pattern written";
    ReportBandwidth("read_bandwidth", scope, static_cast<double>(buffer.bytes()), timing);
  });
}

TEST(memory, write) {
  sdk::ForEachDevice([](const v1::Device& device) {
    const DeviceScope scope(device);
    const Stream stream;
    const DeviceBuffer<uint64_t> buffer(BufferBytes(scope, 1) / sizeof(uint64_t));
    const size_t vectors = buffer.bytes() / kVectorBytes;
    constexpr uint32_t kValue = 0xA5C33C5A;
    CUDA_CHECK(cudaMemsetAsync(buffer.data(), 0xFF, buffer.bytes(), stream.get()));
    const auto timing = TimeOnDevice(stream, kWarmUps, Repeats(),
                                     [&] { CUDA_CHECK(LaunchWrite(buffer.data(), vectors, kValue, stream.get())); });
    // Each vector is (value, its number, value, value): two of them and the sum of all are known.
    Counter found(stream);
    CUDA_CHECK(LaunchRead(buffer.data(), vectors, found.data(), stream.get()));
    uint32_t numbers = 0;
    for (size_t i = 0; i < vectors; ++i) numbers ^= static_cast<uint32_t>(i);
    const uint64_t values = vectors % 2 == 0 ? 0 : kValue;
    // Little endian: word 0 of a vector is (number << 32 | value), word 1 is (value << 32 | value).
    const uint64_t expected = (static_cast<uint64_t>(numbers) << 32) ^ (values << 32);
    EXPECT_EQ(found.Read(), expected) << "expected the checksum of what lies in memory to be that of what was written";
    ReportBandwidth("write_bandwidth", scope, static_cast<double>(buffer.bytes()), timing);
  });
}

TEST(memory, triad) {
  sdk::ForEachDevice([](const v1::Device& device) {
    const DeviceScope scope(device);
    const Stream stream;
    const size_t count = BufferBytes(scope, 3) / sizeof(float);
    const size_t vectors = count * sizeof(float) / kVectorBytes;
    const DeviceBuffer<float> a(count);
    const DeviceBuffer<float> b(count);
    const DeviceBuffer<float> c(count);
    CUDA_CHECK(LaunchTriadFill(b.data(), c.data(), vectors, stream.get()));
    CUDA_CHECK(cudaMemsetAsync(a.data(), 0xFF, a.bytes(), stream.get()));
    const auto timing = TimeOnDevice(stream, kWarmUps, Repeats(), [&] {
      CUDA_CHECK(LaunchTriad(a.data(), b.data(), c.data(), vectors, stream.get()));
    });
    Counter wrong(stream);
    CUDA_CHECK(LaunchTriadCheck(a.data(), vectors, wrong.data(), stream.get()));
    EXPECT_EQ(wrong.Read(), 0u) << "elements of " << count << " that are not b + 3 c";
    ReportBandwidth("triad_bandwidth", scope, 3.0 * static_cast<double>(a.bytes()), timing);
  });
}

}  // namespace
}  // namespace muster::benchmark
