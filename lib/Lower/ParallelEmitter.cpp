//===- ParallelEmitter.cpp - Parallel loops to parallel_for ---------------===//
//
// Parallel loops become one outlined function and a call of the service:
//
//   for i = a to b parallel { for j = 0 to n parallel { S(i, j) } }
//   ==>
//   k_par0(env, begin, end, worker) {
//     for f = begin to end { S(a + f / n, f % n) } }
//   env = {call, a, n, ...}; parallel_for(call, (b - a) * n, grain, k_par0,
//   env)
//
// Loops directly inside each other whose bounds do not depend on each other
// share one call, so that no loop needs many iterations of its own; the grain
// is the innermost's. A grain with `grain_sizes = S` was chosen as if loops
// inside of unknown length had S iterations, and is scaled by those they have.
//
//===----------------------------------------------------------------------===//
#include "KernelEmitter.h"

#include "Services.h"

#include "nestor/Runtime/Abi.h"

#include "mlir/Transforms/RegionUtils.h"

using namespace mlir;
using namespace nestor;
using namespace nestor::lower;

/// `loop` and the parallel loops that follow it directly and make with it a
/// rectangle.
static SmallVector<nest::ForOp> parallelBand(nest::ForOp loop) {
  SmallVector<nest::ForOp> band{loop};
  for (;;) {
    auto body = band.back().getBodyBlock()->without_terminator();
    if (!llvm::hasSingleElement(body))
      return band;
    auto next = dyn_cast<nest::ForOp>(*body.begin());
    if (!next || next.getKind() != nest::LoopKind::Parallel ||
        llvm::any_of(next->getOperands(), [&](Value operand) {
          return llvm::any_of(band, [&](nest::ForOp outer) {
            return operand == outer.getInductionVar();
          });
        }))
      return band;
    band.push_back(next);
  }
}

namespace {
/// The loops inside of a parallel one whose length shows at run time only.
struct UnknownLoops {
  nest::ForOp around;
  /// The unknown loops of each way down, of a few ways.
  SmallVector<SmallVector<nest::ForOp>> ways;

  void collect(Block &block, SmallVector<nest::ForOp> way) {
    bool deeper = false;
    for (Operation &op : block) {
      auto loop = dyn_cast<nest::ForOp>(op);
      if (!loop)
        continue;
      deeper = true;
      SmallVector<nest::ForOp> further(way);
      if (!loop.getConstantTripCount() && isKnownOutside(loop) &&
          further.size() < 4)
        further.push_back(loop);
      collect(*loop.getBodyBlock(), further);
    }
    if (!deeper && ways.size() < 8)
      ways.push_back(way);
  }
  /// Whether its bounds do not change while the outer loop runs. One that a
  /// constant bounds counts as that.
  bool isKnownOutside(nest::ForOp loop) {
    if (llvm::any_of(loop.getUpperMap().getResults(), [](AffineExpr end) {
          return isa<AffineConstantExpr>(end);
        }))
      return false;
    return llvm::all_of(loop->getOperands(), [&](Value operand) {
      return !around.getBody().isAncestor(operand.getParentRegion());
    });
  }
};
} // namespace

