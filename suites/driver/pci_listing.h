// What PCI shows, held against what a library lists.
#ifndef MUSTER_SUITES_DRIVER_PCI_LISTING_H_
#define MUSTER_SUITES_DRIVER_PCI_LISTING_H_

#include <set>
#include <string>
#include <vector>

#include "muster/v1/fleet.pb.h"

namespace muster::driver {

std::set<std::string> AddressesOf(const std::vector<v1::Device>& devices);

// "0000:41:00.0, 0000:c1:00.0"; "none".
std::string Listed(const std::set<std::string>& addresses);

// Measures both and fails the case where they differ. `library` is its name in messages, "NVML".
void ExpectSameGpus(const std::string& library, const std::set<std::string>& listed, const std::set<std::string>& pci);

}  // namespace muster::driver

#endif  // MUSTER_SUITES_DRIVER_PCI_LISTING_H_
