// The catalogue's text, put into the program at build time (cmake/EmbedText.cmake).
#ifndef MUSTER_AGENT_HEALTH_EVENT_CATALOGUE_TEXT_H_
#define MUSTER_AGENT_HEALTH_EVENT_CATALOGUE_TEXT_H_

#include <string_view>

namespace muster::agent {

extern const std::string_view kEventCatalogueText;

}  // namespace muster::agent

#endif  // MUSTER_AGENT_HEALTH_EVENT_CATALOGUE_TEXT_H_
