//===- Nest.cpp - The nest dialect ----------------------------------------===//
//
// Registration, builders, accessors and verifiers of NestOps.td. Verifiers are
// local and cheap: types, counts, what a body may capture. Global statements
// (region cover, dependences) belong to Analysis.
//
//===----------------------------------------------------------------------===//
#include "nestor/Dialect/Nest/Nest.h"

#include "nestor/Dialect/Nest/Padding.h"

#include "nestor/Dialect/Nest/NestOpsDialect.cpp.inc"
#include "nestor/Dialect/Nest/NestOpsEnums.cpp.inc"

#define GET_OP_CLASSES
#include "nestor/Dialect/Nest/NestOps.cpp.inc"

using namespace mlir;
using namespace nestor;
using namespace nestor::nest;

void NestDialect::initialize() {
  addOperations<
#define GET_OP_LIST
#include "nestor/Dialect/Nest/NestOps.cpp.inc"
      >();
}

bool nest::isSize(Value value) {
  auto arg = dyn_cast<BlockArgument>(value);
  return arg && isa<FuncOp>(arg.getOwner()->getParentOp()) &&
         isa<IndexType>(arg.getType());
}

bool nest::isLoopVar(Value value) {
  auto arg = dyn_cast<BlockArgument>(value);
  return arg && isa<ForOp>(arg.getOwner()->getParentOp());
}

bool nest::isIterator(Value value) {
  auto arg = dyn_cast<BlockArgument>(value);
  return arg && isa<BlockOp>(arg.getOwner()->getParentOp());
}

/// The one constant result of `map`, if that is what it has.
static std::optional<int64_t> constantResult(AffineMap map) {
  if (map.getNumResults() != 1)
    return std::nullopt;
  if (auto c = dyn_cast<AffineConstantExpr>(map.getResult(0)))
    return c.getValue();
  return std::nullopt;
}

/// Dims must be loop variables or iterators of the enclosing block, symbols
/// sizes.
static LogicalResult verifyAffineOperands(Operation *op, AffineMap map,
                                          ValueRange operands, StringRef what) {
  if (operands.size() != map.getNumInputs())
    return op->emitOpError() << what << " takes " << map.getNumInputs()
                             << " operands, got " << operands.size();
  for (auto [i, value] : llvm::enumerate(operands)) {
    bool symbol = i >= map.getNumDims();
    if (symbol ? !isSize(value)
               : !isLoopVar(value) && !isIterator(value) && !isSize(value))
      return op->emitOpError()
             << what << " operand " << i
             << (symbol ? " must be a size of the nest.func"
                        : " must be the variable of a nest.for, an iterator of "
                          "the block around or a size");
  }
  return success();
}

//===----------------------------------------------------------------------===//
// FuncOp
//===----------------------------------------------------------------------===//

void FuncOp::build(OpBuilder &builder, OperationState &state, StringRef name,
                   TypeRange arguments, ArrayRef<AffineMap> shapes) {
  state.addAttribute(getSymNameAttrName(state.name),
                     builder.getStringAttr(name));
  state.addAttribute(
      getFunctionTypeAttrName(state.name),
      TypeAttr::get(builder.getFunctionType(arguments, TypeRange())));
  if (!shapes.empty())
    state.addAttribute(getShapesAttrName(state.name),
                       builder.getAffineMapArrayAttr(shapes));
  Region *body = state.addRegion();
  Block *block = new Block();
  body->push_back(block);
  for (Type type : arguments)
    block->addArgument(type, state.location);
  ensureTerminator(*body, builder, state.location);
}

unsigned FuncOp::getNumBuffers() {
  return llvm::count_if(getArgumentTypes(), llvm::IsaPred<MemRefType>);
}

ArrayRef<BlockArgument> FuncOp::getBuffers() {
  return getBody().getArguments().take_front(getNumBuffers());
}

ArrayRef<BlockArgument> FuncOp::getSizes() {
  return getBody().getArguments().drop_front(getNumBuffers());
}

