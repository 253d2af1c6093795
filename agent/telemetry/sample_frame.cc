#include "agent/telemetry/sample_frame.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/clean_text.h"
#include "base/pci.h"
#include "base/status_macros.h"
#include "base/telemetry_field.h"

namespace muster::agent {
namespace {

constexpr size_t kHeader = 5;
constexpr size_t kMaxLabel = 32;
constexpr size_t kMaxMessage = 1024;

void AppendFrame(std::string& to, char kind, absl::string_view payload) {
  const size_t size = payload.size();
  for (int shift = 0; shift < 32; shift += 8) to.push_back(static_cast<char>(size >> shift & 0xFF));
  to.push_back(kind);
  to.append(payload.data(), payload.size());
}

size_t FrameSize(absl::string_view header) {
  size_t size = 0;
  for (int i = 0; i < 4; ++i) size |= size_t{static_cast<unsigned char>(header[i])} << (8 * i);
  return size;
}

absl::Status NoSampler(absl::string_view what) {
  return absl::DataLossError(absl::StrCat("what the sampler prints is not as expected: ", what));
}

// False for a reading that says nothing.
bool CleanReading(v1::Reading& reading) {
  const base::TelemetryFieldInfo* info = base::FindTelemetryField(reading.field());
  if (info == nullptr) return false;
  if (reading.labels_size() != 0 && static_cast<size_t>(reading.labels_size()) != info->labels.size()) return false;
  for (std::string& label : *reading.mutable_labels()) label = base::CleanText(label, kMaxLabel);
  if (reading.has_value() && !std::isfinite(reading.value())) {
    reading.clear_value();
    reading.set_absence(v1::ABSENCE_FAILING);
  }
  if (reading.has_value()) {
    reading.clear_absence();
    return true;
  }
  return reading.absence() != v1::ABSENCE_UNSPECIFIED && v1::Absence_IsValid(reading.absence());
}

absl::Status ParseEnd(absl::string_view payload) {
  const std::pair<absl::string_view, absl::string_view> parts = absl::StrSplit(payload, absl::MaxSplits(' ', 1));
  const auto code = base::ParseNumber(parts.first);
  if (!code || *code == 0 || *code > 16) return absl::UnknownError("the sampler ends without a reason");
  return absl::Status(static_cast<absl::StatusCode>(*code), base::CleanText(parts.second, kMaxMessage));
}

}  // namespace

std::string EncodeTurn(const std::vector<v1::DeviceSample>& samples) {
  std::string bytes;
  for (const v1::DeviceSample& sample : samples) AppendFrame(bytes, 'S', sample.SerializeAsString());
  AppendFrame(bytes, 'T', "");
  return bytes;
}

std::string EncodeEnd(const absl::Status& status) {
  std::string bytes;
  AppendFrame(bytes, 'E',
              absl::StrCat(static_cast<int>(status.code()), " ", base::CleanText(status.message(), kMaxMessage)));
  return bytes;
}

bool CleanSample(v1::DeviceSample& sample) {
  sample.clear_device_id();
  sample.set_pci_address(base::NormalisePciAddress(base::CleanText(sample.pci_address(), kMaxLabel)));
  if (sample.pci_address().empty()) return false;
  sample.set_uuid(base::CleanText(sample.uuid(), 96));
  sample.set_time_unix_ms(std::max<int64_t>(sample.time_unix_ms(), 0));
  sample.set_duration_us(std::max<int64_t>(sample.duration_us(), 0));
  auto& readings = *sample.mutable_readings();
  readings.erase(std::remove_if(readings.begin(), readings.end(), [](v1::Reading& r) { return !CleanReading(r); }),
                 readings.end());
  if (readings.size() > kMaxReadings) readings.erase(readings.begin() + kMaxReadings, readings.end());
  return true;
}

absl::Status FrameReader::Add(absl::string_view bytes) {
  turn_bytes_ += bytes.size();
  rest_.append(bytes.data(), bytes.size());
  absl::string_view left = rest_;
  while (left.size() >= kHeader && !end_) {
    const size_t size = FrameSize(left);
    if (size > kMaxTurnBytes) return NoSampler(absl::StrCat("a frame of ", size, " bytes"));
    if (left.size() < kHeader + size) break;
    RETURN_IF_ERROR(AddFrame(left[4], left.substr(kHeader, size)));
    left.remove_prefix(kHeader + size);
    if (turn_.empty()) turn_bytes_ = left.size();
  }
  if (turn_bytes_ > kMaxTurnBytes + kHeader) return NoSampler("a turn longer than 1 MiB");
  rest_.erase(0, rest_.size() - left.size());
  return absl::OkStatus();
}

absl::Status FrameReader::AddFrame(char kind, absl::string_view payload) {
  if (kind == 'T' && payload.empty()) {
    if (turns_.size() == kMaxTurns) turns_.erase(turns_.begin());
    turns_.push_back(std::exchange(turn_, {}));
    return absl::OkStatus();
  }
  if (kind == 'E') {
    end_ = ParseEnd(payload);
    return absl::OkStatus();
  }
  if (kind != 'S') return NoSampler("a frame of no known kind");
  if (turn_.size() == kMaxSampledDevices) return NoSampler(absl::StrCat("more than ", kMaxSampledDevices, " devices"));
  v1::DeviceSample sample;
  if (!sample.ParseFromArray(payload.data(), static_cast<int>(payload.size()))) return NoSampler("not a DeviceSample");
  if (!CleanSample(sample)) return NoSampler("a sample without a PCI address");
  turn_.push_back(std::move(sample));
  return absl::OkStatus();
}

std::vector<std::vector<v1::DeviceSample>> FrameReader::TakeTurns() { return std::exchange(turns_, {}); }

}  // namespace muster::agent
