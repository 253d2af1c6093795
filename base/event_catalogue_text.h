// The catalogue's text, put into the program at build time (cmake/EmbedText.cmake).
#ifndef MUSTER_BASE_EVENT_CATALOGUE_TEXT_H_
#define MUSTER_BASE_EVENT_CATALOGUE_TEXT_H_

#include <string_view>

namespace muster::base {

extern const std::string_view kEventCatalogueText;

}  // namespace muster::base

#endif  // MUSTER_BASE_EVENT_CATALOGUE_TEXT_H_
