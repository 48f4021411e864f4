//===- BlockEmitter.cpp - Blocks and their bodies -------------------------===//
//
// A block becomes: its iterators' values, its predicate as a branch or a mask,
// its init under "all reduce iterators are zero", its body. In a vectorize
// loop each operation of the body is cloned on vectors as soon as one operand
// varies over the lanes; uniform operations stay scalar.
//
//===----------------------------------------------------------------------===//
#include "KernelEmitter.h"

#include "Services.h"

#include "nestor/Runtime/Abi.h"

using namespace mlir;
using namespace nestor;
using namespace nestor::lower;

//===----------------------------------------------------------------------===//
// Values
//===----------------------------------------------------------------------===//

std::optional<LinearIndex> KernelEmitter::linear(Value nestValue) {
  auto it = linears.find(nestValue);
  if (it != linears.end())
    return it->second;
  auto known = values.find(nestValue);
  if (known == values.end() || isVector(known->second))
    return std::nullopt;
  return LinearIndex::ofValue(known->second, mode.depth);
}

Value KernelEmitter::laneNumbers() {
  SmallVector<Attribute> numbers;
  for (int64_t i = 0; i < mode.lanes; ++i)
    numbers.push_back(builder.getIndexAttr(i));
  auto type = VectorType::get({mode.lanes}, builder.getIndexType());
  return arith::ConstantOp::create(builder, loc,
                                   DenseElementsAttr::get(type, numbers));
}

Value KernelEmitter::broadcast(Value scalar) {
  if (isVector(scalar))
    return scalar;
  Type type = scalar.getType();
  auto spread = [&](Value value) -> Value {
    return vector::BroadcastOp::create(
        builder, loc, cast<VectorType>(vectorOf(value.getType())), value);
  };
  if (!type.isBF16())
    return spread(scalar);
  // As integers: bf16 vectors have no instructions before avx512bf16.
  Value bits =
      arith::BitcastOp::create(builder, loc, builder.getI16Type(), scalar);
  return arith::BitcastOp::create(builder, loc, vectorOf(type), spread(bits));
}

Value KernelEmitter::value(Value nestValue) {
  auto known = values.find(nestValue);
  if (known != values.end())
    return known->second;
  return valueOf(linears.at(nestValue));
}

Value KernelEmitter::valueOf(const LinearIndex &index) {
  if (index.isUniform())
    return index.materialize(builder, loc);
  // Scalars first, one broadcast of their sum, then what lanes add.
  LinearIndex uniform = index;
  llvm::erase_if(uniform.terms,
                 [&](const LinearTerm &term) { return isVector(term.value); });
  Value sum = broadcast(uniform.materialize(builder, loc));
  auto add = [&](Value lanes, int64_t factor) {
    if (factor == 0)
      return;
    if (factor != 1)
      lanes = arith::MulIOp::create(
          builder, loc, lanes, broadcast(indexConstant(builder, loc, factor)));
    sum = arith::AddIOp::create(builder, loc, sum, lanes);
  };
  if (index.lane != 0)
    add(laneNumbers(), index.lane);
  for (const LinearTerm &term : index.terms)
    if (isVector(term.value))
      add(term.value, term.coefficient);
  return sum;
}

Value KernelEmitter::vectorValue(Value nestValue) {
  return broadcast(value(nestValue));
}

//===----------------------------------------------------------------------===//
// Blocks
//===----------------------------------------------------------------------===//

Value KernelEmitter::condition(const LinearIndex &index, bool equal) {
  if (index.terms.empty() && index.lane != 0) {
    SmallVector<bool> lanes;
    for (int64_t lane = 0; lane < mode.lanes; ++lane) {
      int64_t at = index.constant + lane * index.lane;
      lanes.push_back(equal ? at == 0 : at >= 0);
    }
    return arith::ConstantOp::create(builder, loc,
                                     builder.getBoolVectorAttr(lanes));
  }
  auto predicate = equal ? arith::CmpIPredicate::eq : arith::CmpIPredicate::sge;
  Value compared = valueOf(index);
  Value zero = indexConstant(builder, loc, 0);
  if (isVector(compared))
    zero = broadcast(zero);
  return arith::CmpIOp::create(builder, loc, predicate, compared, zero);
}

