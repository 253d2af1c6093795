// What the link between host and device can carry, as it is while data flows, from the vendor's management library.
#ifndef MUSTER_SUITES_BENCHMARK_LINK_WATCH_H_
#define MUSTER_SUITES_BENCHMARK_LINK_WATCH_H_

#include <level_zero/zes_api.h>

#include <optional>

#include "muster/v1/fleet.pb.h"
#include "suites/sdk/nvml.h"

namespace muster::benchmark {

class LinkWatch {
 public:
  explicit LinkWatch(const v1::Device& device);

  // While copies are under way: links go down when idle, so the best state counts.
  void Look();

  // Bytes a second one way; nullopt when nobody says. `measured` shows when a virtual machine gives the link a state
  // that it does not have: then nothing is expected, and a warning says so.
  std::optional<double> Expected(double measured) const;

 private:
  const sdk::Nvml* nvml_ = nullptr;
  sdk::Nvml::Handle nvidia_ = nullptr;
  zes_device_handle_t intel_ = nullptr;
  double best_ = 0;
};

}  // namespace muster::benchmark

#endif  // MUSTER_SUITES_BENCHMARK_LINK_WATCH_H_
