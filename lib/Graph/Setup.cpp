//===- Setup.cpp - What depends on constants alone ------------------------===//
//
// before: @main computes weights from weights on every run
// after:  @setup computes them once, @main reads them as constants
//
// Assumes: the results of @setup are computed before @main runs and put into
// the ConstantPool under their keys. Leaves true: nothing is moved that grows
// beyond the budget; splats and views of constants stay where they are.
//
//===----------------------------------------------------------------------===//
#include "nestor/Graph/Graph.h"

#include "nestor/Dialect/Model/Model.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/Matchers.h"
#include "llvm/Support/xxhash.h"

using namespace mlir;
using namespace nestor;

/// Results beyond these stay in the program: folding must not turn a small
/// file into a large one.
static constexpr int64_t kMaxBytes = int64_t(64) << 20;
static constexpr int64_t kMaxGrowth = 16;
static constexpr int64_t kAlwaysBytes = 64 << 10;

static std::optional<int64_t> bytesOf(Type type) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  if (!tensor)
    return 8;
  if (!tensor.hasStaticShape())
    return std::nullopt;
  int64_t bytes = llvm::divideCeil(tensor.getElementTypeBitWidth(), 8);
  for (int64_t dim : tensor.getShape())
    if (llvm::MulOverflow(bytes, dim, bytes))
      return std::nullopt;
  return bytes;
}

namespace {
class Splitter {
public:
  Splitter(ModuleOp module, func::FuncOp main) : module(module), main(main) {}
  void run();

private:
  bool isFoldable(Operation *op);
  void hoistFrom(Operation *op);
  bool isBoundary(Value value);
  Value cloneInto(Value value);

  ModuleOp module;
  func::FuncOp main, setup;
  llvm::DenseSet<Operation *> constant;
  llvm::SetVector<Value> boundary;
  IRMapping mapping;
  OpBuilder builder{module.getContext()};
};
} // namespace

/// Operands and everything that regions capture.
static SmallVector<Value> allOperands(Operation *op) {
  llvm::SetVector<Value> values;
  op->walk([&](Operation *inner) {
    for (Value operand : inner->getOperands())
      if (!op->isAncestor(operand.getParentRegion()->getParentOp()))
        values.insert(operand);
  });
  values.insert(op->operand_begin(), op->operand_end());
  return values.takeVector();
}

bool Splitter::isFoldable(Operation *op) {
  if (isa<model::ConstantOp>(op) || op->hasTrait<OpTrait::ConstantLike>())
    return true;
  bool known =
      isa<linalg::GenericOp, model::LoopsOp, model::ReshapeOp, tensor::ConcatOp,
          tensor::EmptyOp, tensor::CastOp, tensor::ExtractOp, tensor::DimOp,
          tensor::FromElementsOp>(op) ||
      (op->getNumRegions() == 0 && isPure(op) &&
       isa<arith::ArithDialect, math::MathDialect>(op->getDialect()));
  if (!known || op->getNumResults() == 0)
    return false;
  int64_t inputs = 0, outputs = 0;
  for (Value operand : allOperands(op)) {
    Operation *def = operand.getDefiningOp();
    if (!def || !constant.contains(def))
      return false;
    // An undefined start is no input.
    if (!isa<tensor::EmptyOp>(def))
      inputs += bytesOf(operand.getType()).value_or(0);
  }
  for (Type type : op->getResultTypes()) {
    std::optional<int64_t> bytes = bytesOf(type);
    if (!bytes)
      return false;
    outputs += *bytes;
  }
  // A tensor.empty costs nothing by itself.
  return isa<tensor::EmptyOp>(op) || outputs <= kAlwaysBytes ||
         (outputs <= kMaxBytes && outputs <= kMaxGrowth * inputs);
}

/// Constant work inside control flow belongs in front of it: it is the same in
/// every branch and iteration.
void Splitter::hoistFrom(Operation *op) {
  op->walk<WalkOrder::PreOrder>([&](Operation *inner) {
    if (inner == op || !isa<RegionBranchOpInterface>(inner->getParentOp()) ||
        !isFoldable(inner))
      return WalkResult::advance();
    inner->moveBefore(op);
    constant.insert(inner);
    return WalkResult::skip();
  });
}

/// Whether a value is worth a result of @setup: computed, and no mere splat.
bool Splitter::isBoundary(Value value) {
  Operation *op = value.getDefiningOp();
  if (auto generic = dyn_cast<linalg::GenericOp>(op)) {
    Value yielded = generic.getBlock()->getTerminator()->getOperand(
        cast<OpResult>(value).getResultNumber());
    return generic.getNumReductionLoops() ||
           !matchPattern(yielded, m_Constant());
  }
  return isa<model::LoopsOp, tensor::ConcatOp, tensor::FromElementsOp>(op);
}