LogicalResult KernelEmitter::guarded(nest::BlockOp block,
                                     function_ref<LogicalResult()> body) {
  Value scalar, mask = mode.mask;
  if (std::optional<IntegerSet> set = block.getPredicate()) {
    for (unsigned i = 0; i < set->getNumConstraints(); ++i) {
      LinearIndex index = evaluate(set->getConstraint(i), set->getNumDims(),
                                   block.getLoopOperands());
      bool equal = set->isEq(i);
      if (index.isConstant()) {
        if (equal ? index.constant != 0 : index.constant < 0)
          return success(); // never
        continue;
      }
      // Lanes that all are inside, or all outside.
      if (auto range = index.range(mode.lanes)) {
        if (range->second < 0 || (equal && range->first > 0))
          return success();
        if (!equal && range->first >= 0)
          continue;
      }
      Value holds = condition(index, equal);
      Value &into = isVector(holds) ? mask : scalar;
      into = into ? Value(arith::AndIOp::create(builder, loc, into, holds))
                  : holds;
    }
  }
  Mode saved = mode;
  mode.mask = mask;
  LogicalResult result = success();
  if (scalar) {
    auto branch = scf::IfOp::create(builder, loc, scalar, false);
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(&branch.getThenRegion().front());
    result = body();
  } else {
    result = body();
  }
  mode = saved;
  return result;
}

LogicalResult KernelEmitter::emitBlock(nest::BlockOp block) {
  divisions.clear();
  return guarded(block, [&]() -> LogicalResult {
    SmallVector<LinearIndex> iterators;
    AffineMap bindings = block.getBindings();
    for (AffineExpr binding : bindings.getResults())
      iterators.push_back(
          evaluate(binding, bindings.getNumDims(), block.getLoopOperands()));
    auto bind = [&](Block &body) {
      for (auto [arg, index] : llvm::zip_equal(body.getArguments(), iterators))
        linears[arg] = index;
    };
    auto emitInside = [&](Block &body) {
      return block.hasNest() ? emitRegion(body) : emitBody(body);
    };
    if (Block *init = block.getInitBlock()) {
      // Runs when every reduce iterator is zero; often known here already.
      Value first;
      bool never = false;
      for (unsigned i = 0; i < block.getNumIterators(); ++i) {
        if (block.getIteratorKind(i) != nest::IteratorKind::Reduce)
          continue;
        LinearIndex index = iterators[i];
        index.lane = 0; // lanes accumulate together: the first lane decides
        if (index.isConstant()) {
          never |= index.constant != 0;
          continue;
        }
        Value holds = condition(index, /*equal=*/true);
        first = first ? Value(arith::AndIOp::create(builder, loc, first, holds))
                      : holds;
      }
      if (!never) {
        bind(*init);
        if (!first) {
          if (failed(emitInside(*init)))
            return failure();
        } else {
          auto branch = scf::IfOp::create(builder, loc, first, false);
          OpBuilder::InsertionGuard guard(builder);
          builder.setInsertionPointToStart(&branch.getThenRegion().front());
          if (failed(emitInside(*init)))
            return failure();
        }
      }
    }
    bind(*block.getBodyBlock());
    if (const Tensorized *instance = tensorized(block))
      return emitTensorized(*instance);
    return emitInside(*block.getBodyBlock());
  });
}

LogicalResult KernelEmitter::emitBody(Block &body) {
  for (Operation &op : body.without_terminator())
    if (failed(emitOp(&op)))
      return failure();
  return success();
}

//===----------------------------------------------------------------------===//
// Operations
//===----------------------------------------------------------------------===//

/// Whether an index of a body is at least 0: iterators are.
static bool isNonNegativeInBody(Value index) {
  if (auto arg = dyn_cast<BlockArgument>(index))
    return isa<nest::BlockOp>(arg.getOwner()->getParentOp());
  if (auto constant = getConstantIntValue(index))
    return *constant >= 0;
  Operation *op = index.getDefiningOp();
  if (isa<memref::DimOp>(op))
    return true;
  return isa<arith::AddIOp, arith::MulIOp, arith::DivUIOp, arith::RemUIOp>(
             op) &&
         llvm::all_of(op->getOperands(), isNonNegativeInBody);
}

