// Short names for devices: "GPU 0" is the first of its machine's inventory.
#ifndef MUSTER_CLI_DEVICE_NAMES_H_
#define MUSTER_CLI_DEVICE_NAMES_H_

#include <map>
#include <string>
#include <vector>

#include "muster/v1/fleet.pb.h"

namespace muster::cli {

// Fit to be shown, and marked where the device is a simulation.
std::string ModelOf(const v1::Device& device);

class DeviceNames {
 public:
  void Add(const v1::Machine& machine);

  // "GPU 0"; of an unknown device the front of its identity.
  std::string Short(const std::string& device_id) const;
  // "GPU 0  NVIDIA H200  0000:41:00.0".
  std::string Long(const std::string& device_id) const;
  // Of a job's devices: "", "GPU 0", "GPU 0,1" or "8 GPUs".
  std::string Join(const std::vector<std::string>& device_ids) const;

 private:
  struct Known {
    int index = 0;
    std::string model;
    std::string pci_address;
  };
  std::map<std::string, Known> devices_;
};

}  // namespace muster::cli

#endif  // MUSTER_CLI_DEVICE_NAMES_H_
