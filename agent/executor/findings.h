// What was irregular, one entry a kind with a count and the first example: a million bad lines are one finding.
#ifndef MUSTER_AGENT_EXECUTOR_FINDINGS_H_
#define MUSTER_AGENT_EXECUTOR_FINDINGS_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace muster::agent {

// At most `limit` bytes of `text`, never cut within a UTF-8 character; invalid bytes become '?', so that it fits a
// proto string.
std::string BoundedText(std::string_view text, size_t limit = 4096);

class Findings {
 public:
  // `kind` is a word like "sequence-gap".
  void Add(std::string_view kind, std::string_view example);
  // "sequence-gap: expected number 5, found 7 (12 times)".
  std::vector<std::string> Texts() const;
  bool empty() const { return entries_.empty(); }

 private:
  struct Entry {
    std::string kind;
    std::string example;
    uint64_t count = 0;
  };
  std::vector<Entry> entries_;
};

}  // namespace muster::agent

#endif  // MUSTER_AGENT_EXECUTOR_FINDINGS_H_
