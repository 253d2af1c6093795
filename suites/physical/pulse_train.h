// Trains of pulses of verified work (stress.kernels.h) on one device.
//
// A train is one launch of at most a few tenths of a second. Devices that are to pulse together each have a train
// queued, wait for their hosts to say so (`queued`), and begin when a word of host memory changes, each by its own
// clock from then on.
#ifndef MUSTER_SUITES_PHYSICAL_PULSE_TRAIN_H_
#define MUSTER_SUITES_PHYSICAL_PULSE_TRAIN_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "suites/physical/compute_device.h"
#include "suites/physical/stress.kernels.h"

namespace muster::physical {

// A wrong result that the kernel makes by itself.
struct PulseInjection {
  uint32_t pulse = 0;
  uint32_t unit = 0;
  uint32_t kind = STRESS_TILE;
};

struct PulseOptions {
  double hertz = 1000;
  double duty = 0.5;  // 1: without a pause.
  uint32_t pulses = 100;
  uint32_t first_pulse = 0;  // Its number, for records and the injection.
  double delay_seconds = 0;  // Of the first pulse, from the start on.
  uint64_t seed = 1;
  std::optional<PulseInjection> injection;
};

struct PulseError {
  uint32_t unit = 0;
  bool names_unit = false;  // Otherwise `unit` is the group.
  uint32_t lane = 0;
  uint32_t pulse = 0;
  uint32_t block = 0;
  uint32_t kind = 0;
  uint32_t index = 0;
  int64_t expected = 0;
  int64_t found = 0;
  // "pulse 7 on unit 3, lane 0: tile entry 2 expected 5, found 6".
  std::string Describe() const;
};

struct PulseReport {
  uint64_t pulses = 0;
  uint64_t wrong = 0;
  std::vector<PulseError> errors;  // At most 16.
  double operations = 0;
  double seconds = 0;  // Of the whole launch, by the device.
  // By the kernel's time stamps of each group and pulse; by the launch's time where it has no clock.
  bool by_device_clock = false;
  double hertz = 0;
  double duty = 0;
  // How far the groups' beginnings of one pulse lie apart, and how late the latest beginning was, in seconds.
  double widest_spread = 0;
  double latest = 0;
  // Blocks of work of the slowest unit over the median of all.
  double slowest_unit_share = 1;
  uint32_t slowest_unit = 0;
};

class PulseTrain {
 public:
  // `device` outlives the train. Measures what work and waiting take, where the device has no clock. With
  // `nanoseconds_a_block` above 0 it does not measure and takes that for both: for tests.
  PulseTrain(ComputeDevice& device, uint32_t group_size, uint32_t nanoseconds_a_block = 0);
  ~PulseTrain();
  PulseTrain(const PulseTrain&) = delete;
  PulseTrain& operator=(const PulseTrain&) = delete;

  // Most pulses of one train: what keeps it under a second and its records within 64 MiB.
  uint32_t MostPulses(double hertz) const;

  // Queues the train, calls `queued`, and waits for its end. Until Start() is called, from any thread, the kernel looks
  // out for the start, for some seconds at most; without `queued` it starts at once.
  PulseReport Run(const PulseOptions& options, const std::function<void()>& queued = nullptr);
  void Start();

 private:
  StressArguments Arguments(const PulseOptions& options) const;
  void Launch(const StressArguments& arguments);
  void Calibrate();
  PulseReport Summarise(const PulseOptions& options, double seconds);
  void ReadTimes(const std::vector<StressPulse>& records, PulseReport& report) const;

  ComputeDevice& device_;
  const uint32_t group_size_;
  const uint64_t groups_;
  StressErrors* const errors_;
  uint32_t* const start_;  // In host memory.
  StressGroup* const totals_;
  StressPulse* records_ = nullptr;
  uint64_t room_ = 0;  // For records.
  bool has_clock_ = false;
  uint32_t tile_sets_ = 1;
  double block_ns_ = 0;
  double wait_ns_ = 0;
};

}  // namespace muster::physical

#endif  // MUSTER_SUITES_PHYSICAL_PULSE_TRAIN_H_
