// Text on a terminal: how wide it is, how to cut and pad it, and how to show what a stranger sent.
//
// Pure functions. Widths are columns of a terminal, texts UTF-8. Whatever came over the wire goes through Sanitize()
// before it is shown: a machine's name or a reason must not move the cursor, recolour the screen or turn the reading
// direction.
#ifndef MUSTER_CLI_TEXT_H_
#define MUSTER_CLI_TEXT_H_

#include <cstddef>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace muster::cli {

// `remote` as one printable line of at most `max_bytes` input bytes: controls as "\x1b" or "\n", bytes that are not
// UTF-8 as
// "\xff", direction marks as "\u202e"; "…" at the end when it was cut.
std::string Sanitize(absl::string_view remote, size_t max_bytes = 1024);

// As Sanitize(), for a log on a terminal: line ends and tabs stay, nothing is cut. `data` may end within a character.
std::string SanitizeLog(absl::string_view data);

// Columns that `text` takes. Sanitized text only: controls count as nothing.
size_t DisplayWidth(absl::string_view text);

// At most `width` columns of `text`; "…" at its end when it was cut.
std::string Truncate(absl::string_view text, size_t width);

// Exactly `width` columns: cut or padded, the text at the left or at the right.
std::string FitLeft(absl::string_view text, size_t width);
std::string FitRight(absl::string_view text, size_t width);

// Lines of at most `width` columns, broken at spaces where there are any.
std::vector<std::string> Wrap(absl::string_view text, size_t width);

}  // namespace muster::cli

#endif  // MUSTER_CLI_TEXT_H_
