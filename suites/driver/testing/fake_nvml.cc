// An NVML with one GPU in it, for tests of the driver suite: built as libnvidia-ml.so.1 and found by LD_LIBRARY_PATH.
//
// FAKE_NVML="name=number,…" says what is wrong with the GPU; `fail=FUNCTION:CODE` in it makes one function give that
// code.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

namespace {

constexpr int kSuccess = 0;
constexpr int kNotFound = 6;
int gpu;

// What follows "name=" in the scenario; null when it is not there.
const char* Find(const std::string& name) {
  static const char* const scenario = std::getenv("FAKE_NVML") == nullptr ? "" : std::getenv("FAKE_NVML");
  for (const char* at = scenario; (at = std::strstr(at, (name + "=").c_str())) != nullptr; at += name.size()) {
    if (at == scenario || at[-1] == ',') return at + name.size() + 1;
  }
  return nullptr;
}

unsigned Number(const std::string& name, unsigned otherwise) {
  const char* text = Find(name);
  return text == nullptr ? otherwise : static_cast<unsigned>(std::strtoul(text, nullptr, 10));
}

// What `function` gives: success unless the scenario says otherwise.
int Result(const char* function) {
  const char* fail = Find("fail");
  const size_t length = std::strlen(function);
  if (fail == nullptr || std::strncmp(fail, function, length) != 0 || fail[length] != ':') return kSuccess;
  return std::atoi(fail + length + 1);
}

int Text(const char* function, char* out, unsigned size, const char* text) {
  std::snprintf(out, size, "%s", text);
  return Result(function);
}

int Give(const char* function, unsigned* out, unsigned value) {
  *out = value;
  return Result(function);
}

}  // namespace

#pragma GCC visibility push(default)
extern "C" {

int nvmlInit_v2() { return Result(__func__); }
int nvmlShutdown() { return kSuccess; }
const char* nvmlErrorString(int code) { return code == 3 ? "Not Supported" : "an error"; }
int nvmlSystemGetDriverVersion(char* out, unsigned size) { return Text(__func__, out, size, "580.159.04"); }
int nvmlSystemGetNVMLVersion(char* out, unsigned size) { return Text(__func__, out, size, "13.580.159.04"); }
int nvmlSystemGetCudaDriverVersion_v2(int* version) {
  *version = 13000;
  return Result(__func__);
}
int nvmlDeviceGetCount_v2(unsigned* count) { return Give(__func__, count, 1); }
int nvmlDeviceGetHandleByIndex_v2(unsigned, void** device) {
  *device = &gpu;
  return Result(__func__);
}
int nvmlDeviceGetHandleByUUID(const char* uuid, void** device) {
  *device = &gpu;
  return std::strcmp(uuid, "GPU-fake") == 0 ? Result(__func__) : kNotFound;
}
int nvmlDeviceGetName(void*, char* out, unsigned size) { return Text(__func__, out, size, "Fake GPU"); }
int nvmlDeviceGetUUID(void*, char* out, unsigned size) { return Text(__func__, out, size, "GPU-fake"); }
int nvmlDeviceGetSerial(void*, char* out, unsigned size) { return Text(__func__, out, size, "1650"); }
int nvmlDeviceGetPciInfo_v3(void*, void* info) {
  struct PciInfo {
    char legacy[16];
    unsigned domain, bus, device, id, subsystem;
    char bus_id[32];
  };
  *static_cast<PciInfo*>(info) = {"", 0, 0x41, 0, 0x233510de, 0, "00000000:41:00.0"};
  return Result(__func__);
}
int nvmlDeviceGetMemoryInfo(void*, unsigned long long* info) {
  info[0] = 1ull << 37;
  return Result(__func__);
}
int nvmlDeviceGetEccMode(void*, int* current, int* pending) {
  *current = static_cast<int>(Number("ecc", 1));
  *pending = static_cast<int>(Number("ecc_pending", 1));
  return Result(__func__);
}
int nvmlDeviceGetTotalEccErrors(void*, int kind, int, unsigned long long* count) {
  *count = Number(kind == 1 ? "uncorrected" : "corrected", 0);
  return Result(__func__);
}
int nvmlDeviceGetRemappedRows(void*, unsigned* corrected, unsigned* uncorrected, unsigned* pending, unsigned* failed) {
  *corrected = 0;
  *uncorrected = Number("remapped", 0);
  *pending = Number("remap_pending", 0);
  *failed = Number("remap_failed", 0);
  return Result(__func__);
}
int nvmlDeviceGetRetiredPages(void*, int cause, unsigned* count, unsigned long long*) {
  return Give(__func__, count, cause == 1 ? Number("retired", 0) : 0);
}
int nvmlDeviceGetRetiredPagesPendingStatus(void*, int* pending) {
  *pending = static_cast<int>(Number("retire_pending", 0));
  return Result(__func__);
}
int nvmlDeviceGetTemperature(void*, int, unsigned* celsius) { return Give(__func__, celsius, Number("celsius", 40)); }
int nvmlDeviceGetTemperatureThreshold(void*, int, unsigned* celsius) { return Give(__func__, celsius, 90); }
int nvmlDeviceGetPersistenceMode(void*, int* mode) {
  *mode = 1;
  return Result(__func__);
}
int nvmlDeviceGetComputeMode(void*, unsigned* mode) { return Give(__func__, mode, Number("compute_mode", 0)); }
int nvmlDeviceGetVbiosVersion(void*, char* out, unsigned size) { return Text(__func__, out, size, "96.00.D9"); }
int nvmlDeviceGetInforomImageVersion(void*, char* out, unsigned size) { return Text(__func__, out, size, "G520"); }
int nvmlDeviceValidateInforom(void*) { return Result(__func__); }
int nvmlDeviceGetGspFirmwareMode(void*, unsigned* enabled, unsigned* by_default) {
  *by_default = 1;
  return Give(__func__, enabled, Number("gsp", 1));
}
int nvmlDeviceGetGspFirmwareVersion(void*, char* out) {
  return Text(__func__, out, 64, Number("gsp_version", 580) == 580 ? "580.159.04" : "570.1");
}
int nvmlDeviceGetFieldValues(void*, int count, void* values) {
  struct FieldValue {
    unsigned id, scope;
    long long timestamp, latency;
    unsigned type;
    int result;
    unsigned long long value;
  };
  for (int i = 0; i < count; ++i) {
    FieldValue& field = static_cast<FieldValue*>(values)[i];
    field.result = field.id == 230 ? kSuccess : 3;
    field.value = Number("recovery", 0);
  }
  return Result(__func__);
}
int nvmlDeviceGetMinorNumber(void*, unsigned* minor) { return Give(__func__, minor, 250); }
}
#pragma GCC visibility pop
