// The exchange of data with the host's memory.
#include <functional>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "suites/physical/device_memory.h"
#include "suites/physical/stream.h"
#include "suites/physical/stream_repeat.h"
#include "suites/physical/transfer_pattern.h"

namespace muster::physical {
namespace {

constexpr uint32_t kToDeviceKey = 0x68326400;
constexpr uint32_t kToHostKey = 0x64326800;

// The device's end of a link: its memory, and one queue to it.
struct DeviceEnd {
  DeviceEnd(ComputeDevice& owner, ComputeDevice& queue, uint64_t bytes) : memory(owner, bytes), queue(queue) {}
  DeviceMemory memory;
  ComputeDevice& queue;
};

char* At(void* memory, uint64_t offset) { return static_cast<char*>(memory) + offset; }

// The target is overwritten before each transfer: what was not transferred is what lay there.
RepeatedTransfer ToDevice(DeviceEnd& end, void* host, const StreamOptions& options) {
  const auto keys = [](uint32_t repeat) { return TransferKeys{kToDeviceKey, kToDeviceKey + 1 + repeat}; };
  FillPatternOnHost(host, options.bytes, kToDeviceKey);
  return {
      .prepare =
          [=, &end](uint32_t repeat) { FillPattern(end.queue, end.memory.data(), options.bytes, keys(repeat).before); },
      .move = [=, &end](uint32_t, uint64_t to, uint64_t from,
                        uint64_t bytes) { end.queue.Copy(At(end.memory.data(), to), At(host, from), bytes); },
      .flip = [=, &end] { FlipBit(end.queue, end.memory.data(), options.bytes, options.fault); },
      .problem =
          [=, &end](uint32_t repeat) {
            return CheckPattern(end.queue, end.memory.data(), options.bytes, keys(repeat)).Problem();
          },
  };
}

// The source is other data for each transfer: what was not transferred is the data before it.
RepeatedTransfer ToHost(DeviceEnd& end, void* host, bool pinned, const StreamOptions& options) {
  const auto keys = [](uint32_t repeat) { return TransferKeys{kToHostKey + 1 + repeat, kToHostKey + repeat}; };
  FillPatternOnHost(host, options.bytes, keys(0).before);
  return {
      .prepare =
          [=, &end](uint32_t repeat) {
            FillPattern(end.queue, end.memory.data(), options.bytes, keys(repeat).written);
          },
      .move = [=, &end](uint32_t, uint64_t to, uint64_t from,
                        uint64_t bytes) { end.queue.Copy(At(host, to), At(end.memory.data(), from), bytes); },
      .flip =
          [=, &end] {
            if (pinned) FlipBit(end.queue, host, options.bytes, options.fault);
          },
      .problem = [=](uint32_t repeat) { return CheckPatternOnHost(host, options.bytes, keys(repeat)).Problem(); },
  };
}

// What a queue copies before the other one begins: with it both are at work when the time begins.
constexpr uint64_t kLeadShare = 16;

// Of the buffer, what is timed: as much as leaves the other direction at work to the end.
constexpr double kParts[] = {7.0 / 8, 3.0 / 4, 1.0 / 2, 1.0 / 4, 1.0 / 8};

bool Times(const std::optional<TransferFault>& fault) { return !fault || fault->kind == TransferFault::Kind::kSlow; }

// One direction of two at once.
struct Direction {
  ComputeDevice& queue;
  const RepeatedTransfer& transfer;
  // A copy in this direction that nothing is asked of.
  std::function<void()> lead;
  StreamReport report;

