//===- Invocation.h - Calling a primitive from its operation ----*- C++ -*-===//
//
// An operation of a schedule names a primitive's arguments by handles and
// parameters. An Invocation says where those lead: into the state of the
// Transform interpreter, or into the table of a Schedule. `call` reads what the
// plain function wants, calls it and binds what it returns:
//
//   Outcome SkewOp::run(Invocation &at) {
//     return at.call(sched::skew, getLoop(), getOuter(), getFactor());
//   }
//
//===----------------------------------------------------------------------===//
#ifndef NESTOR_LIB_SCHEDULE_INVOCATION_H
#define NESTOR_LIB_SCHEDULE_INVOCATION_H

#include "nestor/Schedule/Primitives.h"

#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/PatternMatch.h"

#include <tuple>

namespace nestor::sched {

/// Numbers of an operation, some of them parameters.
struct MixedParams {
  mlir::ValueRange dynamic;
  llvm::ArrayRef<int64_t> numbers;
};

class Invocation {
public:
  Invocation(mlir::RewriterBase &rewriter, mlir::Operation *op)
      : rewriter(rewriter), op(op) {}
  virtual ~Invocation() = default;

  /// `primitive(rewriter, arguments...)`, or without a rewriter for queries.
  template <typename R, typename... Params, typename... Args>
  Outcome call(R (*primitive)(mlir::RewriterBase &, Params...),
               Args &&...args) {
    std::tuple<Stored<Params>...> read;
    if (Outcome outcome = readAll(read, std::index_sequence_for<Params...>(),
                                  std::forward<Args>(args)...);
        !outcome.isDone())
      return outcome;
    if (Outcome outcome = checkNests(); !outcome.isDone())
      return outcome;
    return finish(std::apply(
        [&](auto &...each) { return primitive(rewriter, each...); }, read));
  }
  template <typename R, typename... Params, typename... Args>
  Outcome ask(R (*query)(Params...), Args &&...args) {
    std::tuple<Stored<Params>...> read;
    if (Outcome outcome = readAll(read, std::index_sequence_for<Params...>(),
                                  std::forward<Args>(args)...);
        !outcome.isDone())
      return outcome;
    return finish(
        std::apply([&](auto &...each) { return query(each...); }, read));
  }

  /// What one operand holds.
  template <typename T>
  Outcome get(mlir::Value handle, T &into) {
    return read(handle, into);
  }
  /// Gives the results of the operation their numbers.
  Outcome give(llvm::ArrayRef<int64_t> values) {
    return bindAll(llvm::SmallVector<int64_t>(values));
  }
  /// Refuses when the operation has not as many results. To be asked before a
  /// primitive that rewrites.
  Outcome expect(size_t count, llvm::StringRef what) const {
    return count == op->getNumResults() ? Outcome::done()
                                        : wrongCount(count, what);
  }
  /// Whether the operation is a record that may be amended.
  virtual bool records() const { return false; }

  mlir::Operation *getOperation() const { return op; }
  mlir::RewriterBase &getRewriter() const { return rewriter; }

protected:
  /// The one operation that a handle holds.
  virtual Outcome payloadOf(mlir::Value handle, mlir::Operation *&into) = 0;
  virtual Outcome paramOf(mlir::Value param, int64_t &into) = 0;
  virtual void bind(mlir::OpResult result, mlir::Operation *payload) = 0;
  virtual void bindParam(mlir::OpResult result, int64_t value) = 0;

private:
  template <typename T>
  struct StoredAs {
    using Type = std::decay_t<T>;
  };
  template <typename T>
  struct StoredAs<llvm::ArrayRef<T>> {
    using Type = llvm::SmallVector<T>;
  };
  template <typename T>
  using Stored = typename StoredAs<std::decay_t<T>>::Type;

  template <typename Tuple, size_t... I, typename... Args>
  Outcome readAll(Tuple &into, std::index_sequence<I...>, Args &&...args) {
    Outcome outcome = Outcome::done();
    // Stops at the first that cannot be read.
    (void)((outcome = read(std::forward<Args>(args), std::get<I>(into)),
            outcome.isDone()) &&
           ...);
    return outcome;
  }

