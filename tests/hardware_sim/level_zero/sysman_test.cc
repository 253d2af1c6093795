// The sysman side, through the real loader: what it tells must be what the World says.
#include <gmock/gmock.h>

#include <cstring>
#include <map>
#include <set>
#include <string>

#include "tests/hardware_sim/level_zero/level_zero_fixture.h"

namespace muster::sim::ze {
namespace {

using SysmanTest = LevelZeroTest;
using ::testing::AllOf;
using ::testing::Ge;
using ::testing::Gt;
using ::testing::HasSubstr;
using ::testing::Le;

// One device of the model, with the fields or faults behind it.
std::string OneDevice(const std::string& model, const std::string& more) {
  return "machines { name: 'm' devices { model: " + model + " load { constant: 0.5 } " + more + " } }";
}

TEST_F(SysmanTest, PropertiesAreTheDevices) {
  SetScenario(OneDevice("ARC_A770", "pci_address: '0000:41:00.0' serial: 'S123'"));
  Start();
  ASSERT_EQ(sysman_.size(), 1u);
  zes_device_properties_t properties = {ZES_STRUCTURE_TYPE_DEVICE_PROPERTIES};
  ASSERT_EQ(zesDeviceGetProperties(sysman_[0], &properties), ZE_RESULT_SUCCESS);
  EXPECT_THAT(properties.modelName, HasSubstr("(simulated)"));
  EXPECT_STREQ(properties.serialNumber, "S123");
  EXPECT_EQ(properties.core.deviceId, 0x56a0u);
  EXPECT_EQ(properties.core.vendorId, 0x8086u);
  EXPECT_EQ(properties.stype, ZES_STRUCTURE_TYPE_DEVICE_PROPERTIES);

  zes_pci_properties_t pci = {ZES_STRUCTURE_TYPE_PCI_PROPERTIES};
  ASSERT_EQ(zesDevicePciGetProperties(sysman_[0], &pci), ZE_RESULT_SUCCESS);
  EXPECT_EQ(pci.address.bus, 0x41u);
  EXPECT_EQ(pci.maxSpeed.gen, 4);
  EXPECT_EQ(pci.maxSpeed.width, 16);
  EXPECT_EQ(pci.maxSpeed.maxBandwidth, 16 * int64_t{1'969'230'769});

  zes_device_state_t state = {ZES_STRUCTURE_TYPE_DEVICE_STATE};
  ASSERT_EQ(zesDeviceGetState(sysman_[0], &state), ZE_RESULT_SUCCESS);
  EXPECT_EQ(state.reset, 0u);
  uint32_t bars = 0;
  ASSERT_EQ(zesDevicePciGetBars(sysman_[0], &bars, nullptr), ZE_RESULT_SUCCESS);
  EXPECT_EQ(bars, 2u);
}

TEST_F(SysmanTest, PciStateAndStats) {
  SetScenario(OneDevice("ARC_A770",
                        "fields { field: PCIE_LINK_GENERATION curve { constant: 3 } }"
                        "fields { field: PCIE_LINK_LANES curve { constant: 8 } }"
                        "fields { field: PCIE_REPLAYS curve { constant: 77 } }"
                        "fields { field: PCIE_BYTES labels: 'receive' curve { constant: 1000 } }"
                        "fields { field: PCIE_BYTES labels: 'transmit' curve { constant: 2000 } }"));
  Start();
  zes_pci_state_t state = {ZES_STRUCTURE_TYPE_PCI_STATE};
  ASSERT_EQ(zesDevicePciGetState(sysman_[0], &state), ZE_RESULT_SUCCESS);
  EXPECT_EQ(state.speed.gen, 3);
  EXPECT_EQ(state.speed.width, 8);
  zes_pci_stats_t stats = {};
  ASSERT_EQ(zesDevicePciGetStats(sysman_[0], &stats), ZE_RESULT_SUCCESS);
  EXPECT_EQ(stats.replayCounter, 77u);
  EXPECT_EQ(stats.rxCounter, 1000u);
  EXPECT_EQ(stats.txCounter, 2000u);
  // An hour of scenario, in microseconds.
  EXPECT_THAT(stats.timestamp, AllOf(Ge(3'600'000'000u), Le(3'700'000'000u)));
}

TEST_F(SysmanTest, Temperatures) {
  SetScenario(OneDevice("ARC_A770",
                        "fields { field: TEMPERATURE labels: 'core' curve { constant: 61.5 } }"
                        "fields { field: TEMPERATURE labels: 'memory' curve { constant: 70 } }"));
  Start();
  std::map<zes_temp_sensors_t, double> celsius;
  for (zes_temp_handle_t sensor : List(zesDeviceEnumTemperatureSensors, sysman_[0])) {
    zes_temp_properties_t properties = {ZES_STRUCTURE_TYPE_TEMP_PROPERTIES};
    ASSERT_EQ(zesTemperatureGetProperties(sensor, &properties), ZE_RESULT_SUCCESS);
    EXPECT_GT(properties.maxTemperature, 80);
    ASSERT_EQ(zesTemperatureGetState(sensor, &celsius[properties.type]), ZE_RESULT_SUCCESS);
    EXPECT_EQ(zesTemperatureGetState(sensor, nullptr), ZE_RESULT_ERROR_INVALID_NULL_POINTER);
  }
  EXPECT_EQ(celsius,
            (std::map<zes_temp_sensors_t, double>{{ZES_TEMP_SENSORS_GPU, 61.5}, {ZES_TEMP_SENSORS_MEMORY, 70}}));
}

TEST_F(SysmanTest, EnergyCountsAsTimeGoesBy) {
  Start();
  zes_pwr_handle_t card = nullptr;
  ASSERT_EQ(zesDeviceGetCardPowerDomain(sysman_[0], &card), ZE_RESULT_SUCCESS);
  zes_power_limit_ext_desc_t default_limit = {};
  zes_power_ext_properties_t extended = {ZES_STRUCTURE_TYPE_POWER_EXT_PROPERTIES, nullptr, ZES_POWER_DOMAIN_UNKNOWN,
                                         &default_limit};
  zes_power_properties_t properties = {ZES_STRUCTURE_TYPE_POWER_PROPERTIES, &extended};
  ASSERT_EQ(zesPowerGetProperties(card, &properties), ZE_RESULT_SUCCESS);
  EXPECT_EQ(properties.defaultLimit, 225'000);
  EXPECT_EQ(extended.domain, ZES_POWER_DOMAIN_CARD);
  EXPECT_EQ(default_limit.limit, 225'000);

  zes_power_sustained_limit_t sustained = {};
  ASSERT_EQ(zesPowerGetLimits(card, &sustained, nullptr, nullptr), ZE_RESULT_SUCCESS);
  EXPECT_EQ(sustained.power, 225'000);
  uint32_t count = 1;
  zes_power_limit_ext_desc_t limit = {ZES_STRUCTURE_TYPE_POWER_LIMIT_EXT_DESC};
  ASSERT_EQ(zesPowerGetLimitsExt(card, &count, &limit), ZE_RESULT_SUCCESS);
  EXPECT_EQ(limit.limit, 225'000);

  zes_power_energy_counter_t first = {};
  zes_power_energy_counter_t second = {};
  ASSERT_EQ(zesPowerGetEnergyCounter(card, &first), ZE_RESULT_SUCCESS);
  Await([&] {
    EXPECT_EQ(zesPowerGetEnergyCounter(card, &second), ZE_RESULT_SUCCESS);
    return second.timestamp >= first.timestamp + 50'000;
  });
  // Microjoules over microseconds are watts: between idle and limit at half load.
  const double watts =
      static_cast<double>(second.energy - first.energy) / static_cast<double>(second.timestamp - first.timestamp);
  EXPECT_THAT(watts, AllOf(Gt(40), Le(225)));
}

TEST_F(SysmanTest, FrequenciesAndThrottling) {
  SetScenario(OneDevice("ARC_A770", "faults { at_s: 1 throttle { reason: 'thermal' clock_ratio: 0.25 } }"));
  Start();
  std::set<uint32_t> domains;
  for (zes_freq_handle_t domain : List(zesDeviceEnumFrequencyDomains, sysman_[0])) {
    zes_freq_properties_t properties = {ZES_STRUCTURE_TYPE_FREQ_PROPERTIES};
    zes_freq_state_t state = {ZES_STRUCTURE_TYPE_FREQ_STATE};
    zes_freq_range_t range = {};
    ASSERT_EQ(zesFrequencyGetProperties(domain, &properties), ZE_RESULT_SUCCESS);
    ASSERT_EQ(zesFrequencyGetState(domain, &state), ZE_RESULT_SUCCESS);
    ASSERT_EQ(zesFrequencyGetRange(domain, &range), ZE_RESULT_SUCCESS);
    EXPECT_EQ(range.max, properties.max);
    domains.insert(properties.type);
    if (properties.type != ZES_FREQ_DOMAIN_GPU) {
      EXPECT_EQ(state.throttleReasons, 0u);
      continue;
    }
    EXPECT_EQ(properties.max, 2400);
    EXPECT_THAT(state.actual, AllOf(Gt(0), Le(600)));
    EXPECT_EQ(state.throttleReasons, static_cast<uint32_t>(ZES_FREQ_THROTTLE_REASON_FLAG_THERMAL_LIMIT));
  }
  EXPECT_EQ(domains, (std::set<uint32_t>{0, 1, 2}));
}

TEST_F(SysmanTest, EnginesWorkHalfOfTheTime) {
  SetScenario(OneDevice("MAX_1550", ""));
  Start();
  const auto engines = List(zesDeviceEnumEngineGroups, sysman_[0]);
  ASSERT_FALSE(engines.empty());
  zes_engine_properties_t properties = {ZES_STRUCTURE_TYPE_ENGINE_PROPERTIES};
  ASSERT_EQ(zesEngineGetProperties(engines[0], &properties), ZE_RESULT_SUCCESS);
  EXPECT_EQ(properties.type, ZES_ENGINE_GROUP_ALL);
  zes_engine_stats_t first = {};
  zes_engine_stats_t second = {};
  ASSERT_EQ(zesEngineGetActivity(engines[0], &first), ZE_RESULT_SUCCESS);
  Await([&] {
    EXPECT_EQ(zesEngineGetActivity(engines[0], &second), ZE_RESULT_SUCCESS);
    return second.timestamp >= first.timestamp + 50'000;
  });
  const double busy = static_cast<double>(second.activeTime - first.activeTime) /
                      static_cast<double>(second.timestamp - first.timestamp);
  EXPECT_NEAR(busy, 0.5, 0.01);
}

TEST_F(SysmanTest, Memory) {
  SetScenario(OneDevice("MAX_1550", "fields { field: MEMORY_READ_BYTES curve { constant: 5e9 } }"));
  Start();
  const auto modules = List(zesDeviceEnumMemoryModules, sysman_[0]);
  ASSERT_EQ(modules.size(), 1u);
  zes_mem_properties_t properties = {ZES_STRUCTURE_TYPE_MEM_PROPERTIES};
  ASSERT_EQ(zesMemoryGetProperties(modules[0], &properties), ZE_RESULT_SUCCESS);
  EXPECT_EQ(properties.type, ZES_MEM_TYPE_HBM);
  zes_mem_state_t state = {ZES_STRUCTURE_TYPE_MEM_STATE};
  ASSERT_EQ(zesMemoryGetState(modules[0], &state), ZE_RESULT_SUCCESS);
  EXPECT_EQ(state.size, properties.physicalSize);
  EXPECT_THAT(state.free, AllOf(Gt(0u), Le(state.size)));
  EXPECT_EQ(state.health, ZES_MEM_HEALTH_OK);
  zes_mem_bandwidth_t bandwidth = {};
  ASSERT_EQ(zesMemoryGetBandwidth(modules[0], &bandwidth), ZE_RESULT_SUCCESS);
  EXPECT_EQ(bandwidth.readCounter, 5'000'000'000u);
  EXPECT_GT(bandwidth.maxBandwidth, 1'000'000'000'000u);
}

TEST_F(SysmanTest, RasErrorsByKindAndCategory) {
  SetScenario(OneDevice("MAX_1550",
                        "fields { field: RAS_ERRORS labels: ['uncorrected', 'cache'] curve { constant: 3 } }"
                        "fields { field: RAS_ERRORS labels: ['corrected', 'cache'] curve { constant: 9 } }"));
  Start();
  std::map<zes_ras_error_type_t, uint64_t> cache;
  for (zes_ras_handle_t set : List(zesDeviceEnumRasErrorSets, sysman_[0])) {
    zes_ras_properties_t properties = {ZES_STRUCTURE_TYPE_RAS_PROPERTIES};
    zes_ras_state_t state = {ZES_STRUCTURE_TYPE_RAS_STATE};
    ASSERT_EQ(zesRasGetProperties(set, &properties), ZE_RESULT_SUCCESS);
    ASSERT_EQ(zesRasGetState(set, false, &state), ZE_RESULT_SUCCESS);
    EXPECT_EQ(zesRasGetState(set, true, &state), ZE_RESULT_ERROR_INSUFFICIENT_PERMISSIONS);
    cache[properties.type] = state.category[ZES_RAS_ERROR_CAT_CACHE_ERRORS];
    EXPECT_EQ(state.category[ZES_RAS_ERROR_CAT_DISPLAY_ERRORS], 0u);
  }
  EXPECT_EQ(cache[ZES_RAS_ERROR_TYPE_CORRECTABLE], 9u);
  EXPECT_EQ(cache[ZES_RAS_ERROR_TYPE_UNCORRECTABLE], 3u);
}

TEST_F(SysmanTest, FansAndFabricPorts) {
  SetScenario(R"(machines { name: 'm'
    devices { model: ARC_A770 pci_address: '0000:10:00.0'
              fields { field: FAN_SPEED_RPM labels: '0' curve { constant: 1500 } } }
    devices { model: MAX_1550 pci_address: '0000:20:00.0'
              faults { at_s: 1 interconnect_errors { link: 1 kind: 'fw_error' down: true } } } })");
  Start();
  const auto fans = List(zesDeviceEnumFans, sysman_[0]);
  ASSERT_FALSE(fans.empty());
  int32_t rpm = 0;
  ASSERT_EQ(zesFanGetState(fans[0], ZES_FAN_SPEED_UNITS_RPM, &rpm), ZE_RESULT_SUCCESS);
  EXPECT_EQ(rpm, 1500);
  const auto ports = List(zesDeviceEnumFabricPorts, sysman_[1]);
  ASSERT_GE(ports.size(), 2u);
  zes_fabric_port_properties_t properties = {ZES_STRUCTURE_TYPE_FABRIC_PORT_PROPERTIES};
  ASSERT_EQ(zesFabricPortGetProperties(ports[1], &properties), ZE_RESULT_SUCCESS);
  EXPECT_EQ(properties.portId.portNumber, 1);
  EXPECT_EQ(properties.portId.fabricId, 1u);
  zes_fabric_port_state_t up = {ZES_STRUCTURE_TYPE_FABRIC_PORT_STATE};
  zes_fabric_port_state_t down = {ZES_STRUCTURE_TYPE_FABRIC_PORT_STATE};
  ASSERT_EQ(zesFabricPortGetState(ports[0], &up), ZE_RESULT_SUCCESS);
  ASSERT_EQ(zesFabricPortGetState(ports[1], &down), ZE_RESULT_SUCCESS);
  EXPECT_EQ(up.status, ZES_FABRIC_PORT_STATUS_HEALTHY);
  EXPECT_GT(up.rxSpeed.bitRate, 0);
  EXPECT_EQ(down.status, ZES_FABRIC_PORT_STATUS_FAILED);
  zes_fabric_port_throughput_t throughput = {};
  EXPECT_EQ(zesFabricPortGetThroughput(ports[0], &throughput), ZE_RESULT_SUCCESS);
}

TEST_F(SysmanTest, ProcessesFirmwareAndWhatThereIsNoneOf) {
  SetScenario(OneDevice("ARC_A770",
                        "fields { field: PROCESSES labels: 'compute' curve { constant: 2 } }"
                        "fields { field: PROCESSES labels: 'graphics' curve { constant: 1 } }"));
  Start();
  std::vector<zes_process_state_t> processes(8);
  uint32_t count = 8;
  ASSERT_EQ(zesDeviceProcessesGetState(sysman_[0], &count, processes.data()), ZE_RESULT_SUCCESS);
  ASSERT_EQ(count, 3u);
  EXPECT_EQ(processes[0].engines, static_cast<uint32_t>(ZES_ENGINE_TYPE_FLAG_COMPUTE));
  EXPECT_EQ(processes[2].engines, static_cast<uint32_t>(ZES_ENGINE_TYPE_FLAG_RENDER));
  for (zes_firmware_handle_t firmware : List(zesDeviceEnumFirmwares, sysman_[0])) {
    zes_firmware_properties_t properties = {ZES_STRUCTURE_TYPE_FIRMWARE_PROPERTIES};
    ASSERT_EQ(zesFirmwareGetProperties(firmware, &properties), ZE_RESULT_SUCCESS);
    EXPECT_STRNE(properties.version, "");
  }
  EXPECT_TRUE(List(zesDeviceEnumStandbyDomains, sysman_[0]).empty());
  EXPECT_TRUE(List(zesDeviceEnumSchedulers, sysman_[0]).empty());
  EXPECT_TRUE(List(zesDeviceEnumPerformanceFactorDomains, sysman_[0]).empty());
  EXPECT_TRUE(List(zesDeviceEnumPsus, sysman_[0]).empty());
  EXPECT_TRUE(List(zesDeviceEnumLeds, sysman_[0]).empty());
  EXPECT_TRUE(List(zesDeviceEnumDiagnosticTestSuites, sysman_[0]).empty());
  EXPECT_EQ(zesDeviceReset(sysman_[0], false), ZE_RESULT_ERROR_UNSUPPORTED_FEATURE);
}

TEST_F(SysmanTest, AbsencesAreDifferentErrors) {
  SetScenario(OneDevice("ARC_A770",
                        "fields { field: TEMPERATURE labels: 'core' absence: ABSENCE_UNSUPPORTED }"
                        "fields { field: ENERGY labels: 'card' absence: ABSENCE_NOT_PERMITTED }"
                        "fields { field: FAN_SPEED_RPM labels: '0' absence: ABSENCE_FAILING }"));
  Start();
  double celsius = 0;
  for (zes_temp_handle_t sensor : List(zesDeviceEnumTemperatureSensors, sysman_[0])) {
    zes_temp_properties_t properties = {ZES_STRUCTURE_TYPE_TEMP_PROPERTIES};
    ASSERT_EQ(zesTemperatureGetProperties(sensor, &properties), ZE_RESULT_SUCCESS);
    const bool core = properties.type == ZES_TEMP_SENSORS_GPU;
    EXPECT_EQ(zesTemperatureGetState(sensor, &celsius), core ? ZE_RESULT_ERROR_UNSUPPORTED_FEATURE : ZE_RESULT_SUCCESS);
  }
  zes_pwr_handle_t card = nullptr;
  ASSERT_EQ(zesDeviceGetCardPowerDomain(sysman_[0], &card), ZE_RESULT_SUCCESS);
  zes_power_energy_counter_t energy = {};
  EXPECT_EQ(zesPowerGetEnergyCounter(card, &energy), ZE_RESULT_ERROR_INSUFFICIENT_PERMISSIONS);
  int32_t rpm = 0;
  EXPECT_EQ(zesFanGetState(List(zesDeviceEnumFans, sysman_[0]).at(0), ZES_FAN_SPEED_UNITS_RPM, &rpm),
            ZE_RESULT_ERROR_NOT_AVAILABLE);
}

TEST_F(SysmanTest, WedgedAfterAnEngineHang) {
  SetScenario(OneDevice("ARC_A770", "faults { at_s: 1 engine_hang { wedged: true } }"));
  Start();
  zes_device_state_t state = {ZES_STRUCTURE_TYPE_DEVICE_STATE};
  ASSERT_EQ(zesDeviceGetState(sysman_[0], &state), ZE_RESULT_SUCCESS);
  EXPECT_EQ(state.reset, static_cast<uint32_t>(ZES_RESET_REASON_FLAG_WEDGED));
}

TEST_F(SysmanTest, WithoutTheVariableThereIsNoSysman) {
  unsetenv("ZES_ENABLE_SYSMAN");
  Start();
  zes_device_state_t state = {ZES_STRUCTURE_TYPE_DEVICE_STATE};
  EXPECT_EQ(zesDeviceGetState(sysman_[0], &state), ZE_RESULT_ERROR_UNINITIALIZED);
}

}  // namespace
}  // namespace muster::sim::ze