AffineMap FuncOp::getBufferShape(unsigned index) {
  if (auto shapes = getShapes())
    return cast<AffineMapAttr>((*shapes)[index]).getValue();
  auto type = cast<MemRefType>(getArgumentTypes()[index]);
  SmallVector<AffineExpr> dims;
  for (int64_t dim : type.getShape())
    dims.push_back(getAffineConstantExpr(dim, getContext()));
  return AffineMap::get(0, getSizes().size(), dims, getContext());
}

/// Whether `map` describes a buffer of `type` with `numSizes` sizes.
static LogicalResult verifyShape(Operation *op, AffineMap map, MemRefType type,
                                 unsigned numSizes) {
  if (map.getNumDims() != 0 || map.getNumSymbols() != numSizes ||
      map.getNumResults() != type.getRank())
    return op->emitOpError("shape ")
           << AffineMapAttr::get(map) << " must map " << numSizes
           << " sizes to the " << type.getRank() << " dims of " << type;
  for (auto [expr, dim] : llvm::zip_equal(map.getResults(), type.getShape())) {
    auto constant = dyn_cast<AffineConstantExpr>(expr);
    if (constant ? constant.getValue() != dim : dim != ShapedType::kDynamic)
      return op->emitOpError("shape ")
             << AffineMapAttr::get(map) << " disagrees with the dims of "
             << type;
  }
  return success();
}

LogicalResult FuncOp::verify() {
  bool seenSize = false, dynamic = false;
  for (Type type : getArgumentTypes()) {
    if (auto memref = dyn_cast<MemRefType>(type)) {
      if (seenSize)
        return emitOpError("takes buffers first, then sizes");
      if (!memref.getLayout().isIdentity())
        return emitOpError("buffers are contiguous, got ") << memref;
      dynamic |= !memref.hasStaticShape();
      continue;
    }
    if (!isa<IndexType>(type))
      return emitOpError("arguments are memrefs and index sizes, got ") << type;
    seenSize = true;
  }
  if (!getResultTypes().empty())
    return emitOpError("has no results: kernels write into buffers");
  if (!getShapes()) {
    if (dynamic)
      return emitOpError("needs 'shapes' since some of its buffers have "
                         "dynamic dims");
    return success();
  }
  if (getShapes()->size() != getNumBuffers())
    return emitOpError("'shapes' has ") << getShapes()->size() << " maps for "
                                        << getNumBuffers() << " buffers";
  for (unsigned i = 0; i < getNumBuffers(); ++i)
    if (failed(verifyShape(*this, getBufferShape(i),
                           cast<MemRefType>(getArgumentTypes()[i]),
                           getSizes().size())))
      return failure();
  return success();
}

//===----------------------------------------------------------------------===//
// ForOp
//===----------------------------------------------------------------------===//

void ForOp::build(OpBuilder &builder, OperationState &state, int64_t lower,
                  int64_t upper, LoopKind kind) {
  build(builder, state, AffineMap::getConstantMap(lower, builder.getContext()),
        ValueRange(), AffineMap::getConstantMap(upper, builder.getContext()),
        ValueRange(), kind);
}

void ForOp::build(OpBuilder &builder, OperationState &state, AffineMap lowerMap,
                  ValueRange lowerOperands, AffineMap upperMap,
                  ValueRange upperOperands, LoopKind kind) {
  Properties &props = state.getOrAddProperties<Properties>();
  props.operandSegmentSizes = {static_cast<int32_t>(lowerOperands.size()),
                               static_cast<int32_t>(upperOperands.size())};
  state.addOperands(lowerOperands);
  state.addOperands(upperOperands);
  props.lowerMap = AffineMapAttr::get(lowerMap);
  props.upperMap = AffineMapAttr::get(upperMap);
  props.kind = LoopKindAttr::get(builder.getContext(), kind);
  Region *body = state.addRegion();
  Block *block = new Block();
  body->push_back(block);
  block->addArgument(builder.getIndexType(), state.location);
  ensureTerminator(*body, builder, state.location);
}

