//===- Sample.h - What all samples share ------------------------*- C++ -*-===//
//
// The methods of SampleOpInterface that only translate attributes.
//
//===----------------------------------------------------------------------===//
#ifndef NESTOR_LIB_SCHEDULE_PRIMITIVES_SAMPLE_H
#define NESTOR_LIB_SCHEDULE_PRIMITIVES_SAMPLE_H

#include "../Apply.h"

namespace nestor::sched {

inline mlir::DenseI64ArrayAttr listAttr(mlir::Operation *op,
                                        llvm::ArrayRef<int64_t> numbers) {
  return mlir::DenseI64ArrayAttr::get(op->getContext(), numbers);
}
inline mlir::IntegerAttr numberAttr(mlir::Operation *op,
                                    llvm::ArrayRef<int64_t> numbers) {
  return mlir::IntegerAttr::get(mlir::IntegerType::get(op->getContext(), 64),
                                numbers.front());
}
inline std::optional<Numbers>
decided(std::optional<llvm::ArrayRef<int64_t>> list) {
  return list ? std::optional<Numbers>(Numbers(*list)) : std::nullopt;
}
inline std::optional<Numbers> decided(std::optional<uint64_t> number) {
  return number ? std::optional<Numbers>(Numbers{int64_t(*number)})
                : std::nullopt;
}

} // namespace nestor::sched

#define NESTOR_SAMPLE(OP, KIND, ATTR)                                          \
  Outcome OP::run(Invocation &at) { return runSample(*this, at); }             \
  Decision::Kind OP::getDecisionKind() { return Decision::Kind::KIND; }        \
  std::optional<Numbers> OP::getDecided() { return decided(getDecision()); }   \
  void OP::setDecided(llvm::ArrayRef<int64_t> decision) {                      \
    setDecisionAttr(ATTR(*this, decision));                                    \
  }

#endif // NESTOR_LIB_SCHEDULE_PRIMITIVES_SAMPLE_H
