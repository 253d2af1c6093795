// Data moved from device to device over whatever links them, by the driver's copy and by kernels that load from or
// store to the other's memory; every byte that arrives is checked.
//
// Each pair's data are its own: what came from another device, or from another place, is told apart from what did not
// come at all. What a round measures is the time of the transfers alone; filling and checking are not in it.
#ifndef MUSTER_SUITES_PHYSICAL_PEER_TRANSFER_H_
#define MUSTER_SUITES_PHYSICAL_PEER_TRANSFER_H_

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "suites/physical/compute_device.h"
#include "suites/physical/device_memory.h"
#include "suites/physical/transfer_fault.h"

namespace muster::physical {

// Data go from the one device to the other; places in the list of devices.
struct PeerPair {
  size_t from = 0;
  size_t to = 0;
  bool operator==(const PeerPair&) const = default;
};

// The driver's copy, queued by the sender; kernels of the receiver that load; kernels of the sender that store.
enum class PeerMethod { kCopy, kLoads, kStores };
// "copy", "loads", "stores".
const char* PeerMethodName(PeerMethod method);

// A transfer of one pair that does something wrong, so that the test can be tested.
struct PeerFault {
  PeerPair pair;
  std::optional<TransferFault> transfer;
  // Without one: the data come from another device's memory.
};
// "FROM:TO:FAULT", FAULT as ParseTransferFault has it or "source"; empty text: none. Throws ToolError for what is
// neither.
std::optional<PeerFault> ParsePeerFault(const std::string& text);

struct PeerResult {
  PeerPair pair;
  uint64_t bytes = 0;
  double seconds = 0;
  // "from GPU 0 to GPU 1, by loads: …"; empty when all arrived as it was sent.
  std::string problem;
};

struct PeerRound {
  std::vector<PeerResult> results;  // Of each pair, in the order asked.
  double seconds = 0;               // From the first transfer's begin to the last one's end.
  double BytesPerSecond() const;    // Of all together.
};

class PeerTransfers {
 public:
  // Takes `bytes` twice on each device, which outlive it. ToolError when there is not that much memory.
  PeerTransfers(std::vector<ComputeDevice*> devices, uint64_t bytes, uint64_t seed);

  // Whether kernels of each reach the other's memory; copies go in any case.
  bool Reach(const PeerPair& pair) const { return reach_.at({pair.from, pair.to}); }
  // All pairs at the same time. A device that is in several of them shares its memory among them.
  PeerRound Run(const std::vector<PeerPair>& pairs, PeerMethod method, const std::optional<PeerFault>& fault);

 private:
  struct Lane;
  std::vector<Lane> Lanes(const std::vector<PeerPair>& pairs);
  ComputeDevice& QueueOf(const PeerPair& pair, PeerMethod method);
  void Fill(const std::vector<Lane>& lanes);
  void Move(const Lane& lane, PeerMethod method, const std::optional<PeerFault>& fault);
  double Time(const std::vector<Lane>& lanes, PeerMethod method, const std::optional<PeerFault>& fault,
              std::vector<PeerResult>& results);
  std::string Check(const Lane& lane, PeerMethod method);

  const std::vector<ComputeDevice*> devices_;
  const uint64_t bytes_;
  const uint64_t seed_;
  uint32_t round_ = 0;
  std::vector<std::unique_ptr<DeviceMemory>> sources_;
  std::vector<std::unique_ptr<DeviceMemory>> targets_;
  std::map<std::pair<size_t, size_t>, bool> reach_;
  std::map<std::pair<size_t, size_t>, std::unique_ptr<ComputeDevice>> queues_[3];
};

}  // namespace muster::physical

#endif  // MUSTER_SUITES_PHYSICAL_PEER_TRANSFER_H_
