//===- Rewrite.cpp - What primitives share --------------------------------===//
//
// See Rewrite.h.
//
//===----------------------------------------------------------------------===//
#include "Rewrite.h"

#include "llvm/ADT/DenseSet.h"

using namespace mlir;
using namespace nestor;
using namespace nestor::sched;
using namespace nestor::analysis;

nest::FuncOp sched::funcOf(Operation *op) {
  return op->getParentOfType<nest::FuncOp>();
}

std::string sched::describe(Operation *op) {
  if (auto block = dyn_cast<nest::BlockOp>(op))
    return ("block '" + block.getName() + "'").str();
  if (auto loop = dyn_cast<nest::ForOp>(op)) {
    SmallVector<nest::BlockOp> blocks = blocksIn(loop);
    std::string text = "loop " + std::to_string(loopsAround(loop).size());
    if (!blocks.empty())
      text += (" of block '" + blocks.front().getName() + "'").str();
    return text;
  }
  return ("'" + op->getName().getStringRef() + "'").str();
}

std::string sched::describe(Value buffer) {
  if (auto arg = dyn_cast<BlockArgument>(buffer))
    return "argument " + std::to_string(arg.getArgNumber());
  std::string text;
  llvm::raw_string_ostream(text) << "the buffer of type " << buffer.getType();
  return text;
}

//===----------------------------------------------------------------------===//
// Loops
//===----------------------------------------------------------------------===//

void sched::setBounds(RewriterBase &rewriter, nest::ForOp loop,
                      AffineExpr lower, AffineExpr upper, AffineSpace &space) {
  rewriter.modifyOpInPlace(loop, [&]() {
    SmallVector<Value> operands;
    AffineMap map = space.exportMap(lower, operands);
    loop.setLowerMap(map);
    loop.getLowerOperandsMutable().assign(operands);
    map = space.exportMap(upper, operands);
    loop.setUpperMap(map);
    loop.getUpperOperandsMutable().assign(operands);
  });
}

nest::ForOp sched::makeLoop(RewriterBase &rewriter, Location loc,
                            AffineExpr extent, AffineSpace &space) {
  SmallVector<Value> operands;
  AffineMap upper = space.exportMap(extent, operands);
  return nest::ForOp::create(
      rewriter, loc, AffineMap::getConstantMap(0, rewriter.getContext()),
      ValueRange(), upper, operands);
}

void sched::replaceVariables(
    RewriterBase &rewriter, Operation *root,
    ArrayRef<std::pair<AffineExpr, AffineExpr>> replacements,
    AffineSpace &space) {
  llvm::DenseMap<AffineExpr, AffineExpr> table;
  llvm::SmallDenseSet<Value> old;
  for (auto [from, to] : replacements) {
    table[from] = to;
    old.insert(space.getLoop(cast<AffineDimExpr>(from)).getInductionVar());
  }
  auto usesOld = [&](Operation *op) {
    return llvm::any_of(op->getOperands(),
                        [&](Value v) { return old.contains(v); });
  };
  auto replace = [&](AffineExpr expr) {
    return space.simplify(expr.replace(table));
  };
  // Loops before what they hold: ranges are simplified with, and an inner bound
  // must not name the old variable then.
  root->walk<WalkOrder::PreOrder>([&](Operation *op) {
    if (auto loop = dyn_cast<nest::ForOp>(op); loop && usesOld(loop)) {
      rewriter.modifyOpInPlace(loop, [&]() {
        for (bool upper : {false, true}) {
          SmallVector<AffineExpr> exprs;
          for (AffineExpr expr :
               upper
                   ? space.import(loop.getUpperMap(), loop.getUpperOperands())
                   : space.import(loop.getLowerMap(), loop.getLowerOperands()))
            exprs.push_back(replace(expr));
          SmallVector<Value> operands;
          AffineMap map = space.exportMap(exprs, operands);
          if (upper) {
            loop.setUpperMap(map);
            loop.getUpperOperandsMutable().assign(operands);
          } else {
            loop.setLowerMap(map);
            loop.getLowerOperandsMutable().assign(operands);
          }
        }
      });
    } else if (auto block = dyn_cast<nest::BlockOp>(op);
               block && usesOld(block)) {
      rewriter.modifyOpInPlace(block, [&]() {
        BlockForm form = BlockForm::of(block, space);
        for (AffineExpr &binding : form.bindings)
          binding = replace(binding);
        for (BlockForm::Constraint &constraint : form.constraints)
          constraint.expr = replace(constraint.expr);
        form.write(block, space);
      });
    }
  });
}

