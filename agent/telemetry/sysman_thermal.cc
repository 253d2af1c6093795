// Temperatures and fans.
#include <cmath>

#include "absl/strings/str_cat.h"
#include "agent/telemetry/sysman_part.h"

namespace muster::agent {
namespace {

// Newer than the oldest headers.
constexpr int kSensorBoard = 6;

// "" for the sensors that give a minimum.
const char* Location(int sensor) {
  switch (sensor) {
    case ZES_TEMP_SENSORS_GLOBAL:
      return "hotspot";  // The highest of all sensors of the device.
    case ZES_TEMP_SENSORS_GPU:
      return "core";
    case ZES_TEMP_SENSORS_MEMORY:
      return "memory";
    case kSensorBoard:
      return "board";
    default:
      return "";
  }
}

// -1 is "not known" in this interface; nothing that computes is colder or hotter than the rest.
bool IsTemperature(double celsius) { return celsius >= -40 && celsius <= 150 && celsius != -1; }

class TemperaturePart final : public SysmanPart {
 public:
  explicit TemperaturePart(SysmanDevice& device) : SysmanPart(device, {v1::TEMPERATURE, v1::TEMPERATURE_LIMIT}) {}

 private:
  struct Sensor {
    zes_temp_handle_t handle = nullptr;
    int rank = kCardRank;
    std::string location;
    double limit = -1;
    SysmanMemo state;
  };

  Missing Enumerate() override {
    sensors_.clear();
    std::vector<zes_temp_handle_t> handles;
    if (Missing missing = device_.List(MUSTER_SYSMAN(device_, zesDeviceEnumTemperatureSensors), handles)) {
      return missing;
    }
    for (zes_temp_handle_t handle : handles) {
      zes_temp_properties_t properties = {};
      properties.stype = ZES_STRUCTURE_TYPE_TEMP_PROPERTIES;
      SysmanMemo memo;
      const Missing missing =
          device_.Ask(memo, MUSTER_SYSMAN(device_, zesTemperatureGetProperties), handle, &properties);
      if (missing == v1::ABSENCE_UNSUPPORTED) continue;
      if (missing) return missing;
      const std::string location = Location(properties.type);
      if (location.empty()) continue;
      sensors_.push_back({.handle = handle,
                          .rank = properties.onSubdevice ? kTileRank : kCardRank,
                          .location = location,
                          .limit = properties.maxTemperature});
    }
    return sensors_.empty() ? Missing(v1::ABSENCE_UNSUPPORTED) : std::nullopt;
  }

  void ReadParts(TileReadings& readings) override {
    for (Sensor& sensor : sensors_) {
      double celsius = 0;
      const Missing missing =
          device_.Ask(sensor.state, MUSTER_SYSMAN(device_, zesTemperatureGetState), sensor.handle, &celsius);
      if (missing || !IsTemperature(celsius)) {
        readings.Absent(sensor.rank, v1::TEMPERATURE, {sensor.location}, missing.value_or(v1::ABSENCE_FAILING));
      } else {
        readings.Value(sensor.rank, v1::TEMPERATURE, {sensor.location}, Combine::kMax, celsius);
      }
      ReadLimit(sensor, readings);
    }
  }

  // The thresholds of zesTemperatureGetConfig are those of whoever listens for events; they limit nothing.
  static void ReadLimit(const Sensor& sensor, TileReadings& readings) {
    const bool memory = sensor.location == "memory";
    if (sensor.location != "core" && !memory) return;
    const ReadingLabels labels = {memory ? "memory_throttle" : "throttle"};
    if (IsTemperature(sensor.limit) && sensor.limit > 0) {
      readings.Value(sensor.rank, v1::TEMPERATURE_LIMIT, labels, Combine::kMax, sensor.limit);
    } else {
      readings.Absent(sensor.rank, v1::TEMPERATURE_LIMIT, labels, v1::ABSENCE_UNSUPPORTED);
    }
  }

  std::vector<Sensor> sensors_;
};

class FanPart final : public SysmanPart {
 public:
  explicit FanPart(SysmanDevice& device) : SysmanPart(device, {v1::FAN_SPEED_RPM, v1::FAN_SPEED_RATIO}) {}

 private:
  struct Fan {
    zes_fan_handle_t handle = nullptr;
    std::string number;
    int32_t max_rpm = -1;
    SysmanMemo rpm;
    SysmanMemo percent;
  };

  Missing Enumerate() override {
    fans_.clear();
    std::vector<zes_fan_handle_t> handles;
    if (Missing missing = device_.List(MUSTER_SYSMAN(device_, zesDeviceEnumFans), handles)) return missing;
    for (zes_fan_handle_t handle : handles) {
      zes_fan_properties_t properties = {};
      properties.stype = ZES_STRUCTURE_TYPE_FAN_PROPERTIES;
      SysmanMemo memo;
      const Missing missing = device_.Ask(memo, MUSTER_SYSMAN(device_, zesFanGetProperties), handle, &properties);
      if (missing && missing != v1::ABSENCE_UNSUPPORTED) return missing;
      fans_.push_back(
          {.handle = handle, .number = absl::StrCat(fans_.size()), .max_rpm = missing ? -1 : properties.maxRPM});
    }
    return std::nullopt;
  }

  // The speed in `units`; -1 is "not known".
  Missing Speed(Fan& fan, SysmanMemo& memo, zes_fan_speed_units_t units, int32_t& speed) {
    if (Missing missing = device_.Ask(memo, MUSTER_SYSMAN(device_, zesFanGetState), fan.handle, units, &speed)) {
      return missing;
    }
    return speed < 0 ? Missing(v1::ABSENCE_UNSUPPORTED) : std::nullopt;
  }

  void ReadParts(TileReadings& readings) override {
    for (Fan& fan : fans_) {
      int32_t rpm = -1;
      const Missing no_rpm = Speed(fan, fan.rpm, ZES_FAN_SPEED_UNITS_RPM, rpm);
      if (no_rpm) readings.Absent(kCardRank, v1::FAN_SPEED_RPM, {fan.number}, *no_rpm);
      if (!no_rpm) readings.Value(kCardRank, v1::FAN_SPEED_RPM, {fan.number}, Combine::kMax, rpm);

      int32_t percent = -1;
      const Missing no_percent = Speed(fan, fan.percent, ZES_FAN_SPEED_UNITS_PERCENT, percent);
      if (!no_percent) {
        readings.Value(kCardRank, v1::FAN_SPEED_RATIO, {fan.number}, Combine::kMax, percent / 100.0);
      } else if (!no_rpm && fan.max_rpm > 0) {
        readings.Value(kCardRank, v1::FAN_SPEED_RATIO, {fan.number}, Combine::kMax, double{1.0} * rpm / fan.max_rpm);
      } else {
        readings.Absent(kCardRank, v1::FAN_SPEED_RATIO, {fan.number}, *no_percent);
      }
    }
  }

  std::vector<Fan> fans_;
};

}  // namespace

std::unique_ptr<SysmanPart> MakeTemperaturePart(SysmanDevice& device) {
  return std::make_unique<TemperaturePart>(device);
}
std::unique_ptr<SysmanPart> MakeFanPart(SysmanDevice& device) { return std::make_unique<FanPart>(device); }

}  // namespace muster::agent
