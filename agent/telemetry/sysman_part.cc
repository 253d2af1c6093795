#include "agent/telemetry/sysman_part.h"

#include "agent/telemetry/intel_fields.h"

namespace muster::agent {
namespace {

// Results that no header of Debian 12 has, and some that it has, by their number.
bool IsUnsupported(ze_result_t result) {
  switch (result) {
    case ZE_RESULT_ERROR_UNSUPPORTED_VERSION:
    case ZE_RESULT_ERROR_UNSUPPORTED_FEATURE:
    case ZE_RESULT_ERROR_UNSUPPORTED_SIZE:
    case ZE_RESULT_ERROR_UNSUPPORTED_ALIGNMENT:
    case ZE_RESULT_ERROR_UNSUPPORTED_ENUMERATION:
    case ZE_RESULT_ERROR_INVALID_ENUMERATION:
      return true;
    default:
      return false;
  }
}

}  // namespace

Missing SysmanDevice::Judge(SysmanMemo& memo, ze_result_t result) {
  if (result == ZE_RESULT_SUCCESS) {
    memo.worked = true;
    return std::nullopt;
  }
  if (result == ZE_RESULT_ERROR_UNINITIALIZED && !memo.worked) {
    zes_device_properties_t properties = {};
    properties.stype = ZES_STRUCTURE_TYPE_DEVICE_PROPERTIES;
    properties.core.stype = ZE_STRUCTURE_TYPE_DEVICE_PROPERTIES;
    marker.Enter(pci_address, "zesDeviceGetProperties");
    const bool answers = calls.zesDeviceGetProperties != nullptr &&
                         calls.zesDeviceGetProperties(handle, &properties) == ZE_RESULT_SUCCESS;
    marker.Leave();
    if (answers) result = ZE_RESULT_ERROR_UNSUPPORTED_FEATURE;
  }
  if (IsUnsupported(result)) {
    memo.unsupported = !memo.worked;
    return v1::ABSENCE_UNSUPPORTED;
  }
  switch (result) {
    case ZE_RESULT_ERROR_NOT_AVAILABLE:
    case ZE_RESULT_ERROR_DEPENDENCY_UNAVAILABLE:
      return memo.worked ? v1::ABSENCE_FAILING : v1::ABSENCE_UNSUPPORTED;
    case ZE_RESULT_ERROR_INSUFFICIENT_PERMISSIONS:
      return v1::ABSENCE_NOT_PERMITTED;
    case ZE_RESULT_ERROR_DEVICE_LOST:
    case ZE_RESULT_ERROR_UNINITIALIZED:
      lost = true;
      return v1::ABSENCE_FAILING;
    default:
      return v1::ABSENCE_FAILING;
  }
}

void SysmanPart::Prepare() {
  if (prepared_) return;
  missing_ = Enumerate();
  // What failed is tried again; what the device does not have is not.
  prepared_ = !missing_ || *missing_ == v1::ABSENCE_UNSUPPORTED;
}

void SysmanPart::Read(TileReadings& readings) {
  Prepare();
  if (!missing_) return ReadParts(readings);
  for (v1::TelemetryField field : fields_) {
    for (const ReadingLabels& labels : IntelPlaces(field)) readings.Absent(kCardRank, field, labels, *missing_);
  }
}

std::vector<std::unique_ptr<SysmanPart>> MakeSysmanParts(SysmanDevice& device) {
  std::vector<std::unique_ptr<SysmanPart>> parts;
  for (const auto make : {MakeTemperaturePart, MakeFanPart, MakePowerPart, MakeFrequencyPart, MakeEnginePart,
                          MakeMemoryPart, MakeRasPart, MakePciPart, MakeFabricPart, MakeStatePart}) {
    parts.push_back(make(device));
  }
  return parts;
}

}  // namespace muster::agent
