//===- InstanceSet.cpp - Integer points of a few block instances ----------===//
//
// See the header.
//
//===----------------------------------------------------------------------===//
#include "nestor/Analysis/InstanceSet.h"

#include "nestor/Analysis/IntegerTest.h"

#include "mlir/IR/DialectInterface.h"
#include "mlir/IR/DialectRegistry.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/Support/MathExtras.h"

#include <mutex>
#include <numeric>

using namespace mlir;
using namespace nestor;
using namespace nestor::analysis;

//===----------------------------------------------------------------------===//
// The cache
//===----------------------------------------------------------------------===//

namespace {
/// Answers by the text of the constraints, for the life of a context.
class EmptinessCache : public DialectInterface::Base<EmptinessCache> {
public:
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(EmptinessCache)
  explicit EmptinessCache(Dialect *dialect) : Base(dialect) {}

  std::optional<bool> find(StringRef key) {
    std::lock_guard<std::mutex> guard(lock);
    auto it = answers.find(key);
    return it == answers.end() ? std::nullopt : std::optional(it->second);
  }
  void insert(StringRef key, bool empty) {
    std::lock_guard<std::mutex> guard(lock);
    // A bound instead of an eviction policy: searches ask the same again.
    if (answers.size() >= kMaxAnswers)
      answers.clear();
    answers[key] = empty;
  }

private:
  static constexpr size_t kMaxAnswers = 1 << 16;
  std::mutex lock;
  llvm::StringMap<bool> answers;
};

EmptinessCache *cacheOf(MLIRContext *context) {
  auto *dialect = context->getLoadedDialect<nest::NestDialect>();
  return dialect ? const_cast<EmptinessCache *>(
                       dialect->getRegisteredInterface<EmptinessCache>())
                 : nullptr;
}
} // namespace

void analysis::registerEmptinessCache(DialectRegistry &registry) {
  registry.addExtension(+[](MLIRContext *, nest::NestDialect *dialect) {
    dialect->addInterfaces<EmptinessCache>();
  });
}

//===----------------------------------------------------------------------===//
// Constraints
//===----------------------------------------------------------------------===//

InstanceSet::Row &InstanceSet::Row::add(const Row &other, int64_t factor) {
  constant += factor * other.constant;
  for (auto [variable, coefficient] : other.terms)
    terms[variable] += factor * coefficient;
  return *this;
}

bool InstanceSet::Row::isConstant() const {
  return llvm::all_of(terms, [](auto &term) { return term.second == 0; });
}

unsigned InstanceSet::variable(AffineExpr atom, unsigned instance) {
  if (isa<AffineSymbolExpr>(atom))
    instance = ~0u; // sizes are the same for all
  auto [it, added] = variables.try_emplace({atom, instance}, numVariables);
  if (!added)
    return it->second;
  unsigned result = numVariables++;
  if (auto symbol = dyn_cast<AffineSymbolExpr>(atom)) {
    // What is known of a size.
    Row size;
    size.terms[result] = 1;
    Row low = size, high;
    low.constant = -space.getSizeMin(symbol.getPosition());
    addNonNegative(low);
    if (std::optional<int64_t> max = space.getSizeMax(symbol.getPosition())) {
      high.constant = *max;
      addNonNegative(high.add(size, -1));
    }
    int64_t divisor = space.getSizeDivisor(symbol.getPosition());
    if (divisor > 1) {
      Row multiple;
      multiple.terms[numVariables++] = -divisor;
      addZero(multiple.add(size));
    }
  }
  return result;
}

InstanceSet::Row InstanceSet::row(AffineExpr expr, unsigned instance) {
  Row result;
  Linear linear = Linear::of(expr);
  result.constant = linear.constant;
  for (auto [atom, factor] : linear.terms) {
    auto binary = dyn_cast<AffineBinaryOpExpr>(atom);
    if (!binary) {
      result.terms[variable(atom, instance)] += factor;
      continue;
    }
    std::optional<int64_t> divisor = AffineSpace::constantOf(binary.getRHS());
    if (!divisor || *divisor <= 0) {
      // Not affine: any value.
      result.terms[variable(atom, instance)] += factor;
      continue;
    }
    // q = floor(e / d): d * q <= e <= d * q + d - 1; e mod d = e - d * q.
    Row dividend = row(binary.getLHS(), instance);
    AffineExpr floor = binary.getLHS().floorDiv(*divisor);
    auto [it, added] = variables.try_emplace({floor, instance}, numVariables);
    unsigned quotient = it->second;
    if (added) {
      ++numVariables;
      Row rest = dividend;
      rest.terms[quotient] -= *divisor;
      addNonNegative(rest);
      Row above;
      above.constant = *divisor - 1;
      addNonNegative(above.add(rest, -1));
    }
    switch (atom.getKind()) {
    case AffineExprKind::FloorDiv:
      result.terms[quotient] += factor;
      break;
    case AffineExprKind::Mod:
      result.add(dividend, factor);
      result.terms[quotient] -= factor * *divisor;
      break;
    default: { // ceildiv(e, d) = floordiv(e + d - 1, d)
      AffineExpr ceil = (binary.getLHS() + (*divisor - 1)).floorDiv(*divisor);
      result.add(row(ceil, instance), factor);
      break;
    }
    }
  }
  return result;
}

