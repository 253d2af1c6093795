// Numbers with units as people read them: 4.37 TB/s, 776 TFLOP/s, 12.3 µs, 141 GB.
//
// Pure functions, any thread. What prints figures for people (tables, reports, plain lines) uses these, so that one
// figure looks the same everywhere. What programs read (JSON, metrics, OCPTV) keeps the bare number and its unit.
#ifndef MUSTER_BASE_UNITS_H_
#define MUSTER_BASE_UNITS_H_

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"

namespace muster::base {

// `value` to three significant digits, with the prefix that suits it: ("B/s", 4.37e12) and ("GB/s", 4370) are both
// "4.37 TB/s". Knows B, B/s, FLOP/s, s, Hz, W, J, V, T/s, op/s and the like, with SI or IEC prefixes, and UCUM's By,
// Cel and {annotation}. A unit that it does not know stays as it is; whole numbers of such a unit keep all their
// digits. UTF-8.
std::string FormatQuantity(double value, absl::string_view unit);

// A length of time: "0.4 ms", "12.3 s", "4 min 05 s", "3 h 07 min", "2 d 03 h".
std::string FormatDuration(int64_t milliseconds);

// A running time as a clock shows it: "0:07", "12:34", "3:07:09".
std::string FormatClock(int64_t milliseconds);

// Bytes as memory is sold: "512 B", "141 GiB".
std::string FormatBytes(uint64_t bytes);

}  // namespace muster::base

#endif  // MUSTER_BASE_UNITS_H_
