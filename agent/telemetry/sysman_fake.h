// A sysman with one card, for tests: what it has is in plain vectors, what goes wrong is set by the function's name.
#ifndef MUSTER_AGENT_TELEMETRY_SYSMAN_FAKE_H_
#define MUSTER_AGENT_TELEMETRY_SYSMAN_FAKE_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "agent/telemetry/sampler.h"
#include "agent/telemetry/sysman_calls.h"

namespace muster::agent {

// One at a time: sysman's functions are plain functions.
class FakeSysman {
 public:
  // An Arc A770 of one tile at 0000:03:00.0, with something of everything.
  FakeSysman();
  FakeSysman(const FakeSysman&) = delete;
  FakeSysman& operator=(const FakeSysman&) = delete;
  ~FakeSysman();

  // As a loader with zesInit has them.
  static SysmanCalls Calls();

  // Lets everything that counts go on for so long.
  void Advance(int64_t us);

  struct Sensor {
    int type = 0;
    double celsius = 0;
    double limit = -1;
    int tile = -1;
  };
  struct Power {
    int domain = 0;  // zes_power_domain_t
    double watts = 0;
    int tile = -1;
    int32_t sustained_mw = -1;
    int32_t default_mw = -1;
    uint64_t energy_uj = 0;
    uint64_t timestamp_us = 0;
  };
  struct Clock {
    int domain = 0;
    double mhz = 0;
    double max_mhz = 0;
    uint32_t throttled = 0;
    int tile = -1;
  };
  struct Engine {
    int type = 0;
    double busy = 0;
    int tile = -1;
    double ticks_per_us = 1;
    uint64_t active = 0;
    uint64_t timestamp = 0;
  };
  struct Memory {
    uint64_t physical = 0;
    uint64_t size = 0;
    uint64_t free = 0;
    int tile = -1;
    int location = 1;
    uint64_t read = 0;
    uint64_t written = 0;
    uint64_t max_bandwidth = 0;
    uint64_t timestamp_us = 0;
  };
  struct Ras {
    int type = 0;
    uint64_t categories[7] = {};
    int tile = -1;
  };
  struct Fan {
    int32_t rpm = -1;
    int32_t percent = -1;
    int32_t max_rpm = -1;
  };
  struct Port {
    int status = 0;
    int64_t bit_rate = -1;
    int32_t width = -1;
    uint64_t received = 0;
    uint64_t sent = 0;
  };

  std::vector<Sensor> sensors;
  std::vector<Power> powers;
  std::vector<Clock> clocks;
  std::vector<Engine> engines;
  std::vector<Memory> memories;
  std::vector<Ras> ras;
  std::vector<Fan> fans;
  std::vector<Port> ports;
  zes_pci_speed_t link = {3, 8, -1};
  zes_pci_speed_t max_link = {4, 16, -1};
  bool has_bandwidth_counters = true;
  bool has_replay_counters = true;
  zes_pci_stats_t stats = {};
  uint32_t reset = 0;
  std::vector<uint32_t> process_engines;
  uint32_t bus = 3;

  // What a function of this name gives in place of success; "" is for all but zesInit, zesDriverGet and zesDeviceGet.
  std::map<std::string, ze_result_t> results;
  // How often each was called.
  std::map<std::string, int> calls;
};

// Remembers the calls it was told of; fails the test's expectations by what it says: nested and open calls are counted.
class RecordingMarker final : public CallMarker {
 public:
  void Enter(absl::string_view device, const char* call) override {
    if (open) ++mistakes;
    open = true;
    last_device = std::string(device);
    entered[call] += 1;
  }
  void Leave() override {
    if (!open) ++mistakes;
    open = false;
  }

  bool open = false;
  int mistakes = 0;
  std::string last_device;
  std::map<std::string, int> entered;
};

}  // namespace muster::agent

#endif  // MUSTER_AGENT_TELEMETRY_SYSMAN_FAKE_H_