nest::ForOp sched::cloneAfter(RewriterBase &rewriter, nest::ForOp loop,
                              Operation *after, StringRef suffix) {
  OpBuilder::InsertionGuard guard(rewriter);
  rewriter.setInsertionPointAfter(after);
  auto copy = cast<nest::ForOp>(rewriter.clone(*loop.getOperation()));
  SmallVector<nest::BlockOp> originals = allBlocksIn(loop);
  for (auto [block, original] : llvm::zip_equal(allBlocksIn(copy), originals)) {
    // The copy has the original's name still, which is taken.
    std::string name =
        uniqueBlockName(funcOf(loop), (original.getName() + suffix).str());
    nest::BlockOp(block).setName(name);
  }
  return copy;
}

void sched::moveBody(RewriterBase &rewriter, nest::ForOp from,
                     Operation *before) {
  for (Operation &op :
       llvm::make_early_inc_range(from.getBodyBlock()->without_terminator()))
    rewriter.moveOpBefore(&op, before);
}

void sched::eraseEmptyLoops(RewriterBase &rewriter, Operation *op) {
  while (auto loop = dyn_cast_or_null<nest::ForOp>(op)) {
    if (!loop.getBodyBlock()->without_terminator().empty())
      return;
    op = loop->getParentOp();
    rewriter.eraseOp(loop);
  }
}

void sched::eraseBlock(RewriterBase &rewriter, nest::BlockOp block) {
  Operation *parent = block->getParentOp();
  rewriter.eraseOp(block);
  eraseEmptyLoops(rewriter, parent);
}

//===----------------------------------------------------------------------===//
// Blocks
//===----------------------------------------------------------------------===//

static bool isNatural(AffineExpr expr) {
  if (auto c = dyn_cast<AffineConstantExpr>(expr))
    return c.getValue() >= 0;
  auto binary = dyn_cast<AffineBinaryOpExpr>(expr);
  return !binary || expr.getKind() == AffineExprKind::Mod ||
         (isNatural(binary.getLHS()) && isNatural(binary.getRHS()));
}

Value sched::emitIndex(OpBuilder &builder, Location loc, AffineExpr expr,
                       ValueRange iterators, nest::FuncOp func) {
  if (auto c = dyn_cast<AffineConstantExpr>(expr))
    return arith::ConstantIndexOp::create(builder, loc, c.getValue());
  if (auto d = dyn_cast<AffineDimExpr>(expr))
    return iterators[d.getPosition()];
  if (auto s = dyn_cast<AffineSymbolExpr>(expr))
    return func.getSizes()[s.getPosition()];
  auto binary = cast<AffineBinaryOpExpr>(expr);
  AffineExpr left = binary.getLHS(), right = binary.getRHS();
  Value lhs = emitIndex(builder, loc, left, iterators, func);
  // a + b * -1 reads better, and lowers shorter, as a - b.
  if (auto product = dyn_cast<AffineBinaryOpExpr>(right);
      product && expr.getKind() == AffineExprKind::Add &&
      right.getKind() == AffineExprKind::Mul &&
      AffineSpace::constantOf(product.getRHS()) == -1)
    return arith::SubIOp::create(
        builder, loc, lhs,
        emitIndex(builder, loc, product.getLHS(), iterators, func));
  Value rhs = emitIndex(builder, loc, right, iterators, func);
  bool natural = isNatural(left);
  switch (expr.getKind()) {
  case AffineExprKind::Add:
    return arith::AddIOp::create(builder, loc, lhs, rhs);
  case AffineExprKind::Mul:
    return arith::MulIOp::create(builder, loc, lhs, rhs);
  case AffineExprKind::FloorDiv:
    if (natural)
      return arith::DivUIOp::create(builder, loc, lhs, rhs);
    return arith::FloorDivSIOp::create(builder, loc, lhs, rhs);
  case AffineExprKind::CeilDiv:
    return arith::CeilDivSIOp::create(builder, loc, lhs, rhs);
  default:
    break;
  }
  if (natural)
    return arith::RemUIOp::create(builder, loc, lhs, rhs);
  Value quotient = arith::FloorDivSIOp::create(builder, loc, lhs, rhs);
  Value product = arith::MulIOp::create(builder, loc, quotient, rhs);
  return arith::SubIOp::create(builder, loc, lhs, product);
}

