// SHA-256, hexadecimal, random bytes and comparison in constant time; OpenSSL beneath.
#ifndef MUSTER_BASE_DIGEST_H_
#define MUSTER_BASE_DIGEST_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace muster::base {

// The 32 bytes.
std::string Sha256(std::string_view bytes);
// 64 lower-case digits.
std::string Sha256Hex(std::string_view bytes);

// Lower case.
std::string HexEncode(std::string_view bytes);
// Either case, an even number of digits. InvalidArgument otherwise.
absl::StatusOr<std::string> HexDecode(std::string_view text);

// From the system's cryptographic generator; ends the process when there is none.
std::string RandomBytes(size_t count);
uint64_t RandomBits();

// Takes the same time wherever they differ; for secrets.
bool ConstantTimeEqual(std::string_view a, std::string_view b);

}  // namespace muster::base

#endif  // MUSTER_BASE_DIGEST_H_
