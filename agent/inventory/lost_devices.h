// GPUs that were there and are gone: the machine goes on to have them, as lost.
#ifndef MUSTER_AGENT_INVENTORY_LOST_DEVICES_H_
#define MUSTER_AGENT_INVENTORY_LOST_DEVICES_H_

#include "muster/v1/fleet.pb.h"

namespace muster::agent {

// Mends `now` by what was known `before`, within one boot of the machine: a GPU that PCI no longer shows is kept as
// NOT_LISTED, and one that PCI shows and its library no longer lists keeps the identity (id, UUID, model, …) that only
// the library could give. So that its health, its quarantine and its results stay those of one device.
void KeepLostDevices(const v1::Machine& before, v1::Machine& now);

}  // namespace muster::agent

#endif  // MUSTER_AGENT_INVENTORY_LOST_DEVICES_H_
