//===- KernelBuilder.cpp - One group of operators as a nest ---------------===//
//
// Arguments, buffers and the launch; see the header. What goes inside blocks
// is in KernelBody.cpp.
//
//===----------------------------------------------------------------------===//
#include "KernelBuilder.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Affine/Utils.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace nestor;
using nest::IteratorKind;

KernelBuilder::KernelBuilder(HostBuilder &host, Location loc)
    : host(host), builder(loc.getContext()), sizes(loc.getContext()) {
  kernel = nest::FuncOp::create(builder, loc, "k", TypeRange(),
                                ArrayRef<AffineMap>());
  builder.setInsertionPoint(kernel.getBody().front().getTerminator());
}

KernelBuilder::~KernelBuilder() {
  if (kernel)
    kernel->destroy();
}

//===----------------------------------------------------------------------===//
// Arguments
//===----------------------------------------------------------------------===//

Value KernelBuilder::sizeArgument(unsigned symbol) {
  Block &entry = kernel.getBody().front();
  unsigned buffers = reads.size() + writes.size();
  while (entry.getNumArguments() <= buffers + symbol)
    entry.addArgument(builder.getIndexType(), kernel.getLoc());
  return entry.getArgument(buffers + symbol);
}

SmallVector<AffineExpr> KernelBuilder::exprs(ArrayRef<OpFoldResult> values) {
  return llvm::map_to_vector(
      values, [&](OpFoldResult size) { return sizes.get(size); });
}

Value KernelBuilder::writtenArgument(Value hostBuffer,
                                     ArrayRef<OpFoldResult> dims) {
  Value arg = kernel.getBody().front().insertArgument(
      reads.size() + writes.size(), hostBuffer.getType(), kernel.getLoc());
  writes.push_back(hostBuffer);
  writeDims.emplace_back(dims);
  return arguments[hostBuffer] = arg;
}

Value KernelBuilder::readBuffer(Value tensor) {
  if (Value local = locals.lookup(tensor))
    return local;
  Value buffer = host.bufferOf(tensor);
  Value &arg = arguments[buffer];
  if (!arg) {
    arg = kernel.getBody().front().insertArgument(
        reads.size(), buffer.getType(), kernel.getLoc());
    reads.push_back(buffer);
    readDims.push_back(host.dimsOf(tensor));
  }
  return locals[tensor] = arg;
}

bool KernelBuilder::isInternal(Value result) {
  Block *block = group->ops.back()->getBlock();
  return llvm::all_of(result.getUsers(), [&](Operation *user) {
    Operation *op = block->findAncestorOpInBlock(*user);
    return op && group->contains(op);
  });
}

Value KernelBuilder::resultFor(OpResult result) {
  SmallVector<OpFoldResult> dims = host.dimsOf(result);
  if (!isInternal(result)) {
    Value buffer = host.resultBuffer(result, group);
    host.setBuffer(result, buffer);
    return locals[result] = writtenArgument(buffer, dims);
  }
  // Allocations stand at the top, so that schedules find them in one place.
  AffineMap map = AffineMap::get(0, sizes.getBases().size(), exprs(dims),
                                 builder.getContext());
  map = AffineMap::get(0, sizes.getBases().size(), map.getResults(),
                       builder.getContext());
  SmallVector<Value> operands;
  for (unsigned i = 0; i < map.getNumSymbols(); ++i)
    operands.push_back(sizeArgument(i));
  affine::canonicalizeMapAndOperands(&map, &operands);
  MemRefType type = bufferType(result.getType());
  OpBuilder::InsertionGuard guard(builder);
  Block &entry = kernel.getBody().front();
  auto place = llvm::find_if(
      entry, [](Operation &op) { return !isa<nest::AllocOp>(op); });
  builder.setInsertionPoint(&entry, place);
  AffineMapAttr shape;
  if (!type.hasStaticShape())
    shape = AffineMapAttr::get(map);
  else
    operands.clear();
  return locals[result] = nest::AllocOp::create(builder, result.getLoc(), type,
                                                operands, shape);
}