/// Inserts an iterator at position `at` into regions and kinds.
static void insertIterator(RewriterBase &rewriter, nest::BlockOp block,
                           unsigned at, nest::IteratorKind kind) {
  rewriter.modifyOpInPlace(block, [&]() {
    SmallVector<int32_t> kinds(block.getKinds());
    kinds.insert(kinds.begin() + at, static_cast<int32_t>(kind));
    block.setKinds(kinds);
    Type index = rewriter.getIndexType();
    block.getBodyBlock()->insertArgument(at, index, block.getLoc());
    if (Block *init = block.getInitBlock())
      init->insertArgument(at, index, block.getLoc());
  });
}

unsigned sched::appendIterator(RewriterBase &rewriter, nest::BlockOp block,
                               nest::IteratorKind kind) {
  unsigned at = block.getNumIterators();
  insertIterator(rewriter, block, at, kind);
  return at;
}

unsigned sched::iteratorFor(RewriterBase &rewriter, nest::BlockOp block,
                            AffineExpr binding, AffineExpr extent,
                            nest::IteratorKind kind, bool sameKind,
                            AffineSpace &space) {
  nest::BlockOp around = blockAround(block);
  if (around && around.getOperation() != space.getRoot()) {
    unsigned outer =
        iteratorFor(rewriter, around, binding, extent, kind, sameKind, space);
    Region &region =
        isInInit(block, around) ? around.getInit() : around.getBody();
    AffineSpace inside(region);
    return iteratorFor(rewriter, block, inside.of(region.getArgument(outer)),
                       extent, kind, sameKind, inside);
  }
  BlockForm form = BlockForm::of(block, space);
  for (auto [i, have] : llvm::enumerate(form.bindings))
    if (have == binding && (!sameKind || block.getIteratorKind(i) == kind))
      return i;
  unsigned i = appendIterator(rewriter, block, kind);
  form.bindings.push_back(binding);
  form.extents.push_back(extent);
  rewriter.modifyOpInPlace(block, [&]() { form.write(block, space); });
  return i;
}

std::string sched::uniqueBlockName(nest::FuncOp func, StringRef base) {
  llvm::DenseSet<StringRef> names;
  for (nest::BlockOp block : allBlocksIn(func))
    names.insert(block.getName());
  std::string name = base.str();
  for (int i = 1; names.contains(StringRef(name)); ++i)
    name = (base + "_" + Twine(i)).str();
  return name;
}

void sched::eraseDeadIndices(RewriterBase &rewriter, nest::BlockOp block) {
  SmallVector<Operation *> candidates;
  for (Region *region : {&block.getBody(), &block.getInit()})
    region->walk([&](Operation *op) {
      if (op->getNumResults() == 1 && op->getResult(0).getType().isIndex() &&
          isMemoryEffectFree(op))
        candidates.push_back(op);
    });
  // Users stand after what they use.
  for (Operation *op : llvm::reverse(candidates))
    if (op->use_empty())
      rewriter.eraseOp(op);
}

Result<Value> sched::nthBuffer(nest::BlockOp block, BufferRole role,
                               int64_t number) {
  bool read = role == BufferRole::Read;
  SmallVector<Value> buffers =
      read ? readBuffers(block) : writtenBuffers(block);
  if (number < 0 || number >= int64_t(buffers.size()))
    return Outcome::refused(describe(block) + (read ? " reads " : " writes ") +
                            Twine(buffers.size()) + " buffers, there is no " +
                            (read ? "read " : "write ") + Twine(number));
  return buffers[number];
}

//===----------------------------------------------------------------------===//
// Divisions of iterators
//===----------------------------------------------------------------------===//

