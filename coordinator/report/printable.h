// Text that came from elsewhere, made fit for XML and JSON.
#ifndef MUSTER_COORDINATOR_REPORT_PRINTABLE_H_
#define MUSTER_COORDINATOR_REPORT_PRINTABLE_H_

#include <string>
#include <string_view>

namespace muster::coordinator {

// `text` with U+FFFD for every byte that is not of valid UTF-8 and every character that XML 1.0 does not have (controls
// but tab and line breaks, U+FFFE, U+FFFF).
std::string Printable(std::string_view text);

}  // namespace muster::coordinator

#endif  // MUSTER_COORDINATOR_REPORT_PRINTABLE_H_