/// max(1, grain * S^n / (product of the n lengths)), by the longest way down.
Value KernelEmitter::grainOf(ArrayRef<nest::ForOp> band) {
  nest::ForOp innermost = band.back();
  int64_t grain = 1, sizes = 0;
  if (auto annotations = innermost.getAnnotations()) {
    if (auto attr = annotations->getAs<IntegerAttr>("grain"))
      grain = attr.getInt();
    if (auto attr = annotations->getAs<IntegerAttr>("grain_sizes"))
      sizes = attr.getInt();
  }
  UnknownLoops unknown{band.front(), {}};
  if (sizes > 0)
    unknown.collect(*innermost.getBodyBlock(), {});
  size_t most = 0;
  for (const auto &way : unknown.ways)
    most = std::max(most, way.size());
  if (most == 0)
    return arith::ConstantIntOp::create(builder, loc, grain, 64);
  Value longest;
  for (const auto &way : unknown.ways) {
    Value product;
    for (size_t i = 0; i < most; ++i) {
      Value length;
      if (i >= way.size()) {
        length = indexConstant(builder, loc, sizes);
      } else {
        nest::ForOp loop = way[i];
        length = arith::SubIOp::create(
            builder, loc,
            bound(loop.getUpperMap(), loop.getUpperOperands(), true)
                .materialize(builder, loc),
            bound(loop.getLowerMap(), loop.getLowerOperands(), false)
                .materialize(builder, loc));
        // In range, so that products are.
        length = arith::MaxSIOp::create(builder, loc, length,
                                        indexConstant(builder, loc, 1));
        length = arith::MinSIOp::create(builder, loc, length,
                                        indexConstant(builder, loc, 4096));
      }
      product =
          product ? Value(arith::MulIOp::create(builder, loc, product, length))
                  : length;
    }
    longest =
        longest ? Value(arith::MaxSIOp::create(builder, loc, longest, product))
                : product;
  }
  int64_t scaled = std::min<int64_t>(grain, 1 << 20);
  for (size_t i = 0; i < most; ++i)
    scaled *= std::min<int64_t>(sizes, 1024);
  Value result = arith::DivSIOp::create(
      builder, loc, indexConstant(builder, loc, scaled), longest);
  result = arith::MaxSIOp::create(builder, loc, result,
                                  indexConstant(builder, loc, 1));
  return arith::IndexCastOp::create(builder, loc, builder.getI64Type(), result);
}

