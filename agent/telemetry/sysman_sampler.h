// Intel's GPUs by Level Zero's sysman.
//
// A card is one device with one set of readings, however many tiles it has (Level Zero's COMPOSITE hierarchy): what
// sysman gives for the card counts; where it gives tiles alone, power, energy, memory, bytes and errors are added up,
// the busy share of engines is the tiles' mean, and of temperatures, clocks and throttle reasons the highest counts.
//
// Handles are found at the first turn and again after a call has said that the device is lost. Blocks wherever the
// driver does; for one thread.
#ifndef MUSTER_AGENT_TELEMETRY_SYSMAN_SAMPLER_H_
#define MUSTER_AGENT_TELEMETRY_SYSMAN_SAMPLER_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "agent/telemetry/sampler.h"
#include "agent/telemetry/sysman_calls.h"
#include "agent/telemetry/sysman_part.h"

namespace muster::agent {

class SysmanSampler {
 public:
  // `now_us`: a steady clock. `marker` outlives the object.
  SysmanSampler(const SysmanCalls& calls, CallMarker& marker, std::function<int64_t()> now_us);
  // Its parts refer to it.
  SysmanSampler(const SysmanSampler&) = delete;
  SysmanSampler& operator=(const SysmanSampler&) = delete;

  // Initialises sysman and lists its devices. After an error no other call may follow.
  absl::Status Start();

  // By PCI address.
  std::vector<std::string> Devices() const;
  // The UUID where it identifies the card, else empty.
  std::string Uuid(const std::string& pci_address) const;

  // Finds the handles of a device when that is due and takes first readings of its counters; true when it did.
  bool Prepare(const std::string& pci_address);
  // Empty for a device that sysman does not have.
  ReadingSet Read(const std::string& pci_address);

 private:
  struct Card {
    explicit Card(SysmanDevice its_device) : device(std::move(its_device)) {}
    SysmanDevice device;
    std::string uuid;
    std::vector<std::unique_ptr<SysmanPart>> parts;
  };

  void AddCard(zes_device_handle_t handle);

  const SysmanCalls calls_;
  CallMarker& marker_;
  const std::function<int64_t()> now_us_;
  std::map<std::string, std::unique_ptr<Card>> cards_;
};

}  // namespace muster::agent

#endif  // MUSTER_AGENT_TELEMETRY_SYSMAN_SAMPLER_H_
