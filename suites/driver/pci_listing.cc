#include "suites/driver/pci_listing.h"

#include <gtest/gtest.h>

#include "absl/strings/str_join.h"
#include "suites/sdk/measurement.h"

namespace muster::driver {

std::set<std::string> AddressesOf(const std::vector<v1::Device>& devices) {
  std::set<std::string> addresses;
  for (const v1::Device& device : devices) addresses.insert(device.pci_address());
  return addresses;
}

std::string Listed(const std::set<std::string>& addresses) {
  return addresses.empty() ? "none" : absl::StrJoin(addresses, ", ");
}

void ExpectSameGpus(const std::string& library, const std::set<std::string>& listed, const std::set<std::string>& pci) {
  sdk::Measure("driver.pci_gpus", static_cast<double>(pci.size()), "1").OfPart(library);
  sdk::Measure("driver.listed_gpus", static_cast<double>(listed.size()), "1").OfPart(library);
  EXPECT_EQ(listed, pci) << "expected " << library << " to list what PCI shows (" << Listed(pci) << "), found "
                         << Listed(listed)
                         << "; a GPU that is missing failed to start or fell off the bus: read the kernel log";
}

}  // namespace muster::driver
