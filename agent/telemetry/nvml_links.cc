// NvmlDevice's NVLinks: all links' fields in a few batches.
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "agent/telemetry/nvml_device.h"

namespace muster::agent {
namespace {

constexpr double kMega = 1e6;
constexpr double kKibi = 1024;

}  // namespace

void NvmlDevice::Links() {
  const NvmlAnswer count = caller_.AskFields({{.field = nvml::kFieldLinkCount}})[0];
  if (!count.has_value()) {
    for (const v1::TelemetryField field : {v1::LINK_UP, v1::LINK_BANDWIDTH, v1::LINK_BYTES, v1::LINK_ERRORS}) {
      PutAbsent(field, {}, count.absence);
    }
    return;
  }
  const auto links = static_cast<unsigned int>(std::clamp<double>(count.value, 0, nvml::kMaxLinks));
  constexpr unsigned int kFields[] = {nvml::kFieldLinkState,        nvml::kFieldLinkSpeedMbps,
                                      nvml::kFieldLinkReceiveBytes, nvml::kFieldLinkTransmitBytes,
                                      nvml::kFieldLinkReceiveKib,   nvml::kFieldLinkTransmitKib};
  constexpr size_t kCount = std::size(kFields);
  std::vector<NvmlCaller::Field> fields;
  for (unsigned int link = 0; link < links; ++link) {
    for (const unsigned int field : kFields) fields.push_back({.field = field, .scope = link});
  }
  const std::vector<NvmlAnswer> answers = caller_.AskFields(fields);
  for (unsigned int link = 0; link < links; ++link) {
    const NvmlAnswer* of_link = &answers[link * kCount];
    const std::string number = absl::StrCat(link);
    NvmlAnswer up = of_link[0];
    if (up.absence == v1::ABSENCE_UNSUPPORTED) up = caller_.Now(f_.link_state, link + 1, static_cast<int>(link));
    if (up.has_value()) up.value = up.value != 0 ? 1 : 0;
    Put(v1::LINK_UP, {number}, up);
    Put(v1::LINK_BANDWIDTH, {number}, of_link[1], kMega);
    // Bytes since Blackwell, KiB before.
    for (const auto& [direction, i] : {std::pair("receive", 2), std::pair("transmit", 3)}) {
      const bool in_bytes = of_link[i].absence != v1::ABSENCE_UNSUPPORTED;
      Put(v1::LINK_BYTES, {number, direction}, of_link[in_bytes ? i : i + 2], in_bytes ? 1 : kKibi);
    }
  }
  LinkErrors(links);
}

void NvmlDevice::LinkErrors(unsigned int links) {
  struct Kind {
    const char* name;
    unsigned int field;  // 0: none.
    int counter;
  };
  static constexpr Kind kKinds[] = {{"replay", nvml::kFieldLinkReplays, nvml::kLinkErrorReplay},
                                    {"recovery", nvml::kFieldLinkRecoveries, nvml::kLinkErrorRecovery},
                                    {"crc_flit", nvml::kFieldLinkCrcErrors, nvml::kLinkErrorCrcFlit},
                                    {"crc_data", 0, nvml::kLinkErrorCrcData},
                                    {"ecc", 0, nvml::kLinkErrorEccData}};
  std::vector<NvmlCaller::Field> fields;
  for (const Kind& kind : kKinds) {
    for (unsigned int link = 0; link < links && kind.field != 0; ++link) {
      fields.push_back({.field = kind.field, .scope = link});
    }
  }
  const std::vector<NvmlAnswer> answers = caller_.AskFields(fields);
  size_t next = 0;
  for (const Kind& kind : kKinds) {
    for (unsigned int link = 0; link < links; ++link) {
      NvmlAnswer answer{.absence = v1::ABSENCE_UNSUPPORTED};
      if (kind.field != 0) answer = answers[next++];
      if (answer.absence == v1::ABSENCE_UNSUPPORTED) {
        answer = caller_.Now<unsigned long long>(f_.link_errors, 1 + link * 8 + kind.counter, link, kind.counter);
      }
      Put(v1::LINK_ERRORS, {absl::StrCat(link), kind.name}, answer);
    }
  }
}

}  // namespace muster::agent
