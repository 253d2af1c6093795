#include "suites/benchmark/stress_load.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "suites/physical/golden_gemm.h"
#include "suites/physical/open_device.h"
#include "suites/physical/pulse_train.h"
#include "suites/sdk/outcome.h"

namespace muster::benchmark {
namespace {

constexpr uint32_t kSize = 8192;
constexpr uint32_t kTrialProducts = 4;
// Of a round: by turns with one right operand and the other.
constexpr uint32_t kLeastProducts = 2;
constexpr uint32_t kMostProducts = 4096;
// Longer ones do not fit into the shortest slices, half a pulse of 10 Hz.
constexpr double kLongestProductSeconds = 0.02;
constexpr uint32_t kGroupSize = 512;
constexpr double kMostSliceSeconds = 0.25;

class MatrixLoad final : public StressLoad {
 public:
  MatrixLoad(physical::ComputeDevice& device, std::unique_ptr<physical::MatrixEngine> engine)
      : device_(device), engine_(std::move(engine)) {}

  // Measures how long a product takes; false when the engine cannot do it, or not fast enough.
  bool Try() {
    const physical::GoldenReport report = physical::RunGolden(device_, *engine_,
                                                              {.product = kProduct,
                                                               .seconds = 0,
                                                               .least_rounds = 1,
                                                               .products_per_round = kTrialProducts,
                                                               .unchecked_seconds = 0,
                                                               .reference_size = 0});
    if (report.checked_per_second > 0) product_seconds_ = kProduct.Operations() / report.checked_per_second;
    return report.unsupported.empty() && product_seconds_ <= kLongestProductSeconds;
  }

  std::string Name() const override {
    return absl::StrCat(physical::MatrixTypeName(kProduct.type), " products by ", engine_->Name());
  }

  void Work(double slice_seconds, uint64_t seed, const std::optional<StressFault>& fault,
            const std::function<bool(const StressSlice*)>& go_on) override {
    const double products = std::min(slice_seconds, kMostSliceSeconds) / product_seconds_;
    physical::GoldenOptions options = {
        .product = kProduct,
        .seed = seed,
        .products_per_round = static_cast<uint32_t>(std::clamp<double>(products, kLeastProducts, kMostProducts)),
        .unchecked_seconds = 0,
        .reference_size = 0};
    if (fault) {
      options.injection = physical::ParseGoldenInjection(absl::StrCat("bit:", fault->unit, ":7:23"), kProduct.type);
      options.injection_round = fault->slice;
    }
    StressSlice slice;
    uint64_t products_before = 0;
    const auto ended = [&](const physical::GoldenReport& report) {
      slice.end = StressClock::now();
      slice.operations = kProduct.Operations() * static_cast<double>(report.products - products_before);
      slice.wrong = report.wrong_rows + report.strips_not_whole;
      for (const physical::GoldenError& error : report.errors) {
        slice.errors.push_back(absl::StrCat(report.first_wrong, ": ", error.Describe()));
      }
      products_before = report.products;
    };
    bool begun = false;
    options.go_on = [&](const physical::GoldenReport& so_far) {
      if (begun) ended(so_far);
      const bool on = go_on(begun ? &slice : nullptr);
      begun = true;
      slice.begin = StressClock::now();
      return on;
    };
    const physical::GoldenReport report = physical::RunGolden(device_, *engine_, options);
    // After a wrong product nobody was asked.
    if (report.wrong_rows + report.strips_not_whole == 0) return;
    ended(report);
    go_on(&slice);
  }

 private:
  // As large as keeps the matrix units busy, and short enough for a slice of some milliseconds.
  static constexpr physical::MatrixProduct kProduct = {
      .type = sdk::MatrixType::kBf16, .rows = kSize, .columns = kSize, .depth = kSize};

  physical::ComputeDevice& device_;
  const std::unique_ptr<physical::MatrixEngine> engine_;
  double product_seconds_ = 1;
};

class KernelLoad final : public StressLoad {
 public:
  explicit KernelLoad(physical::ComputeDevice& device) : train_(device, kGroupSize) {}

  std::string Name() const override { return "fp32, integers and tiles by a kernel"; }

  void Work(double slice_seconds, uint64_t seed, const std::optional<StressFault>& fault,
            const std::function<bool(const StressSlice*)>& go_on) override {
    StressSlice slice;
    const double seconds = std::clamp(slice_seconds, 1e-3, kMostSliceSeconds);
    for (uint32_t number = 0; go_on(number == 0 ? nullptr : &slice) && slice.wrong == 0; ++number) {
      slice = {.begin = StressClock::now()};
      physical::PulseOptions options = {
          .hertz = 1 / seconds, .duty = 1, .pulses = 1, .first_pulse = number, .seed = seed + (uint64_t{number} << 32)};
      if (fault) options.injection = physical::PulseInjection{.pulse = fault->slice, .unit = fault->unit};
      const physical::PulseReport report = train_.Run(options);
      slice.end = StressClock::now();
      slice.operations = report.operations;
      slice.wrong = report.wrong;
      for (const physical::PulseError& error : report.errors) slice.errors.push_back(error.Describe());
    }
  }

 private:
  physical::PulseTrain train_;
};

}  // namespace

std::unique_ptr<StressLoad> OpenStressLoad(physical::ComputeDevice& device) {
  try {
    auto engine = physical::OpenMatrixEngine(device, sdk::MatrixType::kBf16);
    if (engine->UsesMatrixUnits()) {
      auto load = std::make_unique<MatrixLoad>(device, std::move(engine));
      if (load->Try()) return load;
    }
  } catch (const sdk::DeviceSkipped&) {
    // No library: the kernel does it.
  }
  return std::make_unique<KernelLoad>(device);
}

}  // namespace muster::benchmark