bool sched::splitIterator(RewriterBase &rewriter, nest::BlockOp block,
                          unsigned i, int64_t divisor, AffineSpace &space) {
  BlockForm form = BlockForm::of(block, space);
  AffineExpr quotient = space.simplify(form.bindings[i].floorDiv(divisor)),
             rest = space.simplify(form.bindings[i] % divisor);
  auto hasDivision = [](AffineExpr expr) {
    bool found = false;
    expr.walk([&](AffineExpr e) {
      found |= e.getKind() == AffineExprKind::FloorDiv ||
               e.getKind() == AffineExprKind::Mod ||
               e.getKind() == AffineExprKind::CeilDiv;
    });
    return found;
  };
  if (!hasDivision(form.bindings[i]) &&
      (hasDivision(quotient) || hasDivision(rest)))
    return false;
  nest::IteratorKind kind = block.getIteratorKind(i);
  insertIterator(rewriter, block, i + 1, kind);
  for (Region *region : {&block.getBody(), &block.getInit()}) {
    if (region->empty())
      continue;
    OpBuilder::InsertionGuard guard(rewriter);
    rewriter.setInsertionPointToStart(&region->front());
    Value vq = region->getArgument(i), vr = region->getArgument(i + 1);
    Value factor =
        arith::ConstantIndexOp::create(rewriter, block.getLoc(), divisor);
    Value scaled = arith::MulIOp::create(rewriter, block.getLoc(), vq, factor);
    Value sum = arith::AddIOp::create(rewriter, block.getLoc(), scaled, vr);
    vq.replaceAllUsesExcept(sum, scaled.getDefiningOp());
  }
  rewriter.modifyOpInPlace(block, [&]() {
    AffineExpr extent = form.extents[i];
    form.bindings[i] = quotient;
    form.bindings.insert(form.bindings.begin() + i + 1, rest);
    form.extents[i] = space.canonical(extent.ceilDiv(divisor));
    form.extents.insert(form.extents.begin() + i + 1, space.constant(divisor));
    form.write(block, space);
  });
  return true;
}

namespace {
/// Divisions in an index expression, judged by the iterators' extents.
class IndexSimplifier {
public:
  IndexSimplifier(nest::BlockOp block, AffineSpace &space)
      : form(BlockForm::of(block, space)), space(space) {}

  AffineExpr simplify(AffineExpr expr) {
    Linear linear = Linear::of(
        simplifyAffineExpr(expr, form.bindings.size(), space.getNumSymbols()));
    Linear result;
    result.constant = linear.constant;
    for (auto [atom, factor] : linear.terms) {
      Linear part = Linear::of(simplifyAtom(atom));
      result.constant += factor * part.constant;
      for (auto [inner, coefficient] : part.terms)
        result.add(inner, factor * coefficient);
    }
    while (joinDigits(result)) {
    }
    return result.toExpr(space.getContext());
  }

  /// The iterator whose split by `divisor` would decide a division of `expr`.
  std::optional<std::pair<unsigned, int64_t>> wanted(AffineExpr expr) {
    std::optional<std::pair<unsigned, int64_t>> found;
    expr.walk([&](AffineExpr e) {
      auto binary = dyn_cast<AffineBinaryOpExpr>(e);
      if (!binary || (e.getKind() != AffineExprKind::FloorDiv &&
                      e.getKind() != AffineExprKind::Mod))
        return;
      std::optional<int64_t> divisor = AffineSpace::constantOf(binary.getRHS());
      if (!divisor || *divisor < 2)
        return;
      std::optional<unsigned> candidate;
      Linear numerator = Linear::of(binary.getLHS());
      if (numerator.constant % *divisor != 0)
        return;
      for (auto [atom, coefficient] : numerator.terms) {
        if (coefficient % *divisor == 0)
          continue;
        auto dim = dyn_cast<AffineDimExpr>(atom);
        if (!dim || coefficient != 1 || candidate)
          return;
        candidate = dim.getPosition();
      }
      if (candidate)
        found = std::make_pair(*candidate, *divisor);
    });
    return found;
  }

private:
  /// (value floordiv stride) mod modulus; a modulus of 0 stands for none.
  struct Digit {
    AffineExpr value;
    int64_t stride = 1, modulus = 0;
  };
  static Digit digitOf(AffineExpr expr) {
    Digit digit{expr};
    // (x mod ab) floordiv b is (x floordiv b) mod a.
    while (auto binary = dyn_cast<AffineBinaryOpExpr>(digit.value)) {
      std::optional<int64_t> by = AffineSpace::constantOf(binary.getRHS());
      if (!by || *by <= 0)
        break;
      if (binary.getKind() == AffineExprKind::FloorDiv) {
        digit.stride *= *by;
      } else if (binary.getKind() == AffineExprKind::Mod &&
                 *by % digit.stride == 0 && digit.modulus == 0) {
        digit.modulus = *by / digit.stride;
      } else {
        break;
      }
      digit.value = binary.getLHS();
    }
    return digit;
  }

