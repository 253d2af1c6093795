#include "suites/driver/installation.h"

namespace muster::driver {

const Installation& NvidiaDriver();
const Installation& IntelDriver();

const Installation& Installation::Of(v1::Vendor vendor) {
  return vendor == v1::VENDOR_INTEL ? IntelDriver() : NvidiaDriver();
}

}  // namespace muster::driver
