#include "coordinator/store/chunk_format.h"

#include <zstd.h>

#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"

namespace muster::coordinator {
namespace {

constexpr std::string_view kMagic = "MCF1";
constexpr int kLevel = 3;

template <typename Number>
void AppendNumber(Number value, std::string& out) {
  for (size_t i = 0; i < sizeof(Number); ++i) out.push_back(static_cast<char>(value >> (8 * i)));
}

template <typename Number>
Number ReadNumber(std::string_view bytes) {
  Number value = 0;
  for (size_t i = 0; i < sizeof(Number); ++i) value |= Number{static_cast<unsigned char>(bytes[i])} << (8 * i);
  return value;
}

struct FreeContext {
  void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
};

// With a checksum, so that a frame proves that it is whole.
std::string Compress(std::string_view records) {
  static thread_local const std::unique_ptr<ZSTD_CCtx, FreeContext> context = [] {
    std::unique_ptr<ZSTD_CCtx, FreeContext> made(ZSTD_createCCtx());
    ZSTD_CCtx_setParameter(made.get(), ZSTD_c_compressionLevel, kLevel);
    ZSTD_CCtx_setParameter(made.get(), ZSTD_c_checksumFlag, 1);
    return made;
  }();
  std::string packed(ZSTD_compressBound(records.size()), '\0');
  packed.resize(ZSTD_compress2(context.get(), packed.data(), packed.size(), records.data(), records.size()));
  return packed;
}

}  // namespace

void FramePacker::Add(const v1::Event& event) {
  if (records_.empty()) first_sequence_ = event.sequence();
  last_sequence_ = event.sequence();
  AppendNumber(static_cast<uint32_t>(event.ByteSizeLong()), records_);
  event.AppendToString(&records_);
  if (records_.size() >= kFrameTargetBytes) EndFrame();
}

void FramePacker::EndFrame() {
  if (records_.empty()) return;
  const std::string packed = Compress(records_);
  frames_.append(kMagic);
  AppendNumber(static_cast<uint32_t>(packed.size()), frames_);
  AppendNumber(first_sequence_, frames_);
  AppendNumber(last_sequence_, frames_);
  frames_.append(packed);
  records_.clear();
}

std::string FramePacker::Take() {
  EndFrame();
  return std::exchange(frames_, {});
}

bool ParseFrameHeader(std::string_view bytes, FrameHeader& header) {
  if (bytes.size() < kFrameHeaderBytes || bytes.substr(0, 4) != kMagic) return false;
  header.packed_bytes = ReadNumber<uint32_t>(bytes.substr(4));
  header.first_sequence = ReadNumber<uint64_t>(bytes.substr(8));
  header.last_sequence = ReadNumber<uint64_t>(bytes.substr(16));
  return header.packed_bytes <= kMaxFrameBytes && header.first_sequence <= header.last_sequence;
}

absl::StatusOr<std::vector<v1::Event>> UnpackFrame(std::string_view packed) {
  const unsigned long long size = ZSTD_getFrameContentSize(packed.data(), packed.size());
  if (size == ZSTD_CONTENTSIZE_UNKNOWN || size == ZSTD_CONTENTSIZE_ERROR || size > kMaxFrameBytes) {
    return absl::DataLossError("a chunk file holds a frame that is none");
  }
  std::string records(size, '\0');
  const size_t got = ZSTD_decompress(records.data(), records.size(), packed.data(), packed.size());
  if (ZSTD_isError(got) || got != size) {
    return absl::DataLossError(absl::StrCat("a chunk file holds a broken frame: ",
                                            ZSTD_isError(got) ? ZSTD_getErrorName(got) : "it is shorter than it says"));
  }
  std::vector<v1::Event> events;
  std::string_view rest = records;
  while (!rest.empty()) {
    if (rest.size() < 4) return absl::DataLossError("a chunk file holds half a record");
    const uint32_t length = ReadNumber<uint32_t>(rest);
    rest.remove_prefix(4);
    if (length > rest.size() || !events.emplace_back().ParseFromArray(rest.data(), static_cast<int>(length))) {
      return absl::DataLossError("a chunk file holds a record that cannot be read");
    }
    rest.remove_prefix(length);
  }
  return events;
}

}  // namespace muster::coordinator