  /// Digits of one value that follow each other are one, those of one value
  /// are none:
  ///   x mod c + ((x floordiv c) mod b) * c  ==>  x mod (b * c)
  ///   (x mod c) floordiv c  ==>  0
  /// Each time there are fewer digits with a modulus.
  static bool joinDigits(Linear &linear) {
    for (auto [low, factor] : linear.terms) {
      Digit digit = digitOf(low);
      if (digit.modulus == 0)
        continue;
      if (digit.modulus == 1) {
        // It would follow itself.
        linear.add(low, -factor);
        return true;
      }
      for (auto [high, other] : linear.terms) {
        Digit next = digitOf(high);
        if (next.value != digit.value || other != factor * digit.modulus ||
            next.stride != digit.stride * digit.modulus)
          continue;
        AffineExpr joined = digit.value.floorDiv(digit.stride);
        if (next.modulus)
          joined = joined % (digit.modulus * next.modulus);
        AffineExpr first = low, second = high;
        int64_t times = factor, timesSecond = other;
        linear.add(first, -times);
        linear.add(second, -timesSecond);
        for (auto [inner, coefficient] : Linear::of(joined).terms)
          linear.add(inner, times * coefficient);
        linear.constant += times * Linear::of(joined).constant;
        return true;
      }
    }
    return false;
  }

  AffineExpr simplifyAtom(AffineExpr atom) {
    auto binary = dyn_cast<AffineBinaryOpExpr>(atom);
    std::optional<int64_t> divisor =
        binary ? AffineSpace::constantOf(binary.getRHS()) : std::nullopt;
    if (!divisor || *divisor <= 0 ||
        (atom.getKind() != AffineExprKind::FloorDiv &&
         atom.getKind() != AffineExprKind::Mod))
      return atom;
    Linear numerator = Linear::of(simplify(binary.getLHS())), quotient, rest;
    int64_t low = 0, high = 0;
    bool known = true;
    for (auto [inner, coefficient] : numerator.terms) {
      if (coefficient % *divisor == 0) {
        quotient.add(inner, coefficient / *divisor);
        continue;
      }
      rest.add(inner, coefficient);
      auto dim = dyn_cast<AffineDimExpr>(inner);
      std::optional<int64_t> extent =
          dim ? AffineSpace::constantOf(form.extents[dim.getPosition()])
              : std::nullopt;
      known &= extent.has_value();
      if (extent)
        (coefficient > 0 ? high : low) += coefficient * (*extent - 1);
    }
    int64_t c = numerator.constant;
    int64_t whole = c >= 0 ? c / *divisor : -((-c + *divisor - 1) / *divisor);
    quotient.constant = whole;
    rest.constant = c - whole * *divisor;
    low += rest.constant;
    high += rest.constant;
    if (!known || low < 0 || high >= *divisor)
      return getAffineBinaryOpExpr(atom.getKind(),
                                   numerator.toExpr(space.getContext()),
                                   binary.getRHS());
    return (atom.getKind() == AffineExprKind::Mod ? rest : quotient)
        .toExpr(space.getContext());
  }

  BlockForm form;
  AffineSpace &space;
};
} // namespace

void sched::simplifyIndices(RewriterBase &rewriter, nest::BlockOp block,
                            AffineSpace &space) {
  // Split until no division asks for it; each split removes one.
  for (int round = 0; round < 16; ++round) {
    IndexSimplifier simplifier(block, space);
    bool split = false;
    for (const Access &access : accessesOf(block)) {
      for (AffineExpr index : access.indices) {
        if (!index)
          continue;
        if (auto want = simplifier.wanted(simplifier.simplify(index)))
          split =
              splitIterator(rewriter, block, want->first, want->second, space);
        if (split)
          break;
      }
      if (split)
        break;
    }
    if (!split)
      break;
  }
  IndexSimplifier simplifier(block, space);
  nest::FuncOp func = funcOf(block);
  for (const Access &access : accessesOf(block)) {
    unsigned first = isa<memref::StoreOp>(access.op) ? 2 : 1;
    for (auto [d, index] : llvm::enumerate(access.indices)) {
      if (!index)
        continue;
      AffineExpr simple = simplifier.simplify(index);
      if (simple == index)
        continue;
      OpBuilder::InsertionGuard guard(rewriter);
      rewriter.setInsertionPoint(access.op);
      Region &region = access.inInit ? block.getInit() : block.getBody();
      Value value = emitIndex(rewriter, access.op->getLoc(), simple,
                              region.getArguments(), func);
      rewriter.modifyOpInPlace(
          access.op, [&]() { access.op->setOperand(first + d, value); });
    }
  }
  eraseDeadIndices(rewriter, block);
}
