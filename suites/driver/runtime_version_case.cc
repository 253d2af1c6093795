// Whether the installed driver serves the CUDA runtime that Muster's programs are linked with.
#include <cuda_runtime_api.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "suites/driver/requirement.h"
#include "suites/sdk/measurement.h"
#include "suites/sdk/nvml.h"
#include "suites/sdk/session.h"

namespace muster::driver {
namespace {

std::string VersionText(int version) { return absl::StrCat(version / 1000, ".", version % 1000 / 10); }

TEST(versions, runtime) {
  if (!MachineHasNvidiaGpu()) GTEST_SKIP() << "no NVIDIA GPU: PCI shows none and none is leased";
  int runtime = 0;
  int driver = 0;
  ASSERT_EQ(cudaRuntimeGetVersion(&runtime), cudaSuccess);
  ASSERT_EQ(cudaDriverGetVersion(&driver), cudaSuccess);
  ASSERT_GT(driver, 0) << "expected the CUDA driver library libcuda.so.1, found none; install the driver's libraries";
  sdk::MeasureText("cuda.runtime_version", VersionText(runtime));
  sdk::MeasureText("cuda.driver_version", VersionText(driver));
  // Within a major version an older driver serves a newer runtime (NVIDIA's minor version compatibility).
  EXPECT_GE(driver / 1000, runtime / 1000)
      << "expected a driver for CUDA " << VersionText(runtime) << " or newer, found one for CUDA "
      << VersionText(driver) << "; install a newer driver";
  if (driver < runtime && driver / 1000 == runtime / 1000) {
    sdk::Session::Current().report().Log(
        sdk::Severity::kWarning, absl::StrCat("the driver is for CUDA ", VersionText(driver), ", the runtime is ",
                                              VersionText(runtime), ": it works by minor version compatibility alone"));
  }
}

}  // namespace
}  // namespace muster::driver
