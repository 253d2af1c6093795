#include "base/event_catalogue.h"

#include <re2/re2.h>
#include <re2/set.h>

#include <charconv>
#include <cstdlib>

#include "absl/strings/str_replace.h"
#include "base/event_catalogue_text.h"
#include "base/log.h"
#include "base/pci.h"
#include "base/status_macros.h"
#include "base/text.h"
#include "base/textproto.h"

namespace muster::base {
namespace {

constexpr char kPciGroup[] = "(?P<pci>[0-9a-fA-F]{4,8}:[0-9a-fA-F]{2}:[0-9a-fA-F]{2}(?:\\.[0-7])?)";
// For each automaton; RE2 throws it away and builds it again when it is full.
constexpr int64_t kMaxMemoryBytes = 512 << 10;

re2::RE2::Options RegexOptions() {
  re2::RE2::Options options;
  options.set_log_errors(false);
  options.set_encoding(re2::RE2::Options::EncodingLatin1);  // Byte by byte: a third of the size.
  options.set_max_mem(kMaxMemoryBytes);
  return options;
}

absl::Status Bad(const EventKind& kind, std::string_view what) {
  return absl::InvalidArgumentError(Text("event catalogue: ", kind.code(), " ", kind.variant(), ": ", what));
}

absl::Status Check(const EventKind& kind) {
  const std::string& code = kind.code();
  if (code.empty() || code.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789.-") != std::string::npos) {
    return Bad(kind, "expected a code of a-z, 0-9, '.' and '-'");
  }
  if (kind.severity() == v1::EVENT_SEVERITY_UNSPECIFIED) return Bad(kind, "expected a severity");
  for (const std::string* text : {&kind.title(), &kind.meaning(), &kind.action(), &kind.source()}) {
    if (text->empty()) return Bad(kind, "expected title, meaning, action and source");
  }
  if (kind.effect() == v1::HEALTH_STATE_HEALTHY) return Bad(kind, "HEALTHY is no effect");
  const bool clears = kind.clears().by() != Clears::BY_UNSPECIFIED || kind.clears().after_seconds() > 0;
  if (clears != (kind.effect() != v1::HEALTH_STATE_UNSPECIFIED)) {
    return Bad(kind, "expected `clears` with an effect, and with nothing else");
  }
  if ((kind.clears().by() == Clears::VALUE) != !kind.clears().words().empty()) {
    return Bad(kind, "expected `words` with clears by VALUE, and with nothing else");
  }
  return absl::OkStatus();
}

}  // namespace

// All expressions: first which of them match, in one pass; then the groups of those.
class EventCatalogue::Expressions {
 public:
  Expressions() : set_(RegexOptions(), re2::RE2::UNANCHORED) {}

  // "" or what is wrong with it.
  std::string Add(std::string expression, size_t kind) {
    expression = absl::StrReplaceAll(expression, {{"{pci}", kPciGroup}});
    auto regex = std::make_unique<re2::RE2>(expression, RegexOptions());
    if (!regex->ok()) return regex->error();
    const auto& groups = regex->NamedCapturingGroups();
    if (static_cast<size_t>(regex->NumberOfCapturingGroups()) != groups.size()) return "has a group without a name";
    for (const auto& [name, index] : groups) {
      if (name != "pci" && name != "number") return Text("has a group '", name, "'");
    }
    std::string error;
    if (set_.Add(expression, &error) < 0) return error;
    entries_.push_back({std::move(regex), kind});
    return "";
  }
  bool Compile() { return entries_.empty() || set_.Compile(); }

  struct Found {
    size_t kind;
    std::string pci;
    std::string number;
  };
  std::vector<Found> Search(const std::string& line) const {
    std::vector<int> which;
    std::vector<Found> found;
    if (entries_.empty() || !set_.Match(line, &which)) return found;
    for (const int i : which) {
      const Entry& entry = entries_[static_cast<size_t>(i)];
      re2::StringPiece groups[3];
      if (!entry.regex->Match(line, 0, line.size(), re2::RE2::UNANCHORED, groups, 3)) continue;
      Found& one = found.emplace_back(Found{entry.kind, "", ""});
      for (const auto& [name, index] : entry.regex->NamedCapturingGroups()) {
        (name == "pci" ? one.pci : one.number) = std::string(groups[index].data(), groups[index].size());
      }
    }
    return found;
  }