std::optional<int64_t> ForOp::getConstantLower() {
  return constantResult(getLowerMap());
}

std::optional<int64_t> ForOp::getConstantUpper() {
  return constantResult(getUpperMap());
}

std::optional<int64_t> ForOp::getConstantTripCount() {
  std::optional<int64_t> lower = getConstantLower(), upper = getConstantUpper();
  if (!lower || !upper)
    return std::nullopt;
  return std::max<int64_t>(0, *upper - *lower);
}

void ForOp::getAsmBlockArgumentNames(Region &region,
                                     OpAsmSetValueNameFn setName) {
  setName(region.getArgument(0), "i");
}

LogicalResult ForOp::verify() {
  if (getBody().getNumArguments() != 1 ||
      !isa<IndexType>(getBody().getArgument(0).getType()))
    return emitOpError("region takes one index: the loop variable");
  if (getLowerMap().getNumResults() == 0 || getUpperMap().getNumResults() == 0)
    return emitOpError("needs at least one lower and one upper bound");
  if (failed(verifyAffineOperands(*this, getLowerMap(), getLowerOperands(),
                                  "lower bound")) ||
      failed(verifyAffineOperands(*this, getUpperMap(), getUpperOperands(),
                                  "upper bound")))
    return failure();
  for (Operation &op : getBodyBlock()->without_terminator())
    if (!isa<ForOp, BlockOp, AllocOp>(op))
      return emitOpError("holds loops, blocks and buffers only, found '")
             << op.getName() << "'; computation belongs into a nest.block";
  return success();
}

LogicalResult ForOp::canonicalize(ForOp op, PatternRewriter &rewriter) {
  if (op.getConstantTripCount() != 0)
    return failure();
  rewriter.eraseOp(op);
  return success();
}

//===----------------------------------------------------------------------===//
// BlockOp
//===----------------------------------------------------------------------===//

void BlockOp::build(OpBuilder &builder, OperationState &state, StringRef name,
                    ArrayRef<IteratorKind> kinds, AffineMap bindings,
                    AffineMap domain, ValueRange operands, bool hasInit) {
  Properties &props = state.getOrAddProperties<Properties>();
  state.addOperands(operands);
  props.name = builder.getStringAttr(name);
  SmallVector<int32_t> numbers;
  for (IteratorKind kind : kinds)
    numbers.push_back(static_cast<int32_t>(kind));
  props.kinds = builder.getDenseI32ArrayAttr(numbers);
  props.bindings = AffineMapAttr::get(bindings);
  props.domain = AffineMapAttr::get(domain);
  auto addBody = [&](Region *region) {
    Block *block = new Block();
    region->push_back(block);
    for (size_t i = 0; i < kinds.size(); ++i)
      block->addArgument(builder.getIndexType(), state.location);
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToEnd(block);
    YieldOp::create(builder, state.location);
  };
  addBody(state.addRegion());
  Region *init = state.addRegion();
  if (hasInit)
    addBody(init);
}

std::optional<int64_t> BlockOp::getConstantExtent(unsigned i) {
  if (auto c = dyn_cast<AffineConstantExpr>(getDomain().getResult(i)))
    return c.getValue();
  return std::nullopt;
}

void BlockOp::getAsmBlockArgumentNames(Region &region,
                                       OpAsmSetValueNameFn setName) {
  for (BlockArgument arg : region.getArguments())
    setName(arg, "v");
}

static bool isOfNest(Operation &op) { return isa<ForOp, BlockOp, AllocOp>(op); }

bool BlockOp::hasNest() {
  Block *body = getBodyBlock();
  return !body->empty() && isOfNest(body->front());
}

/// Statements or a nest, in both regions.
static LogicalResult verifyContents(BlockOp block) {
  for (Region *region : {&block.getBody(), &block.getInit()}) {
    if (region->empty())
      continue;
    for (Operation &op : region->front().without_terminator())
      if (isOfNest(op) != block.hasNest())
        return block
                   .emitOpError("holds either statements or a nest, in body "
                                "and init alike")
                   .attachNote(op.getLoc())
               << "unlike the rest";
  }
  return success();
}

