// Feeds anything to the parser of kernel records and to the event catalogue.
//
//   build-fuzz/tests/fuzz/fuzz_kernel_record -max_total_time=30
//
// Besides crashes and sanitizer reports it looks for broken promises: a record that is taken has clean, bounded text,
// and an event has a code of the catalogue and an address in the one form or none.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "base/event_catalogue.h"
#include "base/kernel_record.h"
#include "base/pci.h"
#include "base/utf8.h"

namespace {

void Check(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace muster;  // NOLINT: a fuzzer's one function.
  const std::string input(reinterpret_cast<const char*>(data), size);
  // Half of the inputs get a prefix, so that the fuzzer need not find it by itself.
  const bool whole = size > 0 && (data[0] & 1) != 0;
  const auto record = base::ParseKernelRecord(whole ? input : "3,1,2,-;" + input);
  if (!record.ok()) return 0;
  Check(record->text.size() <= base::kMaxKernelTextBytes && base::ValidUtf8(record->text) == record->text);
  Check(std::none_of(record->text.begin(), record->text.end(), [](char c) { return c >= 0 && c < 0x20; }));
  const base::EventCatalogue& catalogue = base::EventCatalogue::Embedded();
  const auto match = catalogue.Classify(record->text);
  if (!match) return 0;
  Check(match->kind != nullptr && catalogue.Find(match->code) != nullptr);
  Check(match->pci_address.empty() || base::NormalisePciAddress(match->pci_address) == match->pci_address);
  return 0;
}
