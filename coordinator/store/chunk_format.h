// The format of chunk files: frames one after another, each compressed on its own, so that a file is readable while it
// grows and a torn end is found and cut.
//
//   frame   = "MCF1", u32 packed size, u64 first sequence, u64 last sequence (little-endian), then that many bytes:
//             one zstd frame with its checksum, of records
//   record  = u32 size, then a muster.v1.Event with `log` or `artifact`
#ifndef MUSTER_COORDINATOR_STORE_CHUNK_FORMAT_H_
#define MUSTER_COORDINATOR_STORE_CHUNK_FORMAT_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "muster/v1/event.pb.h"

namespace muster::coordinator {

inline constexpr size_t kFrameHeaderBytes = 24;
// Of records before compression; a frame is ended when it has more.
inline constexpr size_t kFrameTargetBytes = 256 * 1024;
// A frame that claims more is not one.
inline constexpr size_t kMaxFrameBytes = 16 * 1024 * 1024;

struct FrameHeader {
  uint32_t packed_bytes = 0;
  uint64_t first_sequence = 0;
  uint64_t last_sequence = 0;
};

// Packs events into frames, in order.
class FramePacker {
 public:
  void Add(const v1::Event& event);
  bool empty() const { return records_.empty() && frames_.empty(); }
  // The frames so far.
  std::string Take();

 private:
  void EndFrame();

  std::string frames_;
  std::string records_;
  uint64_t first_sequence_ = 0;
  uint64_t last_sequence_ = 0;
};

// False when `bytes` does not begin with a header.
bool ParseFrameHeader(std::string_view bytes, FrameHeader& header);
// The events of a frame's packed bytes; DataLoss when they are not whole.
absl::StatusOr<std::vector<v1::Event>> UnpackFrame(std::string_view packed);

}  // namespace muster::coordinator

#endif  // MUSTER_COORDINATOR_STORE_CHUNK_FORMAT_H_
