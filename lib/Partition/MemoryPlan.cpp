//===- MemoryPlan.cpp - Where every buffer of a run lives -----------------===//
//
// host.alloc => host.slice of one host.arena, or host.scratch.
//
// A buffer's size is a constant times a product of sizes known at entry ("its
// class"). Each class is one region of the arena: inside it, offsets are
// multiples of the product, found by first fit over live ranges, so that
// buffers which are never live together share bytes at every size. Regions
// follow each other; their starts are sums at run time. To keep offsets
// multiples of 64 a class of large constants rounds these up, one of small
// constants its product.
//
// Assumes: host-level functions after partition. Leaves true: no two buffers
// that are live together overlap; every offset is a multiple of 64. A buffer
// whose size is known only during the run, or that leaves a loop through a
// yield, is scratch.
//
//===----------------------------------------------------------------------===//
#include "nestor/Partition/Partition.h"

#include "Sizes.h"

#include "nestor/Dialect/Host/Host.h"

#include "mlir/Dialect/Affine/Utils.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/Interfaces/LoopLikeInterface.h"

using namespace mlir;
using namespace nestor;

static constexpr int64_t kAlignment = 64;
/// Above this, rounding a constant up to the alignment costs less than 10 %.
static constexpr int64_t kLargeUnits = 1024;

namespace {
/// A buffer to place: live from op number `begin` to `end`.
struct Buffer {
  host::AllocOp op;
  unsigned begin, end;
  int64_t units = 0; // bytes divided by the class's product
  int64_t offset = 0;
};

/// Buffers whose sizes differ by constants only.
struct SizeClass {
  SmallVector<AffineExpr> factors;
  bool roundsProduct = false;
  SmallVector<Buffer *> buffers;
  int64_t units = 0;
};

class Planner {
public:
  explicit Planner(func::FuncOp func) : func(func), sizes(func.getContext()) {}
  LogicalResult run();

private:
  void number();
  /// Every value that may name the memory of `alloc`; false when it leaves a
  /// loop that `alloc` is inside of.
  bool findAliases(host::AllocOp alloc, SmallVectorImpl<Value> &aliases);
  void findLiveRange(Buffer &buffer, ArrayRef<Value> aliases);
  /// Whether `size` can be computed at the entry of the function.
  bool isKnownAtEntry(Value size);
  Value atEntry(Value size);
  void toScratch(host::AllocOp alloc);
  SizeClass &classOf(Buffer &buffer);
  void place(SizeClass &sizeClass);
  void emit();

  func::FuncOp func;
  SizeTable sizes;
  llvm::DenseMap<Operation *, unsigned> numbers, lastInside;
  std::vector<std::unique_ptr<Buffer>> buffers;
  std::vector<std::unique_ptr<SizeClass>> classes;
  IRMapping hoisted;
  OpBuilder builder{func.getContext()};
};
} // namespace

void Planner::number() {
  unsigned next = 0;
  func.walk<WalkOrder::PreOrder>([&](Operation *op) { numbers[op] = next++; });
  func.walk([&](Operation *op) {
    unsigned last = numbers[op];
    op->walk([&](Operation *inner) { last = std::max(last, numbers[inner]); });
    if (op->getNumRegions())
      lastInside[op] = last;
  });
}

bool Planner::findAliases(host::AllocOp alloc,
                          SmallVectorImpl<Value> &aliases) {
  llvm::SetVector<Value> seen;
  seen.insert(alloc.getResult());
  bool stays = true;
  for (size_t i = 0; i < seen.size(); ++i) {
    for (OpOperand &use : seen[i].getUses()) {
      Operation *user = use.getOwner();
      if (auto view = dyn_cast<host::ViewOp>(user)) {
        seen.insert(view.getResult());
      } else if (isa<scf::YieldOp, scf::ConditionOp>(user)) {
        Operation *parent = user->getParentOp();
        // Conservative: any result of the same type, and any argument of the
        // other region.
        if (auto loop = dyn_cast<LoopLikeOpInterface>(parent))
          stays &= !loop->isProperAncestor(alloc);
        for (Value result : parent->getResults())
          if (result.getType() == use.get().getType())
            seen.insert(result);
        if (!isa<scf::IfOp>(parent))
          for (Region &region : parent->getRegions())
            for (Value arg : region.getArguments())
              if (arg.getType() == use.get().getType())
                seen.insert(arg);
      } else if (isa<scf::ForOp, scf::WhileOp>(user)) {
        for (Region &region : user->getRegions())
          for (Value arg : region.getArguments())
            if (arg.getType() == use.get().getType())
              seen.insert(arg);
        for (Value result : user->getResults())
          if (result.getType() == use.get().getType())
            seen.insert(result);
      }
    }
  }
  aliases.append(seen.begin(), seen.end());
  return stays;
}