Value KernelBuilder::updatedResult(OpResult result, Value outs,
                                   bool skipSplat) {
  Operation *op = result.getOwner();
  TypedAttr splat = locals.contains(outs) ? TypedAttr() : splatOf(outs);
  if (!splat && !isUndefined(outs)) {
    bool local = locals.contains(outs);
    if (!local && host.mayOverwrite(outs, op) && !isInternal(result)) {
      Value buffer = host.bufferOf(outs);
      host.setBuffer(result, buffer);
      return locals[result] = locals[outs] =
                 writtenArgument(buffer, host.dimsOf(result));
    }
    // A value of this group that nobody else reads is taken over as it is.
    if (local && outs.hasOneUse() && isInternal(result) &&
        locals.lookup(outs).getDefiningOp<nest::AllocOp>())
      return locals[result] = locals.lookup(outs);
    Value from = readBuffer(outs);
    Value to = resultFor(result);
    emitCopy(from, to, exprs(host.dimsOf(result)), op->getLoc());
    return to;
  }
  Value buffer = resultFor(result);
  if (splat && !skipSplat)
    emitFill(buffer, exprs(host.dimsOf(result)), splat, op->getLoc());
  return buffer;
}

//===----------------------------------------------------------------------===//
// The whole
//===----------------------------------------------------------------------===//

/// Dims of what the kernel reads are the first choice for its sizes: other
/// dims are then written in terms of them, however they were computed before.
void KernelBuilder::preferBases(const Group &group) {
  for (Operation *op : group.ops) {
    auto add = [&](Value tensor) {
      if (isa<RankedTensorType>(tensor.getType()) &&
          !group.contains(tensor.getDefiningOp()) && !isUndefined(tensor) &&
          !splatOf(tensor))
        for (OpFoldResult dim : host.dimsOf(tensor))
          if (auto value = dyn_cast<Value>(dim))
            sizes.addBase(value);
    };
    for (Value operand : op->getOperands())
      add(operand);
    op->walk([&](tensor::ExtractOp extract) { add(extract.getTensor()); });
  }
  // Then dims of results, unless the others give them: a kernel should not
  // know how its caller came by a size.
  for (Operation *op : group.ops)
    for (Value result : op->getResults())
      for (OpFoldResult dim : host.dimsOf(result))
        if (auto value = dyn_cast<Value>(dim)) {
          SizeTable tried = sizes;
          tried.get(value);
          if (tried.getBases().size() > sizes.getBases().size())
            sizes.addBase(value);
        }
}

LogicalResult KernelBuilder::emit(const Group &which) {
  group = &which;
  preferBases(which);
  for (Operation *op : which.ops) {
    LogicalResult done = failure();
    if (auto generic = dyn_cast<linalg::GenericOp>(op))
      done = emitGeneric(generic);
    else if (auto loops = dyn_cast<model::LoopsOp>(op))
      done = emitLoops(loops);
    else if (auto concat = dyn_cast<tensor::ConcatOp>(op))
      done = emitConcat(concat);
    if (failed(done))
      return failure();
  }
  return success();
}

void KernelBuilder::finish(StringRef kind) {
  if (!sizes.getBases().empty())
    sizeArgument(sizes.getBases().size() - 1);
  // Shapes may use sizes that nothing else does.
  SmallVector<AffineExpr> flat;
  for (auto *list : {&readDims, &writeDims})
    for (ArrayRef<OpFoldResult> dims : *list)
      llvm::append_range(flat, exprs(dims));
  unsigned numSizes = sizes.getBases().size();
  if (numSizes)
    sizeArgument(numSizes - 1);

  SmallVector<Attribute> shapes;
  ArrayRef<AffineExpr> rest = flat;
  Block &entry = kernel.getBody().front();
  for (unsigned i = 0; i < reads.size() + writes.size(); ++i) {
    auto type = cast<MemRefType>(entry.getArgument(i).getType());
    SmallVector<AffineExpr> dims;
    for (auto [size, expr] :
         llvm::zip_equal(type.getShape(), rest.take_front(type.getRank())))
      dims.push_back(ShapedType::isDynamic(size)
                         ? expr
                         : getAffineConstantExpr(size, builder.getContext()));
    rest = rest.drop_front(type.getRank());
    shapes.push_back(AffineMapAttr::get(
        AffineMap::get(0, numSizes, dims, builder.getContext())));
  }
  if (numSizes)
    kernel.setShapesAttr(builder.getArrayAttr(shapes));
  kernel.setFunctionType(
      builder.getFunctionType(entry.getArgumentTypes(), TypeRange()));

  OpBuilder &at = host.getBuilder();
  Location loc = kernel.getLoc();
  SmallVector<Value> buffers(reads);
  buffers.append(writes);
  auto launch = [&](nest::FuncOp which, StringRef kind) {
    nest::FuncOp shared = host.getKernels().intern(which, kind);
    host::LaunchOp::create(at, shared.getLoc(), shared.getSymName(), buffers,
                           sizes.getBases(), writes.size());
  };
  if (mayBeEmpty.empty()) {
    launch(kernel, kind);
    kernel = {};
    return;
  }
  // if (some extent is 0) launch @cold else launch @kernel
  nest::FuncOp cold = withStartsApart();
  Value zero = arith::ConstantIndexOp::create(at, loc, 0), empty;
  for (AffineExpr extent : emptyWhenZero) {
    Value value =
        affine::expandAffineExpr(at, loc, extent, {}, sizes.getBases());
    Value isZero =
        arith::CmpIOp::create(at, loc, arith::CmpIPredicate::sle, value, zero);
    empty = empty ? arith::OrIOp::create(at, loc, empty, isZero) : isZero;
  }
  auto choice = scf::IfOp::create(at, loc, empty, /*withElseRegion=*/true);
  OpBuilder::InsertionGuard guard(at);
  at.setInsertionPointToStart(choice.thenBlock());
  launch(cold, (kind + "_empty").str());
  at.setInsertionPointToStart(choice.elseBlock());
  launch(kernel, kind);
  kernel = {};
}

