#include "agent/exporter/gzip.h"

#include <zlib.h>

namespace muster::agent {

std::optional<std::string> Gzip(std::string_view text) {
  z_stream stream{};
  // 16 asks for gzip's frame; a window of 8 KiB and little memory are enough for text that repeats itself soon.
  if (deflateInit2(&stream, Z_BEST_SPEED, Z_DEFLATED, 16 + 13, 5, Z_DEFAULT_STRATEGY) != Z_OK) return std::nullopt;
  std::string out(deflateBound(&stream, text.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  const int result = deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  if (result != Z_STREAM_END) return std::nullopt;
  return out;
}

}  // namespace muster::agent
