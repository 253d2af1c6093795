// cuBLASLt as a matrix engine.
#ifndef MUSTER_SUITES_PHYSICAL_CUBLAS_ENGINE_H_
#define MUSTER_SUITES_PHYSICAL_CUBLAS_ENGINE_H_

#include <memory>
#include <string>

#include "suites/physical/cublaslt.h"
#include "suites/physical/cuda_device.h"
#include "suites/physical/matrix_engine.h"

namespace muster::physical {

class CublasEngine final : public MatrixEngine {
 public:
  // `library` and `device` outlive the engine.
  CublasEngine(CublasLt& library, CudaDevice& device);
  ~CublasEngine() override;

  std::string Name() const override;
  bool UsesMatrixUnits() const override { return true; }
  // cuBLASLt multiplies int8 and fp8 with a in rows alone.
  bool TakesColumnsOfA(sdk::MatrixType type) const override {
    return type != sdk::MatrixType::kInt8 && type != sdk::MatrixType::kFp8;
  }
  std::string Prepare(const MatrixProduct& product, const MatrixOperands& operands) override;
  void Multiply(const MatrixOperands& operands) override;

 private:
  CublasLt& library_;
  CudaDevice& device_;
  void* const workspace_;
  std::unique_ptr<CublasLt::Product> product_;
  size_t algorithm_ = 0;
};

}  // namespace muster::physical

#endif  // MUSTER_SUITES_PHYSICAL_CUBLAS_ENGINE_H_