Value Splitter::cloneInto(Value value) {
  if (Value known = mapping.lookupOrNull(value))
    return known;
  Operation *op = value.getDefiningOp();
  for (Value operand : allOperands(op))
    cloneInto(operand);
  builder.clone(*op, mapping);
  return mapping.lookup(value);
}

void Splitter::run() {
  Block &entry = main.getBody().front();
  for (Operation &op : llvm::make_early_inc_range(entry)) {
    if (isFoldable(&op))
      constant.insert(&op);
    else if (isa<scf::SCFDialect>(op.getDialect()))
      hoistFrom(&op);
  }
  // Results of constant operators that something else needs.
  for (Operation &op : entry) {
    if (constant.contains(&op) && !isa<model::ReshapeOp, tensor::CastOp,
                                       tensor::ExtractOp, tensor::DimOp>(op))
      continue;
    // Views and scalars stay: what they read must be there. They count only
    // when something that stays uses them.
    if (constant.contains(&op) &&
        llvm::all_of(op.getUsers(), [&](Operation *user) {
          Operation *holder = entry.findAncestorOpInBlock(*user);
          return holder && constant.contains(holder);
        }))
      continue;
    SmallVector<Value> work = allOperands(&op);
    while (!work.empty()) {
      Value operand = work.pop_back_val();
      Operation *def = operand.getDefiningOp();
      if (!def || !constant.contains(def) || def->getBlock() != &entry)
        continue;
      if (isa<RankedTensorType>(operand.getType()) && isBoundary(operand))
        boundary.insert(operand);
      else if (!isa<model::ConstantOp>(def))
        llvm::append_range(work, allOperands(def));
    }
  }
  if (boundary.empty())
    return;

  MLIRContext *context = module.getContext();
  setup = module.lookupSymbol<func::FuncOp>("setup");
  if (!setup) {
    builder.setInsertionPoint(main);
    setup = func::FuncOp::create(builder, main.getLoc(), "setup",
                                 builder.getFunctionType({}, {}));
    builder.setInsertionPointToStart(setup.addEntryBlock());
    func::ReturnOp::create(builder, main.getLoc());
  }
  Operation *ret = setup.getBody().front().getTerminator();
  builder.setInsertionPoint(ret);
  // Constants that an earlier split made are computed in @setup itself.
  llvm::StringMap<Value> earlier;
  for (auto [i, value] : llvm::enumerate(ret->getOperands()))
    if (auto key = setup.getResultAttrOfType<StringAttr>(i, "host.key"))
      earlier[key.getValue()] = value;
  main.walk([&](model::ConstantOp op) {
    if (Value value = earlier.lookup(op.getKey()))
      mapping.map(op.getResult(), value);
  });

  SmallVector<Value> results(ret->getOperands());
  SmallVector<Value> added;
  for (Value value : boundary)
    added.push_back(cloneInto(value));
  llvm::append_range(results, added);
  unsigned first = ret->getNumOperands();
  SmallVector<Attribute> attributes;
  for (unsigned i = 0; i < first; ++i)
    attributes.push_back(DictionaryAttr::get(context, setup.getResultAttrs(i)));
  attributes.append(added.size(), DictionaryAttr::get(context));
  ret->setOperands(results);
  setup.setFunctionType(
      builder.getFunctionType({}, TypeRange(ValueRange(results))));

  setup.setResAttrsAttr(ArrayAttr::get(context, attributes));

  // The key says how the value is computed: equal text, equal bytes.
  std::string text;
  llvm::raw_string_ostream os(text);
  setup.getBody().front().print(os);
  uint64_t hash = llvm::xxh3_64bits(text);
  for (auto [i, old] : llvm::enumerate(boundary)) {
    Value value = old;
    std::string key = "f_" + llvm::utohexstr(hash, /*LowerCase=*/true) + "_" +
                      std::to_string(first + i);
    setup.setResultAttr(first + i, "host.key", StringAttr::get(context, key));
    OpBuilder at(value.getDefiningOp());
    Value folded =
        model::ConstantOp::create(at, value.getLoc(), value.getType(), key);
    value.replaceAllUsesWith(folded);
  }
  // What is left without users goes, last first.
  for (Operation &op : llvm::make_early_inc_range(llvm::reverse(entry)))
    if (constant.contains(&op) && op.use_empty())
      op.erase();
}

LogicalResult nestor::splitSetup(ModuleOp module) {
  auto main = module.lookupSymbol<func::FuncOp>("main");
  if (!main || main.isExternal())
    return success();
  Splitter(module, main).run();
  return success();
}
