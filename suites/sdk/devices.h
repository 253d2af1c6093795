// The devices that the job leased (or, by hand, those that the driver shows), and the loop over them.
#ifndef MUSTER_SUITES_SDK_DEVICES_H_
#define MUSTER_SUITES_SDK_DEVICES_H_

#include <functional>
#include <vector>

#include "muster/v1/fleet.pb.h"

namespace muster::sdk {

const std::vector<v1::Device>& LeasedDevices();

// False with a simulated device: it is as fast as the host that plays it, so nothing is asked of its speed or power.
bool SpeedsAreReal();

// Calls `test` for each leased device, one after the other. Failures, errors and measurements inside are the device's;
// an exception ends that device's round and the others still go; of several devices a tool error says which it was.
// DeviceSkipped skips one device: the test is skipped when all are, otherwise the device is noted. With no device at
// all the test is skipped.
void ForEachDevice(const std::function<void(const v1::Device&)>& test);

}  // namespace muster::sdk

#endif  // MUSTER_SUITES_SDK_DEVICES_H_