  void Move(const StreamOptions& options, uint32_t repeat, uint64_t bytes) const {
    Transfer(bytes, options.fault,
             [&](uint64_t to, uint64_t from, uint64_t piece) { transfer.move(repeat, to, from, piece); });
  }
  // False when there was a problem.
  bool Verify(uint32_t repeat) {
    const std::string problem = transfer.problem(repeat);
    if (!problem.empty()) report.problem = absl::StrCat("transfer ", repeat + 1, ": ", problem);
    return problem.empty();
  }
};

// Times a part of the one direction's transfer while all of the other's goes on. Seconds; nullopt when the other had
// ended before.
std::optional<double> TimeAccompanied(Direction& timed, Direction& other, const StreamOptions& options, uint32_t repeat,
                                      uint64_t part, const std::function<void()>& between) {
  for (const Direction* direction : {&timed, &other}) {
    direction->transfer.prepare(repeat);
    direction->queue.Wait();
  }
  other.lead();
  const auto begun = other.queue.Record();
  timed.queue.WaitFor(*begun);
  other.Move(options, repeat, options.bytes);
  const double seconds = timed.queue.Seconds([&] {
    timed.Move(options, repeat, Times(options.fault) ? part : options.bytes);
    if (between) between();
  });
  const bool accompanied = !other.queue.WaitAtMost(0);
  if (Times(options.fault) && part < options.bytes) timed.transfer.move(repeat, part, part, options.bytes - part);
  timed.transfer.flip();
  other.transfer.flip();
  timed.queue.Wait();
  other.queue.Wait();
  return accompanied ? std::optional<double>(seconds) : std::nullopt;
}

}  // namespace

StreamReport StreamToDevice(ComputeDevice& device, void* host, const StreamOptions& options,
                            const std::function<void()>& between) {
  DeviceEnd end(device, device, options.bytes);
  RepeatedTransfer transfer = ToDevice(end, host, options);
  transfer.between = between;
  return RepeatTransfer(device, options, options.bytes, transfer);
}

StreamReport StreamToHost(ComputeDevice& device, void* host, bool pinned, const StreamOptions& options,
                          const std::function<void()>& between) {
  DeviceEnd end(device, device, options.bytes);
  RepeatedTransfer transfer = ToHost(end, host, pinned, options);
  transfer.between = between;
  return RepeatTransfer(device, options, options.bytes, transfer);
}

StreamBothReport StreamBoth(ComputeDevice& device, void* host_source, void* host_target, const StreamOptions& options,
                            const std::function<void()>& between) {
  const auto queue = device.OpenQueue();
  DeviceEnd target(device, device, options.bytes);
  DeviceEnd source(device, *queue, options.bytes);
  const uint64_t lead_bytes = options.bytes / kLeadShare;
  const DeviceMemory lead_on_device(device, 2 * lead_bytes);
  const PinnedMemory lead_on_host(device, lead_bytes);
  const RepeatedTransfer to_device = ToDevice(target, host_source, options);
  const RepeatedTransfer to_host = ToHost(source, host_target, true, options);
  Direction down{device, to_device, [&] { device.Copy(lead_on_device.data(), host_source, lead_bytes); }, {}};
  Direction up{*queue,
               to_host,
               [&] { queue->Copy(lead_on_host.data(), At(lead_on_device.data(), lead_bytes), lead_bytes); },
               {}};
  uint32_t repeat = 0;
  for (const double share : kParts) {
    const uint64_t part = static_cast<uint64_t>(static_cast<double>(options.bytes) * share) / 16 * 16;
    down.report = {.bytes = part};
    up.report = {.bytes = part};
    bool accompanied = true;
    for (int counted = -options.warm_ups; counted < options.repeats && accompanied; ++counted) {
      for (Direction* timed : {&down, &up}) {
        const auto seconds = TimeAccompanied(*timed, timed == &down ? up : down, options, repeat, part, between);
        const bool right = down.Verify(repeat) & up.Verify(repeat);
        ++repeat;
        if (!right) return {std::move(down.report), std::move(up.report)};
        accompanied = accompanied && seconds.has_value();
        if (counted >= 0 && seconds) timed->report.seconds.push_back(*seconds);
      }
    }
    if (accompanied) return {std::move(down.report), std::move(up.report)};
  }
  down.report.seconds.clear();
  up.report.seconds.clear();
  return {std::move(down.report), std::move(up.report)};
}

}  // namespace muster::physical
