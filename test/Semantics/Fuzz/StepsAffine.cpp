// Slanted, shifted and divided domains.
#include "Steps.h"

using namespace mlir;
using namespace nestor;
using namespace nestor::fuzz;
using namespace nestor::sched;

namespace {
constexpr const char *kOrdered =
    "stencil seidel lu trmm syrk scan update trisolv";

/// Two loops around one block, the outer one first (mostly).
bool pair(Picker &p, LoopRef &outer, LoopRef &inner) {
  LoopRefs loops;
  if (!p.blockIn(loops, 2))
    return false;
  auto n = static_cast<int64_t>(loops.size());
  int64_t i = p.number(0, n - 2);
  int64_t j = p.random.chance(70) ? i + 1 : p.random.in(i + 1, n - 1);
  p.say(std::to_string(j));
  outer = loops[i];
  inner = loops[j];
  if (p.random.chance(10))
    std::swap(outer, inner);
  return true;
}

Tried skew(Picker &p) {
  LoopRef outer{0}, inner{0};
  if (!pair(p, outer, inner))
    return std::nullopt;
  return p.s.skew(inner, outer, p.number(-2, 3));
}

Tried reverse(Picker &p) {
  auto target = p.loop();
  if (!target)
    return std::nullopt;
  return p.s.reverse(*target);
}

Tried shift(Picker &p) {
  LoopRefs loops;
  auto at = p.blockIn(loops);
  if (!at)
    return std::nullopt;
  return p.s.shift(*at, p.oneOf(loops), p.number(-3, 3));
}

/// A constant, a diagonal, or a part of a size.
Tried splitDomain(Picker &p) {
  LoopRefs loops;
  if (!p.blockIn(loops))
    return std::nullopt;
  auto n = static_cast<int64_t>(loops.size());
  int64_t at = p.number(0, n - 1);
  MLIRContext *context = p.s.getFunc().getContext();
  unsigned sizes = p.s.getFunc().getSizes().size();
  AffineExpr expr = getAffineDimExpr(at, context) * p.random.in(1, 2);
  if (at > 0 && p.random.chance(40))
    expr = expr - getAffineDimExpr(p.random.in(0, at - 1), context);
  if (sizes > 0 && p.random.chance(30))
    expr = expr * 2 - getAffineSymbolExpr(0, context);
  expr = expr - p.random.in(0, 6);
  if (p.random.chance(50))
    expr = -expr;
  AffineMap map = AffineMap::get(at + 1, sizes, expr);
  p.say(map);
  return p.s.splitDomain(loops[at], map).getOutcome();
}

Tried wavefront(Picker &p) {
  LoopRef outer{0}, inner{0};
  if (!pair(p, outer, inner))
    return std::nullopt;
  return p.s.wavefront(outer, inner, p.number(1, 3));
}
} // namespace

llvm::ArrayRef<StepKind> nestor::fuzz::affineSteps() {
  static const StepKind table[] = {
      {"skew", 2, true, skew, kOrdered},
      {"reverse", 2, true, reverse},
      {"shift", 2, true, shift},
      {"split_domain", 3, true, splitDomain},
      {"wavefront", 3, true, wavefront, kOrdered},
  };
  return table;
}