  Outcome read(mlir::Value handle, mlir::Operation *&into) {
    Outcome outcome = payloadOf(handle, into);
    if (outcome.isDone())
      payloads.push_back(into);
    return outcome;
  }
  template <typename OpT>
    requires std::is_base_of_v<mlir::OpState, OpT>
  Outcome read(mlir::Value handle, OpT &into) {
    mlir::Operation *found = nullptr;
    if (Outcome outcome = read(handle, found); !outcome.isDone())
      return outcome;
    into = llvm::dyn_cast<OpT>(found);
    if (!into)
      return wrongKind(found, OpT::getOperationName());
    return Outcome::done();
  }
  template <typename OpT>
  Outcome read(mlir::ValueRange handles, llvm::SmallVector<OpT> &into) {
    for (mlir::Value handle : handles) {
      into.emplace_back();
      if (Outcome outcome = read(handle, into.back()); !outcome.isDone())
        return outcome;
    }
    return Outcome::done();
  }
  Outcome read(MixedParams params, llvm::SmallVector<int64_t> &into);
  Outcome read(MixedParams params, int64_t &into);
  Outcome read(llvm::ArrayRef<int64_t> numbers,
               llvm::SmallVector<int64_t> &into) {
    into.assign(numbers.begin(), numbers.end());
    return Outcome::done();
  }
  template <typename From, typename To>
    requires(std::is_convertible_v<From, To> &&
             !std::is_convertible_v<From, mlir::Value> &&
             !std::is_convertible_v<From, mlir::ValueRange>)
  Outcome read(const From &from, To &into) {
    into = static_cast<To>(from);
    return Outcome::done();
  }

  /// Refuses where blocks hold nests of which the primitive knows nothing.
  Outcome checkNests() const;
  Outcome wrongKind(mlir::Operation *found, llvm::StringRef wanted) const;
  Outcome wrongCount(size_t found, llvm::StringRef what) const;

  Outcome finish(Outcome outcome) { return outcome; }
  template <typename T>
  Outcome finish(Result<T> result) {
    if (!result)
      return result.getOutcome();
    return bindAll(*result);
  }
  template <typename OpT>
    requires std::is_base_of_v<mlir::OpState, OpT>
  Outcome bindAll(OpT found) {
    bind(op->getOpResult(0), found.getOperation());
    return Outcome::done();
  }
  template <typename OpT>
  Outcome bindAll(const std::pair<OpT, OpT> &found) {
    return bindAll(llvm::SmallVector<OpT>{found.first, found.second});
  }
  template <typename OpT>
    requires std::is_base_of_v<mlir::OpState, OpT>
  Outcome bindAll(const llvm::SmallVector<OpT> &found) {
    if (found.size() != op->getNumResults())
      return wrongCount(found.size(),
                        std::is_same_v<OpT, nest::ForOp> ? "loops" : "blocks");
    for (auto [result, one] : llvm::zip_equal(op->getOpResults(), found))
      bind(result, OpT(one).getOperation());
    return Outcome::done();
  }
  Outcome bindAll(int64_t value) {
    bindParam(op->getOpResult(0), value);
    return Outcome::done();
  }
  Outcome bindAll(const llvm::SmallVector<int64_t> &values) {
    if (values.size() != op->getNumResults())
      return wrongCount(values.size(), "numbers");
    for (auto [result, value] : llvm::zip_equal(op->getOpResults(), values))
      bindParam(result, value);
    return Outcome::done();
  }

  mlir::RewriterBase &rewriter;
  mlir::Operation *op;
  llvm::SmallVector<mlir::Operation *> payloads; // read so far
};

/// What a primitive knows of blocks that hold a nest; see ScheduleOps.td.
template <typename ConcreteType>
class AroundNests : public mlir::OpTrait::TraitBase<ConcreteType, AroundNests> {
};
template <typename ConcreteType>
class InsideNests : public mlir::OpTrait::TraitBase<ConcreteType, InsideNests> {
};

} // namespace nestor::sched

#endif // NESTOR_LIB_SCHEDULE_INVOCATION_H