std::optional<LinearIndex> KernelEmitter::linearResult(Operation *op) {
  if (auto constant = dyn_cast<arith::ConstantOp>(op))
    return LinearIndex::ofConstant(
        cast<IntegerAttr>(constant.getValue()).getInt());
  if (op->getNumOperands() != 2)
    return std::nullopt;
  std::optional<LinearIndex> lhs = linear(op->getOperand(0)),
                             rhs = linear(op->getOperand(1));
  if (!lhs || !rhs)
    return std::nullopt;
  if (isa<arith::AddIOp>(op))
    return *lhs + *rhs;
  if (isa<arith::SubIOp>(op))
    return *lhs + *rhs * -1;
  if (isa<arith::MulIOp>(op)) {
    if (rhs->isConstant())
      return *lhs * rhs->constant;
    if (lhs->isConstant())
      return *rhs * lhs->constant;
    return std::nullopt;
  }
  // Digits, as transform_layout writes them.
  if (!rhs->isConstant() || rhs->constant <= 0)
    return std::nullopt;
  bool isUnsigned = isa<arith::DivUIOp, arith::RemUIOp>(op);
  if (isUnsigned && !isNonNegativeInBody(op->getOperand(0)))
    return std::nullopt;
  if (isa<arith::DivUIOp, arith::FloorDivSIOp>(op))
    return divide(AffineExprKind::FloorDiv, *lhs, *rhs);
  if (isa<arith::RemUIOp>(op))
    return divide(AffineExprKind::Mod, *lhs, *rhs);
  return std::nullopt;
}

bool KernelEmitter::emitLinear(Operation *op) {
  if (op->getNumResults() != 1 || !op->getResult(0).getType().isIndex() ||
      !isa<arith::ConstantOp, arith::AddIOp, arith::SubIOp, arith::MulIOp,
           arith::DivUIOp, arith::RemUIOp, arith::FloorDivSIOp>(op))
    return false;
  // Another copy of the block may have left the other form.
  Value result = op->getResult(0);
  linears.erase(result);
  values.erase(result);
  std::optional<LinearIndex> index = linearResult(op);
  if (index)
    linears[result] = *index;
  return index.has_value();
}

LogicalResult KernelEmitter::emitOp(Operation *op) {
  if (emitLinear(op))
    return success();
  if (auto load = dyn_cast<memref::LoadOp>(op))
    return emitLoad(load);
  if (auto store = dyn_cast<memref::StoreOp>(op))
    return emitStore(store);
  if (auto branch = dyn_cast<scf::IfOp>(op))
    return emitIf(branch);
  if (isa<scf::ForOp, scf::WhileOp>(op))
    return emitStructured(op);
  if (isa<cf::AssertOp>(op))
    return emitAssert(op);
  if (auto dim = dyn_cast<memref::DimOp>(op)) {
    std::optional<int64_t> index = dim.getConstantIndex();
    auto buffer = buffers.find(dim.getSource());
    if (!index || buffer == buffers.end())
      return op->emitError("memref.dim of an unknown buffer or dim");
    linears[dim.getResult()] = buffer->second.dims[*index];
    return success();
  }
  if (op->getNumRegions() != 0)
    return op->emitError("cannot be lowered inside a nest.block");

  // Element-wise: on vectors when any operand varies over the lanes.
  SmallVector<Value> operands;
  bool varies = false;
  for (Value operand : op->getOperands()) {
    operands.push_back(value(operand));
    varies |= isVector(operands.back());
  }
  SmallVector<Type> types(op->getResultTypes());
  if (varies) {
    for (Value &operand : operands)
      operand = broadcast(operand);
    for (Type &type : types)
      type = vectorOf(type);
  }
  OperationState state(loc, op->getName());
  state.addOperands(operands);
  state.addTypes(types);
  state.addAttributes(op->getAttrs());
  Operation *clone = builder.create(state);
  // mul and add may become one fma: within every tolerance of the default
  // numerics class (docs/reference/tolerances.md).
  if (auto fast = dyn_cast<arith::ArithFastMathInterface>(clone)) {
    // Casts carry the attribute only when it says something.
    auto flags = arith::FastMathFlags::contract;
    if (arith::FastMathFlagsAttr own = fast.getFastMathFlagsAttr())
      flags = flags | own.getValue();
    // Which zero is the greater one costs two more instructions.
    if (isa<arith::MaximumFOp, arith::MinimumFOp>(clone))
      flags = flags | arith::FastMathFlags::nsz;
    clone->setAttr(fast.getFastMathAttrName(),
                   arith::FastMathFlagsAttr::get(op->getContext(), flags));
  }
  for (auto [from, to] : llvm::zip_equal(op->getResults(), clone->getResults()))
    values[from] = to;
  return success();
}

