#include "agent/executor/findings.h"

#include "base/text.h"
#include "base/utf8.h"

namespace muster::agent {
namespace {

constexpr size_t kMaxKinds = 32;
constexpr size_t kMaxExampleBytes = 512;

}  // namespace

std::string BoundedText(std::string_view text, size_t limit) {
  std::string bounded;
  bounded.reserve(std::min(text.size(), limit));
  while (!text.empty()) {
    const size_t length = base::Utf8SequenceLength(text);
    const std::string_view character = length == 0 ? "?" : text.substr(0, length);
    if (bounded.size() + character.size() > limit) break;
    bounded.append(character);
    text.remove_prefix(length == 0 ? 1 : length);
  }
  return bounded;
}

void Findings::Add(std::string_view kind, std::string_view example) {
  for (Entry& entry : entries_) {
    if (entry.kind != kind) continue;
    ++entry.count;
    return;
  }
  if (entries_.size() >= kMaxKinds) return;
  entries_.push_back({.kind = std::string(kind), .example = BoundedText(example, kMaxExampleBytes), .count = 1});
}

std::vector<std::string> Findings::Texts() const {
  std::vector<std::string> texts;
  for (const Entry& entry : entries_) {
    texts.push_back(base::Text(entry.kind, ": ", entry.example));
    if (entry.count > 1) texts.back() += base::Text(" (", entry.count, " times)");
  }
  return texts;
}

}  // namespace muster::agent
