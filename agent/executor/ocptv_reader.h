// Reads OCPTV v2 incrementally: from bytes to artifacts in order.
//
// Holds the rules of the stream (lines, JSON, schema version first, dense sequence numbers); what the artifacts mean is
// CaseTracker's. Bounded whatever arrives: lines to kMaxOcptvLineBytes, the reorder window of the compatibility mode to
// kReorderWindow lines.
#ifndef MUSTER_AGENT_EXECUTOR_OCPTV_READER_H_
#define MUSTER_AGENT_EXECUTOR_OCPTV_READER_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string_view>

#include "agent/executor/line_splitter.h"
#include "agent/executor/ocptv_line.h"

namespace muster::agent {

constexpr size_t kMaxOcptvLineBytes = size_t{1} << 20;
constexpr size_t kReorderWindow = 64;

class OcptvReader {
 public:
  class Sink {
   public:
    virtual ~Sink() = default;
    // In the order of their sequence numbers. Schema versions are not passed on.
    virtual void OnArtifact(const v1::ocptv::Root& root) = 0;
    // A line that is no OCPTV and does not look like it (bounded, without newline).
    virtual void OnStray(std::string_view line) = 0;
    // Something was lost or refused.
    virtual void OnFault(std::string_view kind, std::string_view text) = 0;
    // Irregular, nothing lost.
    virtual void OnNote(std::string_view kind, std::string_view text) = 0;
  };

  // `sink` outlives the reader.
  OcptvReader(OcptvMode mode, Sink* sink) : mode_(mode), sink_(*sink), lines_(kMaxOcptvLineBytes) {}

  void Take(std::string_view bytes);
  // The stream has ended.
  void End();
  // Whether the stream began as OCPTV v2 does; else nothing was passed on.
  bool IsReadable() const { return schema_ == kGood; }

 private:
  void TakeLine(const LineSplitter::Line& line);
  void TakeRoot(v1::ocptv::Root root);
  void Deliver(const v1::ocptv::Root& root);
  void DeliverHeld(bool all);
  void TakeSchema(const v1::ocptv::Root& root);

  const OcptvMode mode_;
  Sink& sink_;
  LineSplitter lines_;
  std::optional<int64_t> next_number_;
  std::map<int64_t, v1::ocptv::Root> held_;  // Came early, in the compatibility mode.
  enum { kNone, kGood, kWrong } schema_ = kNone;
};

}  // namespace muster::agent

#endif  // MUSTER_AGENT_EXECUTOR_OCPTV_READER_H_
