// The catalogue of events (event_catalogue.textproto), which the program carries in itself, and how a line of the
// kernel's log finds its entry.
//
// Unchanging once made: any thread.
#ifndef MUSTER_BASE_EVENT_CATALOGUE_H_
#define MUSTER_BASE_EVENT_CATALOGUE_H_

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "base/event_catalogue.pb.h"

namespace re2 {
class RE2;
}  // namespace re2

namespace muster::base {

class EventCatalogue {
 public:
  // What a line says.
  struct Match {
    const EventKind* kind = nullptr;
    std::string code;         // With its number: "nvidia.xid.79".
    std::string pci_address;  // "0000:41:00.0"; empty when the line has none.
  };

  // The embedded one; it is in order (its test says so).
  static const EventCatalogue& Embedded();
  // InvalidArgument when an entry is not in order: no title, an expression that RE2 does not take, two for one code, …
  static absl::StatusOr<std::unique_ptr<EventCatalogue>> Make(const EventCatalogueProto& entries);
  ~EventCatalogue();

  // Nothing for a line that is no event.
  std::optional<Match> Classify(const std::string& line) const;
  // The entry of a code, "nvidia.xid.79" or "ecc.uncorrected"; a family's own for a number that has none. Null: no such
  // code.
  const EventKind* Find(std::string_view code) const;
  const std::vector<EventKind>& kinds() const { return kinds_; }

 private:
  class Expressions;
  EventCatalogue();
  absl::Status Add(const EventKind& kind);
  const EventKind& OfNumber(const EventKind& matched, uint32_t number) const;

  std::vector<EventKind> kinds_;
  std::map<std::pair<std::string, uint32_t>, size_t> by_number_;  // Indices of kinds_.
  std::map<std::string, size_t, std::less<>> by_code_;            // The first of each code without numbers.
  std::unique_ptr<Expressions> expressions_;
};

// What an entry's condition needs to be over, in words; empty for an entry without an effect.
std::string DescribeClears(const EventKind& kind);

}  // namespace muster::base

#endif  // MUSTER_BASE_EVENT_CATALOGUE_H_
