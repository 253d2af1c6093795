// What multiplies matrices on a device: a vendor's library on its matrix units, or plain kernels. Tests of results
// (golden_gemm.h) and of rates stand on it.
#ifndef MUSTER_SUITES_PHYSICAL_MATRIX_ENGINE_H_
#define MUSTER_SUITES_PHYSICAL_MATRIX_ENGINE_H_

#include <cstdint>
#include <memory>
#include <string>

#include "suites/physical/compute_device.h"
#include "suites/physical/number_format.h"
#include "suites/sdk/peak.h"

namespace muster::physical {

// c = a × b: c has `rows` and `columns`, a has rows × depth entries, b depth × columns.
struct MatrixProduct {
  sdk::MatrixType type = sdk::MatrixType::kBf16;
  uint32_t rows = 0;
  uint32_t columns = 0;
  uint32_t depth = 0;
  // c in the type of the sums (fp32, of fp64 fp64, of int8 int32); otherwise as the operands are, bf16 of fp8.
  bool wide_result = true;
  // a lies in columns, as b does; only where MatrixEngine::TakesColumnsOfA() says so.
  bool a_in_columns = false;
  // Of a library that proposes several algorithms so many are tried, and the fastest is taken; 1: its first.
  uint32_t trials = 1;

  double Operations() const { return 2.0 * rows * columns * depth; }
  uint64_t BytesOfA() const;
  uint64_t BytesOfB() const;
  uint64_t BytesOfC() const;
  // FORMAT_….
  uint32_t InputFormat() const;
  uint32_t ResultFormat() const;
};

// a in rows (or as the product says), b and c in columns; aligned to 256 bytes.
struct MatrixOperands {
  void* a = nullptr;
  void* b = nullptr;
  void* c = nullptr;
};

class MatrixEngine {
 public:
  virtual ~MatrixEngine() = default;
  // "cuBLASLt 13.1.0".
  virtual std::string Name() const = 0;
  // False: the plain units do the work.
  virtual bool UsesMatrixUnits() const = 0;
  // Whether it can multiply products of this type with a in columns.
  virtual bool TakesColumnsOfA(sdk::MatrixType) const { return false; }
  // Makes ready for such products, and does some with these operands. In words why not; empty when it can.
  virtual std::string Prepare(const MatrixProduct& product, const MatrixOperands& operands) = 0;
  // Queues the product that was prepared, of any operands.
  virtual void Multiply(const MatrixOperands& operands) = 0;

  // The same of square matrices and always the same operands.
  std::string Prepare(sdk::MatrixType type, uint32_t size, void* a, void* b, void* c);
  void Multiply() { Multiply(operands_); }

 private:
  MatrixOperands operands_;
};

// Every type on the device's plain units: tf32 as fp32, fp16, bf16 and fp8 widened to fp32; rows and columns are
// multiples of 64, depth of 16. fp64 where the device has it.
std::unique_ptr<MatrixEngine> MakePlainEngine(ComputeDevice& device);

// "bf16".
std::string MatrixTypeName(sdk::MatrixType type);
uint32_t BytesOfFormat(uint32_t format);

}  // namespace muster::physical

#endif  // MUSTER_SUITES_PHYSICAL_MATRIX_ENGINE_H_
