// A kernel that uses a record as lowering does: rows x columns instances side
// by side, `steps` times along k, operands packed by the record's own layout.
// And the same computed by the interpreter from the record's semantics.
#ifndef NESTOR_TEST_UNIT_INTRIN_RECORDKERNEL_H
#define NESTOR_TEST_UNIT_INTRIN_RECORDKERNEL_H

#include "nestor/Codegen/Codegen.h"
#include "nestor/Interp/HostTensor.h"
#include "nestor/Intrin/Intrin.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"

#include <memory>

#include <gtest/gtest.h>

namespace nestor::intrin {

/// How a kernel is made.
struct Plan {
  int64_t rows = 1, columns = 1, steps = 1;
  /// Points of the last instance that are there; 0: all. A Mask axis takes them
  /// at run time, a Shrink axis at compile time.
  int64_t lastM = 0, lastN = 0;
};

/// The dialects that a kernel and the semantics need.
void loadDialects(mlir::MLIRContext &context);

/// llvm.func @nst_model(%lhs, %rhs, %acc, %steps, %lanes).
mlir::OwningOpRef<mlir::ModuleOp>
buildKernel(mlir::MLIRContext &context, const Record &record, const Plan &plan);

/// Every record, as a parameter of a test, and its name there.
std::vector<const Record *> allRecords();
std::string testName(const testing::TestParamInfo<const Record *> &info);

/// Matrices: lhs is (rows * m) x (steps * k), and so on; row-major.
struct Matrices {
  HostTensor lhs, rhs, acc;
};

enum class Data { SmallIntegers, Random, Extreme };

Matrices makeMatrices(mlir::MLIRContext &context, const Record &record,
                      const Plan &plan, Data data, uint64_t seed);

/// `matrix` of `operand` in the record's packed layout.
std::vector<uint8_t> pack(mlir::MLIRContext &context, const Record &record,
                          unsigned operand, const HostTensor &matrix,
                          int64_t copies);

/// acc by the interpreter, instance by instance. The points that a plan leaves
/// out stay what they were.
HostTensor runSemantics(mlir::MLIRContext &context, const Record &record,
                        const Plan &plan, const Matrices &matrices);

/// A kernel as machine code for this machine, with the instructions of `device`
/// (null: none).
class Native {
public:
  static llvm::Expected<std::unique_ptr<Native>>
  make(mlir::MLIRContext &context, const Record &record, const Plan &plan,
       const Target *device);
  ~Native();
  /// acc.
  HostTensor run(const Matrices &matrices) const;

private:
  Native(mlir::MLIRContext &context, const Record &record, const Plan &plan)
      : context(context), record(record), plan(plan) {}

  mlir::MLIRContext &context;
  const Record &record;
  Plan plan;
  void *library = nullptr;
  void *kernel = nullptr;
};

/// The object and the assembly of the kernel for `target`.
llvm::Expected<ObjectBytes> kernelObject(mlir::MLIRContext &context,
                                         const Record &record, const Plan &plan,
                                         const Target &target);
llvm::Expected<std::string> kernelAssembly(mlir::MLIRContext &context,
                                           const Record &record,
                                           const Plan &plan,
                                           const Target &target);

/// A target that has what `record` needs and no more than it has to.
Target targetOf(const Record &record);

/// Where `got` and `expected` differ; "" if nowhere. NaNs are equal.
/// `tolerance`: relative to the largest sum of magnitudes that could be there.
std::string differences(const Record &record, const HostTensor &got,
                        const HostTensor &expected, double tolerance);

} // namespace nestor::intrin

#endif // NESTOR_TEST_UNIT_INTRIN_RECORDKERNEL_H
