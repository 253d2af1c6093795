#include "cli/completion.h"

#include <CLI/App.hpp>
#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/names.h"

namespace muster::cli {
namespace {

constexpr char kBash[] = R"sh(# bash completion for muster; load it with: source <(muster completion bash)
_muster() {
  local line
  COMPREPLY=()
  while IFS= read -r line; do
    [[ $line == :files ]] && { COMPREPLY=(); compopt -o default 2>/dev/null; return; }
    COMPREPLY+=("${line%%$'\t'*}")
  done < <("${COMP_WORDS[0]}" __complete "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -F _muster muster
)sh";

constexpr char kZsh[] = R"sh(#compdef muster
# zsh completion for muster; load it with: source <(muster completion zsh)
_muster() {
  local -a values descriptions
  local line
  while IFS= read -r line; do
    [[ $line == :files ]] && { _files; return; }
    values+=("${line%%$'\t'*}")
    descriptions+=("${line%%$'\t'*}  ${line#*$'\t'}")
  done < <("${words[1]}" __complete "${(@)words[2,CURRENT]}" 2>/dev/null)
  compadd -l -d descriptions -a values
}
compdef _muster muster
)sh";

constexpr char kFish[] = R"sh(# fish completion for muster; load it with: muster completion fish | source
function __muster_complete
    set -l words (commandline -opc) (commandline -ct)
    set -l lines (muster __complete $words[2..-1] 2>/dev/null)
    if test "$lines[1]" = ":files"
        __fish_complete_path (commandline -ct)
    else
        printf '%s\n' $lines
    end
end
complete -c muster -f -a '(__muster_complete)'
)sh";

bool TakesValue(const CLI::Option& option) { return option.get_items_expected_max() > 0; }

// The option of `command` or of a command above it that is written so; nullptr when there is none.
const CLI::Option* FindOption(const CLI::App* command, const std::string& written) {
  for (; command != nullptr; command = command->get_parent()) {
    if (const CLI::Option* option = command->get_option_no_throw(written)) return option;
  }
  return nullptr;
}

const CLI::App* FindCommand(const CLI::App& command, const std::string& name) {
  for (const CLI::App* sub : command.get_subcommands([](const CLI::App*) { return true; })) {
    if (sub->get_name() == name) return sub;
  }
  return nullptr;
}

// The argument at `index` among those without a name; the last one takes all that follow when it takes several.
const CLI::Option* FindPositional(const CLI::App& command, size_t index) {
  const auto positionals = command.get_options([](const CLI::Option* option) { return option->get_positional(); });
  if (index < positionals.size()) return positionals[index];
  if (!positionals.empty() && positionals.back()->get_items_expected_max() > 1) return positionals.back();
  return nullptr;
}

void AddOptions(const CLI::App* command, std::vector<Candidate>& candidates) {
  for (; command != nullptr; command = command->get_parent()) {
    for (const CLI::Option* option :
         command->get_options([](const CLI::Option* o) { return !o->get_group().empty(); })) {
      for (const std::string& name : option->get_lnames()) {
        const bool known = std::any_of(candidates.begin(), candidates.end(),
                                       [&](const Candidate& c) { return c.value == "--" + name; });
        if (!known) candidates.push_back({"--" + name, option->get_description()});
      }
    }
  }
}

}  // namespace

CompletionPoint FindCompletionPoint(const CLI::App& app, const std::vector<std::string>& words) {
  CompletionPoint point{.command = &app};
  size_t positionals = 0;
  const CLI::Option* pending = nullptr;
  for (size_t i = 0; i + 1 < words.size(); ++i) {
    const std::string& word = words[i];
    if (pending != nullptr) {
      point.seen[pending->get_name()] = word;
      pending = nullptr;
    } else if (absl::StartsWith(word, "-")) {
      const size_t equals = word.find('=');
      const CLI::Option* option = FindOption(point.command, word.substr(0, equals));
      if (option == nullptr) continue;
      if (TakesValue(*option) && equals == std::string::npos) {
        pending = option;
      } else {
        point.seen[option->get_name()] = equals == std::string::npos ? "" : word.substr(equals + 1);
      }
    } else if (const CLI::App* sub = FindCommand(*point.command, word); sub != nullptr) {
      point.command = sub;
      positionals = 0;
    } else {
      ++positionals;
    }
  }
  if (!words.empty()) point.word = words.back();
  if (pending != nullptr) {
    point.takes_value = pending;
  } else if (!absl::StartsWith(point.word, "-")) {
    point.takes_value = FindPositional(*point.command, positionals);
  }
  return point;
}

std::vector<Candidate> Complete(const CompletionPoint& point, const TakesByOption& takes,
                                const std::function<std::vector<Candidate>(Values)>& look_up) {
  std::vector<Candidate> candidates;
  if (const auto it = takes.find(point.takes_value); it != takes.end()) {
    if (it->second.values == Values::kFiles) return {{":files", ""}};
    for (const std::string& choice : it->second.choices) candidates.push_back({choice, ""});
    if (it->second.values != Values::kChoices) {
      const std::vector<Candidate> found = look_up(it->second.values);
      candidates.insert(candidates.end(), found.begin(), found.end());
    }
  } else if (point.takes_value == nullptr && absl::StartsWith(point.word, "-")) {
    AddOptions(point.command, candidates);
  } else if (point.takes_value == nullptr) {
    for (const CLI::App* sub :
         point.command->get_subcommands([](const CLI::App* a) { return !a->get_group().empty(); })) {
      candidates.push_back({sub->get_name(), sub->get_description()});
    }
  }
  candidates.erase(std::remove_if(candidates.begin(), candidates.end(),
                                  [&](const Candidate& c) { return !absl::StartsWith(c.value, point.word); }),
                   candidates.end());
  return candidates;
}

absl::StatusOr<std::string> CompletionScript(const std::string& shell) {
  if (shell == "bash") return kBash;
  if (shell == "zsh") return kZsh;
  if (shell == "fish") return kFish;
  return absl::InvalidArgumentError(absl::StrCat("expected bash, zsh or fish, found ", base::Quoted(shell)));
}

}  // namespace muster::cli