void Planner::findLiveRange(Buffer &buffer, ArrayRef<Value> aliases) {
  buffer.begin = buffer.end = numbers[buffer.op];
  for (Value alias : aliases)
    for (Operation *user : alias.getUsers()) {
      buffer.end = std::max(buffer.end, numbers[user]);
      // Inside a loop that the buffer is outside of, it lives to the loop's
      // end: the next iteration may use it again.
      for (Operation *parent = user->getParentOp();
           parent && parent != func && !parent->isProperAncestor(buffer.op);
           parent = parent->getParentOp())
        buffer.end = std::max(buffer.end, lastInside[parent]);
    }
}

bool Planner::isKnownAtEntry(Value size) {
  Operation *op = size.getDefiningOp();
  if (!op)
    return false;
  if (auto dim = dyn_cast<memref::DimOp>(op)) {
    auto arg = dyn_cast<BlockArgument>(dim.getSource());
    return arg && arg.getOwner()->getParentOp() == func &&
           dim.getConstantIndex();
  }
  return isa<arith::ArithDialect>(op->getDialect()) && isPure(op) &&
         llvm::all_of(op->getOperands(),
                      [&](Value operand) { return isKnownAtEntry(operand); });
}

Value Planner::atEntry(Value size) {
  if (Value known = hoisted.lookupOrNull(size))
    return known;
  Operation *op = size.getDefiningOp();
  if (auto dim = dyn_cast<memref::DimOp>(op)) {
    Value value = memref::DimOp::create(builder, dim.getLoc(), dim.getSource(),
                                        *dim.getConstantIndex());
    hoisted.map(size, value);
    return value;
  }
  for (Value operand : op->getOperands())
    atEntry(operand);
  builder.clone(*op, hoisted);
  return hoisted.lookup(size);
}

void Planner::toScratch(host::AllocOp alloc) {
  OpBuilder at(alloc);
  Value scratch = host::ScratchOp::create(at, alloc.getLoc(), alloc.getType(),
                                          alloc.getDims());
  alloc.replaceAllUsesWith(scratch);
  alloc.erase();
}

/// Splits the constant factor off `expr`.
static std::pair<int64_t, AffineExpr> splitFactor(AffineExpr expr) {
  if (auto constant = dyn_cast<AffineConstantExpr>(expr))
    return {constant.getValue(), {}};
  if (expr.getKind() == AffineExprKind::Mul) {
    auto binary = cast<AffineBinaryOpExpr>(expr);
    if (auto factor = dyn_cast<AffineConstantExpr>(binary.getRHS()))
      if (factor.getValue() > 0)
        return {factor.getValue(), binary.getLHS()};
  }
  return {1, expr};
}

SizeClass &Planner::classOf(Buffer &buffer) {
  auto type = cast<MemRefType>(buffer.op.getType());
  Type element = type.getElementType();
  int64_t units = llvm::divideCeil(element.getIntOrFloatBitWidth(), 8);
  SmallVector<AffineExpr> factors;
  unsigned next = 0;
  for (int64_t dim : type.getShape()) {
    AffineExpr expr = ShapedType::isDynamic(dim)
                          ? sizes.get(buffer.op.getDims()[next++])
                          : getAffineConstantExpr(dim, func.getContext());
    auto [constant, rest] = splitFactor(expr);
    units *= constant;
    if (rest)
      factors.push_back(rest);
  }
  bool roundsProduct =
      !factors.empty() && units % kAlignment != 0 && units < kLargeUnits;
  buffer.units = roundsProduct ? units : llvm::alignTo(units, kAlignment);
  for (auto &known : classes)
    if (known->roundsProduct == roundsProduct &&
        known->factors.size() == factors.size() &&
        std::is_permutation(factors.begin(), factors.end(),
                            known->factors.begin()))
      return *known;
  auto &fresh = classes.emplace_back(std::make_unique<SizeClass>());
  fresh->factors = factors;
  fresh->roundsProduct = roundsProduct;
  return *fresh;
}

