// Which machines and devices are in quarantine. Plain memory; owned by Core.
#ifndef MUSTER_COORDINATOR_FLEET_QUARANTINE_TABLE_H_
#define MUSTER_COORDINATOR_FLEET_QUARANTINE_TABLE_H_

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "coordinator/store/store.h"
#include "muster/v1/health.pb.h"

namespace muster::coordinator {

class QuarantineTable {
 public:
  explicit QuarantineTable(std::vector<v1::Quarantine> quarantines);

  // Takes the place of one of the same machine and device, which keeps its beginning.
  v1::Quarantine Set(v1::Quarantine quarantine);
  // As it was; nothing when there was none.
  std::optional<v1::Quarantine> Release(std::string_view machine, std::string_view device_id);

  // The machine's own first.
  std::vector<v1::Quarantine> Of(std::string_view machine) const;
  // What must be written, in the order in which it happened.
  std::vector<QuarantineRow> TakeChanges();

 private:
  using OfMachine = std::map<std::string, v1::Quarantine, std::less<>>;  // By device; "" is the machine itself.
  std::map<std::string, OfMachine, std::less<>> machines_;
  std::vector<QuarantineRow> changes_;
};

}  // namespace muster::coordinator

#endif  // MUSTER_COORDINATOR_FLEET_QUARANTINE_TABLE_H_