 private:
  struct Entry {
    std::unique_ptr<re2::RE2> regex;
    size_t kind;
  };
  re2::RE2::Set set_;
  std::vector<Entry> entries_;
};

EventCatalogue::EventCatalogue() : expressions_(std::make_unique<Expressions>()) {}
EventCatalogue::~EventCatalogue() = default;

const EventCatalogue& EventCatalogue::Embedded() {
  static const EventCatalogue& catalogue = *[] {
    EventCatalogueProto entries;
    absl::Status status = ParseTextProto(kEventCatalogueText, "event_catalogue.textproto", &entries);
    auto made = status.ok() ? Make(entries) : absl::StatusOr<std::unique_ptr<EventCatalogue>>(status);
    if (!made.ok()) {
      LogError(std::string(made.status().message()));
      std::abort();
    }
    return made->release();
  }();
  return catalogue;
}

absl::StatusOr<std::unique_ptr<EventCatalogue>> EventCatalogue::Make(const EventCatalogueProto& entries) {
  std::unique_ptr<EventCatalogue> catalogue(new EventCatalogue);
  catalogue->kinds_.reserve(static_cast<size_t>(entries.kinds_size()));
  for (const EventKind& kind : entries.kinds()) {
    RETURN_IF_ERROR(Check(kind));
    RETURN_IF_ERROR(catalogue->Add(kind));
  }
  for (const EventKind& kind : catalogue->kinds_) {
    if (kind.numbers_size() > 0 && !catalogue->by_code_.contains(kind.code())) {
      return Bad(kind, "expected an entry without numbers, for those that none is for");
    }
  }
  if (!catalogue->expressions_->Compile()) {
    return absl::InvalidArgumentError("event catalogue: its expressions take too much memory together");
  }
  return catalogue;
}

absl::Status EventCatalogue::Add(const EventKind& kind) {
  const size_t index = kinds_.size();
  for (const uint32_t number : kind.numbers()) {
    if (kind.variant().empty() && !by_number_.emplace(std::pair(kind.code(), number), index).second) {
      return Bad(kind, Text("a second entry for number ", number));
    }
  }
  if (kind.numbers().empty() && kind.variant().empty() && by_code_.contains(kind.code())) {
    return Bad(kind, "a second entry for the code");
  }
  if (kind.numbers().empty()) by_code_.emplace(kind.code(), index);
  for (const std::string& expression : kind.expressions()) {
    if (const std::string error = expressions_->Add(expression, index); !error.empty()) {
      return Bad(kind, Text("expression ", expression, ": ", error));
    }
  }
  kinds_.push_back(kind);
  return absl::OkStatus();
}

const EventKind& EventCatalogue::OfNumber(const EventKind& matched, uint32_t number) const {
  if (matched.numbers_size() > 0 || !matched.variant().empty()) return matched;
  const auto it = by_number_.find(std::pair(matched.code(), number));
  return it == by_number_.end() ? matched : kinds_[it->second];
}

std::optional<EventCatalogue::Match> EventCatalogue::Classify(const std::string& line) const {
  const Expressions::Found* best = nullptr;
  const std::vector<Expressions::Found> all = expressions_->Search(line);
  for (const Expressions::Found& found : all) {
    const auto rank = [&](const Expressions::Found& f) {
      return std::pair(kinds_[f.kind].numbers_size() > 0 ? 0 : 1, f.kind);
    };
    if (best == nullptr || rank(found) < rank(*best)) best = &found;
  }
  if (best == nullptr) return std::nullopt;
  Match match{.kind = &kinds_[best->kind], .code = kinds_[best->kind].code(), .pci_address = ""};
  if (!best->number.empty()) {
    uint32_t number = 0;
    std::from_chars(best->number.data(), best->number.data() + best->number.size(), number);
    match.kind = &OfNumber(*match.kind, number);
    match.code = Text(match.code, ".", number);
  }
  if (!best->pci.empty()) {
    // NVIDIA's driver leaves the function out.
    const bool whole = best->pci.find('.') != std::string::npos;
    match.pci_address = NormalisePciAddress(whole ? best->pci : best->pci + ".0");
  }
  return match;
}

const EventKind* EventCatalogue::Find(std::string_view code) const {
  if (const auto it = by_code_.find(code); it != by_code_.end()) return &kinds_[it->second];
  const size_t dot = code.rfind('.');
  if (dot == std::string_view::npos) return nullptr;
  const auto family = by_code_.find(code.substr(0, dot));
  uint32_t number = 0;
  const char* end = code.data() + code.size();
  if (family == by_code_.end() || std::from_chars(code.data() + dot + 1, end, number).ptr != end) return nullptr;
  return &OfNumber(kinds_[family->second], number);
}

std::string DescribeClears(const EventKind& kind) {
  const Clears& clears = kind.clears();
  if (clears.after_seconds() > 0) {
    const uint32_t s = clears.after_seconds();
    const std::string time = s % 3'600 == 0 ? Text(s / 3'600, " h") : Text(s / 60, " min");
    return Text(time, " without another one");
  }
  switch (clears.by()) {
    case Clears::RESET:
      return "a reset of the GPU, or a new start of its driver";
    case Clears::REBOOT:
      return "a restart of the machine";
    case Clears::NEVER:
      return "nothing but a repair";
    case Clears::VALUE:
      return clears.words();
    default:
      return "";
  }
}

}  // namespace muster::base