/// A block's body may capture buffers and sizes only; everything else enters
/// through its iterators.
static LogicalResult verifyIsolation(BlockOp block, Region &region) {
  WalkResult result = region.walk([&](Operation *op) {
    for (Value operand : op->getOperands()) {
      if (region.isAncestor(operand.getParentRegion()) ||
          isa<MemRefType>(operand.getType()) || isSize(operand))
        continue;
      block.emitOpError("body uses a value from outside that is neither a "
                        "buffer nor a size; bind it to an iterator")
              .attachNote(op->getLoc())
          << "used here";
      return WalkResult::interrupt();
    }
    return WalkResult::advance();
  });
  return failure(result.wasInterrupted());
}

LogicalResult BlockOp::verify() {
  unsigned n = getNumIterators();
  if (getBindings().getNumResults() != n || getDomain().getNumResults() != n)
    return emitOpError("has ")
           << n << " iterators, but " << getBindings().getNumResults()
           << " bindings and " << getDomain().getNumResults() << " extents";
  if (failed(verifyAffineOperands(*this, getBindings(), getLoopOperands(),
                                  "binding")))
    return failure();
  if (getDomain().getNumInputs() != getBindings().getNumInputs())
    return emitOpError("domain and bindings take the same operands");
  for (AffineExpr extent : getDomain().getResults())
    for (unsigned d = 0; d < getDomain().getNumDims(); ++d)
      if (extent.isFunctionOfDim(d))
        return emitOpError("extents depend on sizes only");
  if (getPredicate() &&
      getPredicate()->getNumInputs() != getBindings().getNumInputs())
    return emitOpError("predicate and bindings take the same operands");
  for (int32_t kind : getKinds())
    if (!symbolizeIteratorKind(kind))
      return emitOpError("has no iterator kind ") << kind;
  for (Region *region : {&getBody(), &getInit()}) {
    if (region->empty())
      continue;
    if (!region->hasOneBlock() || region->getNumArguments() != n)
      return emitOpError("regions are one block with ")
             << n << " index arguments, one for each iterator";
    if (failed(verifyIsolation(*this, *region)))
      return failure();
  }
  if (failed(verifyContents(*this)))
    return failure();
  if (getInitBlock() &&
      !llvm::is_contained(getKinds(),
                          static_cast<int32_t>(IteratorKind::Reduce)))
    return emitOpError("has an init but no reduce iterator");
  return success();
}

//===----------------------------------------------------------------------===//
// AllocOp
//===----------------------------------------------------------------------===//

AffineMap AllocOp::getShapeMap() {
  if (getShape())
    return *getShape();
  SmallVector<AffineExpr> dims;
  for (int64_t dim : cast<MemRefType>(getType()).getShape())
    dims.push_back(getAffineConstantExpr(dim, getContext()));
  return AffineMap::get(0, 0, dims, getContext());
}

StringRef AllocOp::getScope() {
  auto space = dyn_cast_or_null<StringAttr>(
      cast<MemRefType>(getType()).getMemorySpace());
  return space ? space.getValue() : StringRef(kSharedScope);
}

LogicalResult AllocOp::verify() {
  if (getScope() != kSharedScope && getScope() != kRegisterScope &&
      getScope() != kTileScope)
    return emitOpError("knows the scopes \"shared\", \"register\" and "
                       "\"tile\", got \"")
           << getScope() << "\"";
  auto type = cast<MemRefType>(getType());
  if (!getShape() && !type.hasStaticShape())
    return emitOpError("with dynamic dims needs a shape");
  for (Value size : getSizes())
    if (!isSize(size))
      return emitOpError("shape operands are sizes of the nest.func");
  if (failed(verifyAlign(*this)))
    return failure();
  return verifyShape(*this, getShapeMap(), type, getSizes().size());
}
