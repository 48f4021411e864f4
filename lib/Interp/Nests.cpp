//===- Nests.cpp - Nests run literally, launches --------------------------===//
//
// nest.for runs its body for every value of its variable, nest.block evaluates
// its predicate and bindings, checks that every iterator lies in its domain,
// runs init when all reduce iterators are 0, then the body. Parallel loops may
// run in a random order and with a check for races: every element remembers
// which iteration of the outermost parallel loop touched it. With a check of
// contracts every element also remembers by which spatial point of which block
// it was written.
//
//===----------------------------------------------------------------------===//
#include "Code.h"

#include "nestor/Dialect/Host/Host.h"
#include "nestor/Dialect/Nest/Nest.h"

#include <numeric>

using namespace mlir;
using namespace nestor;
using namespace nestor::interp;
using llvm::Error;
using llvm::Expected;
using llvm::Twine;

namespace {
/// Compiles `exprs` over the cells of a map's operands.
Error affineList(Compiler &compiler, ArrayRef<AffineExpr> exprs,
                 unsigned numDims, ValueRange operands,
                 SmallVectorImpl<Affine> &result) {
  ArrayRef<uint32_t> cells = compiler.cells(operands);
  for (AffineExpr expr : exprs) {
    Expected<Affine> affine = compiler.affine(expr, cells.take_front(numDims),
                                              cells.drop_front(numDims));
    if (!affine)
      return affine.takeError();
    result.push_back(std::move(*affine));
  }
  return Error::success();
}

//===----------------------------------------------------------------------===//
// nest.for
//===----------------------------------------------------------------------===//

struct ForExtra : Extra {
  SmallVector<Affine, 2> lower, upper;
  RegionCode body;
  bool anyOrder = false;
};

bool iterate(State &s, const Inst &i, const ForExtra &loop, int64_t value) {
  s.bits(loop.body.args[0]) = static_cast<uint64_t>(value);
  return checkSteps(s, i) && runCode(s, loop.body.code);
}

/// A parallel loop: any order, and races show if asked for.
bool runAnyOrder(State &s, const Inst &i, const ForExtra &loop, int64_t lower,
                 int64_t upper) {
  std::vector<int64_t> values(upper - lower);
  std::iota(values.begin(), values.end(), lower);
  if (s.program.options.shuffleSeed != 0)
    for (size_t n = values.size(); n > 1; --n)
      std::swap(values[n - 1], values[s.random() % n]);
  bool outermost = s.program.options.checkRaces && s.stamp == 0;
  if (outermost) {
    s.firstStamp = s.lastStamp + 1;
    s.lastStamp += values.size();
  }
  for (int64_t value : values) {
    if (outermost)
      s.stamp = s.firstStamp + static_cast<uint32_t>(value - lower);
    if (!iterate(s, i, loop, value))
      return false;
  }
  if (outermost)
    s.stamp = 0;
  return true;
}

bool runFor(State &s, const Inst &i) {
  const ForExtra &loop = i.as<ForExtra>();
  int64_t lower = INT64_MIN, upper = INT64_MAX, value;
  for (const Affine &expr : loop.lower) {
    if (!evaluate(s, i, expr, value))
      return false;
    lower = std::max(lower, value);
  }
  for (const Affine &expr : loop.upper) {
    if (!evaluate(s, i, expr, value))
      return false;
    upper = std::min(upper, value);
  }
  if (lower >= upper)
    return true;
  if (loop.anyOrder &&
      (s.program.options.shuffleSeed != 0 || s.program.options.checkRaces))
    return runAnyOrder(s, i, loop, lower, upper);
  for (int64_t v = lower; v < upper; ++v)
    if (!iterate(s, i, loop, v))
      return false;
  return true;
}

Error buildFor(Compiler &compiler, Operation *op, Inst &inst) {
  auto loop = cast<nest::ForOp>(op);
  auto extra = std::make_unique<ForExtra>();
  if (Error error = affineList(compiler, loop.getLowerMap().getResults(),
                               loop.getLowerMap().getNumDims(),
                               loop.getLowerOperands(), extra->lower))
    return error;
  if (Error error = affineList(compiler, loop.getUpperMap().getResults(),
                               loop.getUpperMap().getNumDims(),
                               loop.getUpperOperands(), extra->upper))
    return error;
  extra->anyOrder = loop.getKind() == nest::LoopKind::Parallel ||
                    loop.getKind() == nest::LoopKind::Bind;
  if (Error error = compiler.region(loop.getBody(), extra->body))
    return error;
  inst.extra = std::move(extra);
  inst.run = runFor;
  return Error::success();
}

//===----------------------------------------------------------------------===//
// nest.block
//===----------------------------------------------------------------------===//

struct BlockExtra : Extra {
  std::string name;
  SmallVector<Affine, 4> bindings, domain, constraints;
  SmallVector<bool> equal;
  SmallVector<bool> reduce, spatial;
  RegionCode body, init;
  bool hasInit = false;
};

/// A number for the spatial point inside of the one `around`; never 0.
uint64_t pointNumber(State &s, const BlockExtra &block, uint64_t around) {
  uint64_t number = around * 0x9e3779b97f4a7c15u + 1;
  for (size_t n = 0, e = block.bindings.size(); n < e; ++n)
    if (block.spatial[n]) {
      number = (number ^ s.bits(block.body.args[n])) * 0xff51afd7ed558ccdu + n;
      number ^= number >> 32;
    }
  return number | 1;
}

bool runBlock(State &s, const Inst &i) {
  const BlockExtra &block = i.as<BlockExtra>();
  for (auto [constraint, equal] :
       llvm::zip_equal(block.constraints, block.equal)) {
    int64_t value;
    if (!evaluate(s, i, constraint, value))
      return false;
    if (equal ? value != 0 : value < 0)
      return true;
  }
  bool first = true;
  for (size_t n = 0, e = block.bindings.size(); n < e; ++n) {
    int64_t value, extent;
    if (!evaluate(s, i, block.bindings[n], value) ||
        !evaluate(s, i, block.domain[n], extent))
      return false;
    if (value < 0 || value >= extent)
      return s.broken(i, "iterator " + Twine(n) + " of block \"" + block.name +
                             "\" is " + Twine(value) + ", outside [0, " +
                             Twine(extent) + ")");
    s.bits(block.body.args[n]) = static_cast<uint64_t>(value);
    if (block.hasInit)
      s.bits(block.init.args[n]) = static_cast<uint64_t>(value);
    first &= !block.reduce[n] || value == 0;
  }
  Operation *blockAround = s.block;
  uint64_t pointAround = s.point;
  if (s.program.options.checkContract) {
    s.block = i.op;
    s.point = pointNumber(s, block, pointAround);
  }
  if (first && block.hasInit && !runCode(s, block.init.code))
    return false;
  if (!runCode(s, block.body.code))
    return false;
  s.block = blockAround;
  s.point = pointAround;
  return true;
}

Error buildBlock(Compiler &compiler, Operation *op, Inst &inst) {
  auto block = cast<nest::BlockOp>(op);
  auto extra = std::make_unique<BlockExtra>();
  extra->name = block.getName().str();
  unsigned dims = block.getBindings().getNumDims();
  ValueRange operands = block.getLoopOperands();
  if (Error error = affineList(compiler, block.getBindings().getResults(), dims,
                               operands, extra->bindings))
    return error;
  if (Error error = affineList(compiler, block.getDomain().getResults(), dims,
                               operands, extra->domain))
    return error;
  if (std::optional<IntegerSet> set = block.getPredicate()) {
    if (Error error = affineList(compiler, set->getConstraints(), dims,
                                 operands, extra->constraints))
      return error;
    extra->equal.assign(set->getEqFlags().begin(), set->getEqFlags().end());
  }
  for (unsigned n = 0; n < block.getNumIterators(); ++n) {
    nest::IteratorKind kind = block.getIteratorKind(n);
    extra->reduce.push_back(kind == nest::IteratorKind::Reduce);
    extra->spatial.push_back(kind == nest::IteratorKind::Spatial);
  }
  if (Error error = compiler.region(block.getBody(), extra->body))
    return error;
  extra->hasInit = !block.getInit().empty();
  if (extra->hasInit)
    if (Error error = compiler.region(block.getInit(), extra->init))
      return error;
  inst.extra = std::move(extra);
  inst.run = runBlock;
  return Error::success();
}

//===----------------------------------------------------------------------===//
// nest.alloc
//===----------------------------------------------------------------------===//

struct AllocExtra : Extra {
  SmallVector<Affine, 4> dims;
};

bool runAlloc(State &s, const Inst &i) {
  auto type = cast<MemRefType>(i.op->getResult(0).getType());
  SmallVector<int64_t> dynamic;
  for (auto [expr, dim] :
       llvm::zip_equal(i.as<AllocExtra>().dims, type.getShape())) {
    int64_t value;
    if (!evaluate(s, i, expr, value))
      return false;
    if (ShapedType::isDynamic(dim))
      dynamic.push_back(value);
  }
  ViewRef view = makeBuffer(s, i, type, dynamic);
  if (!view)
    return false;
  // A buffer made inside a parallel iteration belongs to it alone.
  if (s.program.options.checkRaces && s.stamp == 0)
    view->storage->touches.resize(view->numElements());
  view->storage->anyPoint = s.program.options.contractOfArguments;
  s.cells[i.out[0]].view = view;
  return true;
}

Error buildAlloc(Compiler &compiler, Operation *op, Inst &inst) {
  auto alloc = cast<nest::AllocOp>(op);
  auto extra = std::make_unique<AllocExtra>();
  AffineMap map = alloc.getShapeMap();
  if (Error error = affineList(compiler, map.getResults(), map.getNumDims(),
                               alloc.getSizes(), extra->dims))
    return error;
  inst.extra = std::move(extra);
  inst.run = runAlloc;
  return Error::success();
}

//===----------------------------------------------------------------------===//
// host.launch
//===----------------------------------------------------------------------===//

struct LaunchExtra : Extra {
  std::string kernel;
  size_t buffers = 0, writes = 0;
};

bool overlap(const View &a, const View &b) {
  return a.storage == b.storage && a.numBytes() != 0 && b.numBytes() != 0 &&
         a.offset < b.offset + b.numBytes() &&
         b.offset < a.offset + a.numBytes();
}

bool runLaunch(State &s, const Inst &i) {
  const LaunchExtra &launch = i.as<LaunchExtra>();
  Expected<Function *> kernel = s.program.get(launch.kernel);
  if (!kernel) {
    s.error = takeError(kernel.takeError());
    return false;
  }
  SmallVector<Cell> args, results;
  for (size_t n = 0; n < i.in.size(); ++n) {
    Cell cell = s.cells[i.in[n]];
    if (n < launch.buffers) {
      // The kernel's rights: a view of its own on the same bytes.
      bool writes = n >= launch.buffers - launch.writes;
      if (writes && cell.view->readOnly)
        return s.broken(i, "kernel '" + launch.kernel + "' writes buffer " +
                               Twine(n) + ", which is read only");
      cell.view = std::make_shared<View>(*cell.view);
      cell.view->readOnly = !writes;
      for (size_t m = 0; m < n; ++m)
        if (writes && overlap(*args[m].view, *cell.view))
          return s.broken(i, "buffers " + Twine(m) + " and " + Twine(n) +
                                 " of kernel '" + launch.kernel + "' overlap");
    }
    args.push_back(std::move(cell));
  }
  if (auto func = dyn_cast<nest::FuncOp>((*kernel)->op)) {
    SmallVector<int64_t> sizes;
    for (size_t n = launch.buffers; n < args.size(); ++n)
      sizes.push_back(static_cast<int64_t>(args[n].bits));
    for (size_t n = 0; n < launch.buffers; ++n)
      if (std::string why =
              kernelDimsProblem(func, n, args[n].view->dims, sizes);
          !why.empty())
        return s.broken(i, why);
  }
  return callFunction(s, i, **kernel, args, results);
}

Error buildLaunch(Compiler &compiler, Operation *op, Inst &inst) {
  auto launch = cast<host::LaunchOp>(op);
  auto extra = std::make_unique<LaunchExtra>();
  extra->kernel = launch.getKernel().str();
  extra->buffers = launch.getBuffers().size();
  extra->writes = std::min<size_t>(launch.getWrites(), extra->buffers);
  inst.extra = std::move(extra);
  inst.run = runLaunch;
  return Error::success();
}
} // namespace