LogicalResult KernelEmitter::emitParallel(nest::ForOp loop) {
  SmallVector<nest::ForOp> band = parallelBand(loop);
  // The lowers and trip counts of the band, outermost first.
  SmallVector<Value> lowers, counts;
  for (nest::ForOp loop : band) {
    lowers.push_back(bound(loop.getLowerMap(), loop.getLowerOperands(), false)
                         .materialize(builder, loc));
    Value upper = bound(loop.getUpperMap(), loop.getUpperOperands(), true)
                      .materialize(builder, loc);
    Value count = arith::SubIOp::create(builder, loc, upper, lowers.back());
    // Two empty loops are not a full one.
    if (band.size() > 1)
      count = arith::MaxSIOp::create(builder, loc, count,
                                     indexConstant(builder, loc, 0));
    counts.push_back(count);
  }

  // Everything that the body needs from here goes through one environment.
  llvm::SetVector<Value> used;
  getUsedValuesDefinedAbove(loop.getBody(), used);
  for (Value v : loop->getOperands())
    used.insert(v);
  SmallVector<Value> captured{call};
  auto capture = [&](Value v) {
    captured.push_back(v.getType().isIndex()
                           ? Value(arith::IndexCastOp::create(
                                 builder, loc, builder.getI64Type(), v))
                           : v);
  };
  for (Value lower : lowers)
    capture(lower);
  // The outermost count only says where the call ends.
  for (Value count : ArrayRef(counts).drop_front())
    capture(count);
  // A buffer's dims bring further sizes: capture the terms themselves.
  SmallVector<Value> indices;
  llvm::DenseMap<Value, int> indexOf;
  auto need = [&](const LinearIndex &index) {
    for (const LinearTerm &term : index.terms)
      if (indexOf.try_emplace(term.value, indices.size()).second)
        indices.push_back(term.value);
  };
  SmallVector<Value> usedBuffers, usedIndices;
  for (Value v : used) {
    if (auto it = buffers.find(v); it != buffers.end()) {
      usedBuffers.push_back(v);
      for (const LinearIndex &dim : it->second.dims)
        need(dim);
    } else if (auto index = linear(v)) {
      usedIndices.push_back(v);
      need(*index);
    }
  }
  for (Value index : indices)
    capture(index);
  for (Value buffer : usedBuffers)
    captured.push_back(buffers[buffer].pointer);
  Value env = entryAlloca(function, builder, loc, builder.getI64Type(),
                          static_cast<int64_t>(captured.size()), NST_ALIGNMENT);
  for (auto [i, v] : llvm::enumerate(captured))
    LLVM::StoreOp::create(builder, loc, v,
                          byteOffset(builder, loc, env, 8 * i));

  // Emit the outlined body with the same tables, rebased onto the environment.
  std::string name =
      (kernel.getSymName() + "_par" + llvm::Twine(numParallel++)).str();
  Type i64 = builder.getI64Type();
  auto outer = std::make_tuple(function, call, status, mode,
                               builder.saveInsertionPoint());
  auto outerBuffers = buffers;
  auto outerLinears = linears;
  function =
      createFunction(name, {pointerType, i64, i64, builder.getI32Type()});
  Block &entry = function.getBody().front();
  builder.setInsertionPointToStart(&entry);
  status = Value();
  mode = Mode();
  mode.insideParallel = true;
  int64_t slot = 0;
  auto next = [&](Type type) {
    return loadField(builder, loc, type, entry.getArgument(0), 8 * slot++);
  };
  auto nextIndex = [&]() -> Value {
    return arith::IndexCastOp::create(builder, loc, builder.getIndexType(),
                                      next(i64));
  };
  call = next(pointerType);
  SmallVector<Value> firsts, extents{Value()}, rebased;
  for (size_t i = 0; i < band.size(); ++i)
    firsts.push_back(nextIndex());
  for (size_t i = 1; i < band.size(); ++i)
    extents.push_back(nextIndex());
  for (size_t i = 0; i < indices.size(); ++i)
    rebased.push_back(nextIndex());
  auto rebase = [&](LinearIndex index) {
    for (LinearTerm &term : index.terms) {
      term.value = rebased[indexOf[term.value]];
      term.depth = 0;
    }
    return index;
  };
  for (Value v : usedIndices)
    linears[v] = rebase(outerLinears[v]);
  for (Value v : usedBuffers) {
    Buffer &buffer = buffers[v];
    buffer.pointer = next(pointerType);
    for (LinearIndex &dim : buffer.dims)
      dim = rebase(dim);
  }
  Value begin = arith::IndexCastOp::create(builder, loc, builder.getIndexType(),
                                           entry.getArgument(1));
  Value end = arith::IndexCastOp::create(builder, loc, builder.getIndexType(),
                                         entry.getArgument(2));
  auto code = scf::ForOp::create(builder, loc, begin, end,
                                 indexConstant(builder, loc, 1));
  builder.setInsertionPointToStart(code.getBody());
  mode.depth = 1;
  Value rest = code.getInductionVar();
  for (size_t i = band.size(); i-- > 0;) {
    // A single iteration is a number: masks and addresses may be, too.
    AffineMap lower = band[i].getLowerMap();
    if (band[i].getConstantTripCount() == 1 && lower.isSingleConstant()) {
      linears[band[i].getInductionVar()] =
          LinearIndex::ofConstant(lower.getSingleConstantResult());
      continue;
    }
    Value index = rest;
    if (i > 0) {
      index = arith::RemUIOp::create(builder, loc, rest, extents[i]);
      rest = arith::DivUIOp::create(builder, loc, rest, extents[i]);
    }
    index = arith::AddIOp::create(builder, loc, index, firsts[i]);
    linears[band[i].getInductionVar()] = LinearIndex::ofValue(index, 1);
  }
  if (failed(emitRegion(*band.back().getBodyBlock())))
    return failure();
  builder.setInsertionPointAfter(code);
  mode.depth = 0;
  if (failed(finishFunction()))
    return failure();

  std::tie(function, call, status, mode, std::ignore) = outer;
  builder.restoreInsertionPoint(std::get<4>(outer));
  buffers = std::move(outerBuffers);
  linears = std::move(outerLinears);

  Value count = counts.front();
  for (Value more : ArrayRef(counts).drop_front())
    count = arith::MulIOp::create(builder, loc, count, more);
  count = arith::IndexCastOp::create(builder, loc, i64, count);
  Value grainValue = grainOf(band);
  Value noLimit = arith::ConstantIntOp::create(builder, loc, 0, 32);
  Value body = LLVM::AddressOfOp::create(builder, loc, pointerType, name);
  Value result = callService(
      builder, loc, call, offsetof(nst_services, parallel_for),
      builder.getI32Type(), {count, grainValue, noLimit, body, env});
  returnEarlyIf(result);
  return success();
}