/// An init runs with the first step of its reduction, so it never runs when
/// there is none:
///
///   for v, k { block(v, k) init { I } { B } }
///   ==>
///   for v { block(v) { I } }
///   for v, k { block(v, k) { B } }
///
/// as a copy of the kernel. The original, which schedules like better, serves
/// all other runs.
nest::FuncOp KernelBuilder::withStartsApart() {
  IRMapping mapping;
  nest::FuncOp original = kernel;
  kernel = cast<nest::FuncOp>(original->clone(mapping));
  kernel->setAttr(nest::kColdKernel, builder.getUnitAttr());
  OpBuilder::InsertionGuard guard(builder);
  for (auto &[originalBlock, domain] : mayBeEmpty) {
    auto block =
        cast<nest::BlockOp>(mapping.lookup(originalBlock.getOperation()));
    Operation *outermost = block;
    while (outermost->getParentOp() != kernel)
      outermost = outermost->getParentOp();
    Domain starts;
    SmallVector<BlockArgument> kept;
    for (auto [kind, extent, iterator] :
         llvm::zip_equal(domain.kinds, domain.extents,
                         block.getInitBlock()->getArguments()))
      if (kind == IteratorKind::Spatial) {
        starts.add(kind, extent);
        kept.push_back(iterator);
      }
    builder.setInsertionPoint(outermost);
    nest::BlockOp start = openBlock((block.getName() + "_start").str(), starts,
                                    /*hasInit=*/false, block.getLoc());
    for (auto [from, to] :
         llvm::zip_equal(kept, start.getBodyBlock()->getArguments()))
      from.replaceAllUsesWith(to);
    Block *from = block.getInitBlock(), *to = start.getBodyBlock();
    to->getOperations().splice(to->getTerminator()->getIterator(),
                               from->getOperations(), from->begin(),
                               from->getTerminator()->getIterator());
    from->erase();
  }
  std::swap(kernel, original);
  return original;
}

std::string KernelBuilder::uniqueName(StringRef kind) {
  unsigned n = names[kind]++;
  return n ? (kind + "_" + Twine(n)).str() : kind.str();
}

/// "matmul_elementwise": the kinds of the group's operators, each once.
static std::string groupKind(const Group &group) {
  SmallVector<std::string> kinds;
  for (Operation *op : group.ops) {
    std::string kind = kindOf(op);
    if (!llvm::is_contained(kinds, kind) && kinds.size() < 3)
      kinds.push_back(kind);
  }
  return llvm::join(kinds, "_");
}

LogicalResult nestor::emitKernel(HostBuilder &host, const Group &group) {
  KernelBuilder kernel(host, group.ops.front()->getLoc());
  if (failed(kernel.emit(group)))
    return failure();
  kernel.finish(groupKind(group));
  return success();
}

void nestor::emitFill(HostBuilder &host, Value buffer,
                      ArrayRef<OpFoldResult> dims, TypedAttr value,
                      Location loc) {
  KernelBuilder kernel(host, loc);
  Value arg = kernel.writtenArgument(buffer, dims);
  kernel.emitFill(arg, kernel.exprs(dims), value, loc);
  kernel.finish("fill");
}

LogicalResult nestor::emitElements(HostBuilder &host,
                                   tensor::FromElementsOp op) {
  KernelBuilder kernel(host, op.getLoc());
  if (failed(kernel.emitElements(op)))
    return failure();
  kernel.finish("elements");
  return success();
}