/// First fit, largest first: the lowest offset that is free during the whole
/// live range.
void Planner::place(SizeClass &sizeClass) {
  SmallVector<Buffer *> order(sizeClass.buffers);
  llvm::sort(order, [](Buffer *a, Buffer *b) {
    return a->units != b->units ? a->units > b->units : a->begin < b->begin;
  });
  SmallVector<Buffer *> placed; // by offset
  for (Buffer *buffer : order) {
    int64_t offset = 0;
    for (Buffer *other : placed) {
      if (other->end < buffer->begin || buffer->end < other->begin)
        continue;
      if (offset + buffer->units <= other->offset)
        break;
      offset = std::max(offset, other->offset + other->units);
    }
    buffer->offset = offset;
    sizeClass.units = std::max(sizeClass.units, offset + buffer->units);
    placed.insert(llvm::upper_bound(placed, buffer,
                                    [](Buffer *a, Buffer *b) {
                                      return a->offset < b->offset;
                                    }),
                  buffer);
  }
}

void Planner::emit() {
  Location loc = func.getLoc();
  builder.setInsertionPointToStart(&func.getBody().front());
  SmallVector<Value> bases;
  for (Value base : sizes.getBases())
    bases.push_back(atEntry(base));
  auto constant = [&](int64_t value) -> Value {
    return arith::ConstantIndexOp::create(builder, loc, value);
  };
  auto times = [&](int64_t units, Value product) -> Value {
    Value count = constant(units);
    return product ? arith::MulIOp::create(builder, loc, count, product)
                   : count;
  };
  llvm::DenseMap<Buffer *, Value> offsets;
  Value start = constant(0);
  for (auto &sizeClass : classes) {
    Value product;
    for (AffineExpr factor : sizeClass->factors) {
      Value value = affine::expandAffineExpr(builder, loc, factor, {}, bases);
      product =
          product ? arith::MulIOp::create(builder, loc, product, value) : value;
    }
    if (sizeClass->roundsProduct) {
      Value blocks = arith::CeilDivUIOp::create(builder, loc, product,
                                                constant(kAlignment));
      product =
          arith::MulIOp::create(builder, loc, blocks, constant(kAlignment));
    }
    for (Buffer *buffer : sizeClass->buffers)
      offsets[buffer] = arith::AddIOp::create(builder, loc, start,
                                              times(buffer->offset, product));
    start = arith::AddIOp::create(builder, loc, start,
                                  times(sizeClass->units, product));
  }
  auto bytes = MemRefType::get({ShapedType::kDynamic}, builder.getI8Type());
  Value arena = host::ArenaOp::create(builder, loc, bytes, start);
  for (auto &buffer : buffers) {
    OpBuilder at(buffer->op);
    Value slice = host::SliceOp::create(
        at, buffer->op.getLoc(), buffer->op.getType(), arena,
        offsets[buffer.get()], buffer->op.getDims());
    buffer->op.replaceAllUsesWith(slice);
    buffer->op.erase();
  }
}

LogicalResult Planner::run() {
  number();
  SmallVector<host::AllocOp> allocs;
  func.walk([&](host::AllocOp op) { allocs.push_back(op); });
  for (host::AllocOp alloc : allocs) {
    SmallVector<Value> aliases;
    bool stays = findAliases(alloc, aliases);
    for (Value alias : aliases)
      for (Operation *user : alias.getUsers())
        if (isa<func::ReturnOp>(user))
          return alloc.emitOpError("is returned; results are host.output");
    bool known = llvm::all_of(alloc.getDims(),
                              [&](Value dim) { return isKnownAtEntry(dim); });
    if (!stays || !known) {
      toScratch(alloc);
      continue;
    }
    auto &buffer = buffers.emplace_back(std::make_unique<Buffer>());
    buffer->op = alloc;
    findLiveRange(*buffer, aliases);
    classOf(*buffer).buffers.push_back(buffer.get());
  }
  if (buffers.empty())
    return success();
  for (auto &sizeClass : classes)
    place(*sizeClass);
  emit();
  return success();
}

LogicalResult nestor::planMemory(ModuleOp module) {
  for (auto func : module.getOps<func::FuncOp>())
    if (!func.isExternal() && failed(Planner(func).run()))
      return failure();
  return success();
}
