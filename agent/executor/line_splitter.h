// Cuts a byte stream into lines of bounded length. Memory is bounded whatever arrives: of a line that is longer than
// the limit only the beginning is kept and the rest is counted.
#ifndef MUSTER_AGENT_EXECUTOR_LINE_SPLITTER_H_
#define MUSTER_AGENT_EXECUTOR_LINE_SPLITTER_H_

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

namespace muster::agent {

class LineSplitter {
 public:
  struct Line {
    std::string_view text;   // Without its newline; at most the limit.
    bool terminated = true;  // False: the stream ended in mid-line.
    uint64_t cut_bytes = 0;  // That were left out beyond the limit.
  };
  using Sink = std::function<void(const Line& line)>;

  explicit LineSplitter(size_t limit_bytes) : limit_bytes_(limit_bytes) {}

  void Take(std::string_view bytes, const Sink& sink) {
    while (!bytes.empty()) {
      const size_t newline = bytes.find('\n');
      const std::string_view piece = bytes.substr(0, newline);
      if (newline != std::string_view::npos && held_.empty() && cut_bytes_ == 0 && piece.size() <= limit_bytes_) {
        sink({.text = piece});
      } else {
        Hold(piece);
        if (newline != std::string_view::npos) Flush(true, sink);
      }
      if (newline == std::string_view::npos) return;
      bytes.remove_prefix(newline + 1);
    }
  }

  // The stream has ended: gives what was left of a line without newline.
  void End(const Sink& sink) {
    if (!held_.empty()) Flush(false, sink);
  }

 private:
  void Hold(std::string_view piece) {
    const size_t room = limit_bytes_ - held_.size();
    held_.append(piece.substr(0, room));
    if (piece.size() > room) cut_bytes_ += piece.size() - room;
  }
  void Flush(bool terminated, const Sink& sink) {
    const std::string line = std::exchange(held_, {});
    sink({.text = line, .terminated = terminated, .cut_bytes = std::exchange(cut_bytes_, 0)});
  }

  const size_t limit_bytes_;
  std::string held_;
  uint64_t cut_bytes_ = 0;
};

}  // namespace muster::agent

#endif  // MUSTER_AGENT_EXECUTOR_LINE_SPLITTER_H_