bool nestor::kernelDims(nest::FuncOp kernel, unsigned buffer,
                        ArrayRef<int64_t> sizes,
                        SmallVectorImpl<int64_t> &dims) {
  SmallVector<AffineExpr> numbers;
  for (int64_t size : sizes)
    numbers.push_back(getAffineConstantExpr(size, kernel.getContext()));
  for (AffineExpr expr : kernel.getBufferShape(buffer).getResults()) {
    auto dim = dyn_cast<AffineConstantExpr>(simplifyAffineExpr(
        expr.replaceSymbols(numbers), /*numDims=*/0, /*numSymbols=*/0));
    if (!dim)
      return false;
    dims.push_back(dim.getValue());
  }
  return true;
}

std::string interp::kernelDimsProblem(nest::FuncOp kernel, unsigned buffer,
                                      ArrayRef<int64_t> dims,
                                      ArrayRef<int64_t> sizes) {
  SmallVector<int64_t> want;
  if (!kernelDims(kernel, buffer, sizes, want))
    return "the shape of buffer " + std::to_string(buffer) +
           " cannot be computed";
  if (ArrayRef<int64_t>(want) == dims)
    return "";
  return "buffer " + std::to_string(buffer) + " of kernel '" +
         kernel.getSymName().str() + "' must have dims " + listText(want) +
         ", got " + listText(dims);
}

void interp::addNest(Table &table) {
  table["nest.for"] = {nullptr, buildFor};
  table["nest.block"] = {nullptr, buildBlock};
  table["nest.alloc"] = {nullptr, buildAlloc};
  table["host.launch"] = {nullptr, buildLaunch};
}