LogicalResult KernelEmitter::emitIf(scf::IfOp op) {
  Value condition = value(op.getCondition());
  Block *thenBlock = op.thenBlock(), *elseBlock = op.elseBlock();
  auto yielded = [&](Block *block) {
    SmallVector<Value> results;
    for (Value v : block->getTerminator()->getOperands())
      results.push_back(mode.lanes ? vectorValue(v) : value(v));
    return results;
  };
  if (!isVector(condition)) {
    SmallVector<Type> types;
    for (Type type : op.getResultTypes())
      types.push_back(mode.lanes ? vectorOf(type) : type);
    auto branch = scf::IfOp::create(builder, loc, types, condition,
                                    /*addThenBlock=*/true,
                                    /*addElseBlock=*/elseBlock != nullptr);
    auto emitBranch = [&](Block *from, Region &to) -> LogicalResult {
      OpBuilder::InsertionGuard guard(builder);
      Block &block = to.front();
      if (!block.empty())
        block.back().erase(); // the builder's own empty yield
      builder.setInsertionPointToEnd(&block);
      ++mode.depth;
      LogicalResult result = emitBody(*from);
      SmallVector<Value> results =
          succeeded(result) ? yielded(from) : SmallVector<Value>();
      --mode.depth;
      scf::YieldOp::create(builder, loc, results);
      return result;
    };
    if (failed(emitBranch(thenBlock, branch.getThenRegion())) ||
        (elseBlock && failed(emitBranch(elseBlock, branch.getElseRegion()))))
      return failure();
    for (auto [from, to] :
         llvm::zip_equal(op.getResults(), branch.getResults()))
      values[from] = to;
    return success();
  }
  // Lanes differ: run both sides under their masks and select.
  Value saved = mode.mask;
  auto both = [&](Value mask) {
    return saved ? Value(arith::AndIOp::create(builder, loc, saved, mask))
                 : mask;
  };
  mode.mask = both(condition);
  if (failed(emitBody(*thenBlock)))
    return failure();
  SmallVector<Value> thenValues = yielded(thenBlock), elseValues;
  if (elseBlock) {
    Value ones = arith::ConstantOp::create(
        builder, loc,
        DenseElementsAttr::get(cast<VectorType>(condition.getType()), true));
    mode.mask = both(arith::XOrIOp::create(builder, loc, condition, ones));
    if (failed(emitBody(*elseBlock)))
      return failure();
    elseValues = yielded(elseBlock);
  }
  mode.mask = saved;
  for (auto [i, result] : llvm::enumerate(op.getResults()))
    values[result] = arith::SelectOp::create(builder, loc, condition,
                                             thenValues[i], elseValues[i]);
  return success();
}

/// scf.for and scf.while in a body: cloned around an emitted body. Only met
/// outside of vector code (canVectorize refuses them).
LogicalResult KernelEmitter::emitStructured(Operation *op) {
  SmallVector<Value> operands;
  for (Value operand : op->getOperands())
    operands.push_back(value(operand));
  OperationState state(loc, op->getName(), operands, op->getResultTypes(),
                       op->getAttrs());
  for (unsigned i = 0; i < op->getNumRegions(); ++i)
    state.addRegion();
  Operation *clone = builder.create(state);
  OpBuilder::InsertionGuard guard(builder);
  ++mode.depth;
  for (auto [from, to] :
       llvm::zip_equal(op->getRegions(), clone->getRegions())) {
    Block &source = from.front();
    Block &block = to.emplaceBlock();
    for (BlockArgument arg : source.getArguments())
      values[arg] = block.addArgument(arg.getType(), loc);
    builder.setInsertionPointToEnd(&block);
    if (failed(emitBody(source)))
      return failure();
    Operation *terminator = source.getTerminator();
    SmallVector<Value> results;
    for (Value operand : terminator->getOperands())
      results.push_back(value(operand));
    builder.create(OperationState(loc, terminator->getName(), results,
                                  TypeRange(), terminator->getAttrs()));
  }
  --mode.depth;
  for (auto [from, to] : llvm::zip_equal(op->getResults(), clone->getResults()))
    values[from] = to;
  return success();
}

LogicalResult KernelEmitter::emitAssert(Operation *op) {
  auto assertion = cast<cf::AssertOp>(op);
  Value holds = value(assertion.getArg());
  Value truth = arith::ConstantIntOp::create(builder, loc, 1, 1);
  Value fails = arith::XOrIOp::create(builder, loc, holds, truth);
  auto branch = scf::IfOp::create(builder, loc, fails, false);
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToStart(&branch.getThenRegion().front());
  Value code = arith::ConstantIntOp::create(builder, loc, NST_RUN_TIME, 32);
  Value text = stringAddress(builder, loc, target, assertion.getMsg());
  callService(builder, loc, call, offsetof(nst_services, fail),
              LLVM::LLVMVoidType::get(builder.getContext()), {code, text});
  returnEarlyIf(code);
  return success();
}
