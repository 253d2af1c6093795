// NVML's numbers, as far as Muster uses them: result codes, kinds and field ids, by NVIDIA's public NVML reference.
#ifndef MUSTER_AGENT_INVENTORY_NVML_CONSTANTS_H_
#define MUSTER_AGENT_INVENTORY_NVML_CONSTANTS_H_

namespace muster::agent::nvml {

using Return = int;  // nvmlReturn_t
inline constexpr Return kSuccess = 0;
inline constexpr Return kUninitialized = 1;
inline constexpr Return kInvalidArgument = 2;
inline constexpr Return kNotSupported = 3;
inline constexpr Return kNoPermission = 4;
inline constexpr Return kNotFound = 6;
inline constexpr Return kInsufficientSize = 7;
inline constexpr Return kDriverNotLoaded = 9;
inline constexpr Return kTimeout = 10;
inline constexpr Return kFunctionNotFound = 13;
inline constexpr Return kGpuIsLost = 15;
inline constexpr Return kVersionMismatch = 18;
inline constexpr Return kNoData = 21;
inline constexpr Return kVgpuEccNotSupported = 22;
inline constexpr Return kArgumentVersionMismatch = 25;
inline constexpr Return kDeprecated = 26;
inline constexpr Return kGpuNotFound = 28;
inline constexpr Return kUnknown = 999;

// NVML_VALUE_NOT_AVAILABLE.
inline constexpr unsigned int kNotAvailable = ~0U;
inline constexpr unsigned long long kNotAvailableLong = ~0ULL;

// nvmlEnableState_t.
inline constexpr int kDisabled = 0;
inline constexpr int kEnabled = 1;

// nvmlTemperatureSensors_t, nvmlTemperatureThresholds_t.
inline constexpr int kSensorGpu = 0;
inline constexpr int kThresholdShutdown = 0;
inline constexpr int kThresholdSlowdown = 1;
inline constexpr int kThresholdMemoryMax = 2;
inline constexpr int kThresholdGpuMax = 3;

// nvmlClockType_t.
inline constexpr int kClockGraphics = 0;
inline constexpr int kClockSm = 1;
inline constexpr int kClockMemory = 2;
inline constexpr int kClockVideo = 3;

// nvmlMemoryErrorType_t, nvmlEccCounterType_t, nvmlMemoryLocation_t.
inline constexpr int kCorrected = 0;
inline constexpr int kUncorrected = 1;
inline constexpr int kVolatile = 0;
inline constexpr int kAggregate = 1;
inline constexpr int kLocationL1 = 0;
inline constexpr int kLocationL2 = 1;
inline constexpr int kLocationDram = 2;
inline constexpr int kLocationRegister = 3;
inline constexpr int kLocationTexture = 4;
inline constexpr int kLocationShared = 5;
inline constexpr int kLocationCbu = 6;
inline constexpr int kLocationSram = 7;

// nvmlPerfPolicyType_t, for nvmlDeviceGetViolationStatus.
inline constexpr int kPolicyPower = 0;
inline constexpr int kPolicyThermal = 1;
inline constexpr int kPolicySyncBoost = 2;
inline constexpr int kPolicyBoardLimit = 3;
inline constexpr int kPolicyLowUtilization = 4;
inline constexpr int kPolicyReliability = 5;

// nvmlPcieUtilCounter_t.
inline constexpr int kPcieTransmit = 0;
inline constexpr int kPcieReceive = 1;

// Bits of nvmlDeviceGetCurrentClocksEventReasons, of old …ThrottleReasons.
inline constexpr unsigned long long kReasonIdle = 0x1;
inline constexpr unsigned long long kReasonApplicationClocks = 0x2;
inline constexpr unsigned long long kReasonSwPowerCap = 0x4;
inline constexpr unsigned long long kReasonHwSlowdown = 0x8;
inline constexpr unsigned long long kReasonSyncBoost = 0x10;
inline constexpr unsigned long long kReasonSwThermal = 0x20;
inline constexpr unsigned long long kReasonHwThermal = 0x40;
inline constexpr unsigned long long kReasonHwPowerBrake = 0x80;
inline constexpr unsigned long long kReasonDisplayClocks = 0x100;
inline constexpr unsigned long long kReasonBoardLimit = 0x200;
inline constexpr unsigned long long kReasonReliability = 0x400;

// nvmlPstates_t: 0 to 15, or this.
inline constexpr unsigned int kPstateUnknown = 32;

// NVLink: nvmlNvLinkErrorCounter_t, and most links of a GPU.
inline constexpr int kLinkErrorReplay = 0;
inline constexpr int kLinkErrorRecovery = 1;
inline constexpr int kLinkErrorCrcFlit = 2;
inline constexpr int kLinkErrorCrcData = 3;
inline constexpr int kLinkErrorEccData = 4;
inline constexpr unsigned int kMaxLinks = 36;

// nvmlValueType_t.
inline constexpr int kValueDouble = 0;
inline constexpr int kValueUint = 1;
inline constexpr int kValueUlong = 2;
inline constexpr int kValueUlonglong = 3;
inline constexpr int kValueLonglong = 4;
inline constexpr int kValueInt = 5;
inline constexpr int kValueUshort = 6;

// nvmlPowerScopeType_t: scope of the power fields.
inline constexpr unsigned int kPowerScopeGpu = 0;
inline constexpr unsigned int kPowerScopeModule = 1;
inline constexpr unsigned int kPowerScopeMemory = 2;

// Field ids of nvmlDeviceGetFieldValues. Those of links take the link as scope.
inline constexpr unsigned int kFieldRetiredSingleBit = 29;
inline constexpr unsigned int kFieldRetiredDoubleBit = 30;
inline constexpr unsigned int kFieldRetiredPending = 31;
inline constexpr unsigned int kFieldThrottlePowerNs = 74;
inline constexpr unsigned int kFieldThrottleThermalNs = 75;
inline constexpr unsigned int kFieldThrottleSyncBoostNs = 76;
inline constexpr unsigned int kFieldThrottleBoardLimitNs = 77;
inline constexpr unsigned int kFieldThrottleLowUtilizationNs = 78;
inline constexpr unsigned int kFieldThrottleReliabilityNs = 79;
inline constexpr unsigned int kFieldMemoryTemperature = 82;
inline constexpr unsigned int kFieldLinkCount = 91;
inline constexpr unsigned int kFieldLinkTransmitKib = 138;
inline constexpr unsigned int kFieldLinkReceiveKib = 139;
inline constexpr unsigned int kFieldLinkReplays = 161;
inline constexpr unsigned int kFieldLinkRecoveries = 162;
inline constexpr unsigned int kFieldLinkCrcErrors = 163;
inline constexpr unsigned int kFieldLinkSpeedMbps = 164;  // megabytes a second
inline constexpr unsigned int kFieldLinkState = 165;
inline constexpr unsigned int kFieldPowerAverageMw = 185;  // by power scope
inline constexpr unsigned int kFieldPowerInstantMw = 186;  // by power scope
inline constexpr unsigned int kFieldShutdownMargin = 193;  // degrees below (positive) the slowdown point
inline constexpr unsigned int kFieldSlowdownMargin = 194;
inline constexpr unsigned int kFieldMemoryMaxMargin = 195;
inline constexpr unsigned int kFieldGpuMaxMargin = 196;
inline constexpr unsigned int kFieldPcieTransmitBytes = 197;
inline constexpr unsigned int kFieldPcieReceiveBytes = 198;
inline constexpr unsigned int kFieldLinkTransmitBytes = 202;
inline constexpr unsigned int kFieldLinkReceiveBytes = 204;
inline constexpr unsigned int kFieldRecoveryAction =
    230;  // 0 none, 1 reset, 2 reboot, 3 drain peers, 4 drain and reset
inline constexpr unsigned int kFieldThrottleSwThermalNs = 269;
inline constexpr unsigned int kFieldThrottleHwThermalNs = 270;
inline constexpr unsigned int kFieldThrottlePowerBrakeNs = 271;

}  // namespace muster::agent::nvml

#endif  // MUSTER_AGENT_INVENTORY_NVML_CONSTANTS_H_