void InstanceSet::addNonNegative(const Row &row) {
  if (row.isConstant())
    contradiction |= row.constant < 0;
  else
    inequalities.push_back(row);
}

void InstanceSet::addZero(const Row &row) {
  if (row.isConstant())
    contradiction |= row.constant != 0;
  else
    equalities.push_back(row);
}

void InstanceSet::addInstance(nest::BlockOp block, unsigned instance) {
  for (nest::ForOp loop : loopsAround(block, space)) {
    Row var = row(space.of(loop.getInductionVar()), instance);
    for (AffineExpr lower :
         space.import(loop.getLowerMap(), loop.getLowerOperands()))
      addNonNegative(Row(var).add(row(lower, instance), -1));
    for (AffineExpr upper :
         space.import(loop.getUpperMap(), loop.getUpperOperands()))
      addNonNegative(row(upper - 1, instance).add(var, -1));
  }
  BlockForm form = BlockForm::of(block, space);
  auto addDomain = [&](const BlockForm &of) {
    for (auto [binding, extent] : llvm::zip_equal(of.bindings, of.extents)) {
      Row value = row(binding, instance);
      addNonNegative(value);
      addNonNegative(row(extent - 1, instance).add(value, -1));
    }
  };
  addDomain(form);
  for (nest::BlockOp around = blockAround(block);
       around && around.getOperation() != space.getRoot();
       around = blockAround(around))
    addDomain(BlockForm::of(around, space));
  for (const BlockForm::Constraint &constraint : form.constraints) {
    Row value = row(constraint.expr, instance);
    if (constraint.equal)
      addZero(value);
    else
      addNonNegative(value);
  }
}

void InstanceSet::addEqual(nest::ForOp loop, unsigned a, unsigned b) {
  AffineExpr var = space.of(loop.getInductionVar());
  addZero(row(var, a).add(row(var, b), -1));
}

//===----------------------------------------------------------------------===//
// The question
//===----------------------------------------------------------------------===//

bool InstanceSet::isEmpty() {
  if (contradiction)
    return true;
  // Constraints over equal variables are one; order does not matter.
  auto pack = [&](ArrayRef<Row> rows, bool equal) {
    std::vector<std::vector<int64_t>> packed;
    for (const Row &row : rows) {
      std::vector<int64_t> values(numVariables + 1, 0);
      int64_t gcd = 0;
      for (auto [variable, coefficient] : row.terms) {
        values[variable] = coefficient;
        gcd = std::gcd(gcd, std::abs(coefficient));
      }
      values.back() = row.constant;
      if (gcd > 1) {
        // Tighten: g * x + c >= 0 is x + floor(c / g) >= 0.
        if (equal && row.constant % gcd != 0) {
          contradiction = true;
          return packed;
        }
        for (int64_t &value : values)
          value = &value == &values.back() ? llvm::divideFloorSigned(value, gcd)
                                           : value / gcd;
      }
      packed.push_back(std::move(values));
    }
    llvm::sort(packed);
    packed.erase(llvm::unique(packed), packed.end());
    return packed;
  };
  auto equal = pack(equalities, true), greater = pack(inequalities, false);
  if (contradiction)
    return true;
  std::string key;
  EmptinessCache *cache = cacheOf(space.getContext());
  if (cache) {
    auto append = [&](const std::vector<std::vector<int64_t>> &rows) {
      for (const auto &row : rows)
        key.append(reinterpret_cast<const char *>(row.data()),
                   row.size() * sizeof(int64_t));
    };
    key =
        std::to_string(numVariables) + "/" + std::to_string(equal.size()) + "/";
    append(equal);
    append(greater);
    if (std::optional<bool> known = cache->find(key))
      return *known;
  }

  bool empty = findIntegerPoint(std::move(equal), std::move(greater),
                                numVariables) == Points::None;
  if (cache)
    cache->insert(key, empty);
  return empty;
}
