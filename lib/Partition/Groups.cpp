//===- Groups.cpp - Which operators share a kernel ------------------------===//
//
// See the header.
//
//===----------------------------------------------------------------------===//
#include "Groups.h"

#include "HostBuilder.h"

#include "nestor/Graph/Generic.h"
#include "nestor/Graph/TensorDims.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace nestor;

bool nestor::isKernelOp(Operation *op) {
  if (auto generic = dyn_cast<linalg::GenericOp>(op))
    return generic->getNumResults() != 1 || !splatOf(generic.getResult(0));
  return isa<model::LoopsOp, tensor::ConcatOp>(op);
}

//===----------------------------------------------------------------------===//
// Order: consumers close to their producers
//===----------------------------------------------------------------------===//

/// What `op` and its regions use from outside.
static SmallVector<Value> usedValues(Operation *op) {
  SmallVector<Value> values(op->getOperands());
  for (Region &region : op->getRegions())
    region.walk([&](Operation *inner) {
      for (Value operand : inner->getOperands())
        if (!op->isAncestor(operand.getParentRegion()->getParentOp()))
          values.push_back(operand);
    });
  return values;
}

/// Whether `op` may stop the run: what stands behind it relies on that.
static bool mayStop(Operation *op) {
  return op
      ->walk([](Operation *inner) {
        return isa<model::CheckOp>(inner) ? WalkResult::interrupt()
                                          : WalkResult::advance();
      })
      .wasInterrupted();
}

namespace {
/// Moves generics up to right behind their last producer, so that a group is
/// contiguous in most cases. Checks stay in front of what they guard.
class Sorter {
public:
  explicit Sorter(Block &block) : block(block) {
    for (Operation &op : block.without_terminator()) {
      position[&op] = position.size();
      if (mayStop(&op))
        checks.push_back(&op);
    }
  }

  void run() {
    SmallVector<Operation *> ops;
    for (Operation &op : block.without_terminator())
      ops.push_back(&op);
    for (Operation *op : ops)
      emit(op);
    if (block.mightHaveTerminator() || !block.empty())
      for (Operation *op : order)
        op->moveBefore(&block, std::prev(block.end()));
  }

private:
  bool isDone(Value value) {
    Operation *def = value.getDefiningOp();
    return !def || def->getBlock() != &block || done.contains(def);
  }

  /// Whether only cheap, pure operations are missing before `op` can come.
  bool isReady(Operation *op) {
    return llvm::all_of(usedValues(op), [&](Value value) {
      if (isDone(value))
        return true;
      Operation *def = value.getDefiningOp();
      return !isKernelOp(def) && def->getNumRegions() == 0 &&
             !isa<model::CheckOp>(def) && isReady(def);
    });
  }

  bool isGuarded(Operation *op) {
    return llvm::any_of(checks, [&](Operation *check) {
      return !done.contains(check) && position[check] < position[op];
    });
  }

  void emit(Operation *op) {
    if (done.contains(op))
      return;
    for (Value value : usedValues(op))
      if (!isDone(value))
        emit(value.getDefiningOp());
    done.insert(op);
    order.push_back(op);
    if (!isKernelOp(op))
      return;
    SmallVector<Operation *> users;
    for (Operation *user : op->getUsers())
      if (user->getBlock() == &block && isa<linalg::GenericOp>(user) &&
          isKernelOp(user))
        users.push_back(user);
    llvm::sort(users, [&](Operation *a, Operation *b) {
      return position[a] < position[b];
    });
    for (Operation *user : users)
      if (!done.contains(user) && !isGuarded(user) && isReady(user))
        emit(user);
  }

  Block &block;
  llvm::DenseMap<Operation *, unsigned> position;
  SmallVector<Operation *> checks, order;
  llvm::DenseSet<Operation *> done;
};
} // namespace

//===----------------------------------------------------------------------===//
// Groups
//===----------------------------------------------------------------------===//

/// Kernels beyond this many operators gain nothing.
static constexpr size_t kMaxGroup = 12;

namespace {
/// A group under construction. All members run over the same leading loops.
struct Building {
  Group group;
  enum Kind {
    Single,  // takes nobody
    Anchor,  // matmul, convolution, pooling: elementwise on its result joins
    Rows,    // row reductions: anything on the same rows joins
    Elements // elementwise so far; a row reduction of it makes it Rows
  } kind = Single;
  SmallVector<DimSource> lead;
  /// The most loops of a member beyond the leading ones, those of one
  /// iteration not counted.
  unsigned inner = 0;
};

class Former {
public:
  explicit Former(Block &block) : block(block) {}
  SmallVector<Group> run();

private:
  Building start(Operation *op);
  Building *takePadding(linalg::GenericOp op);
  bool join(Building &building, linalg::GenericOp op);
  bool fits(const Building &building, linalg::GenericOp op, unsigned lead);
  unsigned innerLoops(linalg::GenericOp op, unsigned lead);
  bool mayMoveTo(const Building &building, Operation *op);

  Block &block;
  TensorDims dims;
  std::vector<std::unique_ptr<Building>> all;
  llvm::DenseMap<Operation *, Building *> home;
};
} // namespace

/// Whether the loops of `op` are parallel ones, then reduction ones, and every
/// result is indexed by the parallel ones in order.
static bool isRowReduction(linalg::GenericOp op) {
  unsigned parallel = op.getNumParallelLoops();
  if (op.getNumReductionLoops() == 0 || parallel == 0)
    return false;
  for (auto [i, kind] : llvm::enumerate(op.getIteratorTypesArray()))
    if ((kind == utils::IteratorType::parallel) != (i < parallel))
      return false;
  for (OpOperand &out : op.getDpsInitsMutable()) {
    AffineMap map = op.getMatchingIndexingMap(&out);
    if (map.getNumResults() != parallel || !map.isMinorIdentity())
      if (map !=
          AffineMap::getMultiDimIdentityMap(op.getNumLoops(), op.getContext())
              .getMajorSubMap(parallel))
        return false;
  }
  return llvm::all_of(op.getIndexingMapsArray(), [](AffineMap map) {
    return map.isProjectedPermutation(/*allowZeroInResults=*/true);
  });
}

/// Whether `map` starts with the first `count` loops in order and uses them
/// nowhere else; the place of a loop of one iteration may say 0.
static bool startsWithLoops(AffineMap map, unsigned count,
                            ArrayRef<DimSource> extents) {
  if (map.getNumResults() < count)
    return false;
  for (auto [i, expr] : llvm::enumerate(map.getResults())) {
    if (i < count) {
      auto dim = dyn_cast<AffineDimExpr>(expr);
      auto zero = dyn_cast<AffineConstantExpr>(expr);
      if (!(dim && dim.getPosition() == i) &&
          !(zero && zero.getValue() == 0 && extents[i].isConstant(1)))
        return false;
      continue;
    }
    for (unsigned d = 0; d < count; ++d)
      if (expr.isFunctionOfDim(d))
        return false;
  }
  return true;
}

Building Former::start(Operation *op) {
  Building result;
  result.group.ops.push_back(op);
  auto generic = dyn_cast<linalg::GenericOp>(op);
  if (!generic)
    return result;
  SmallVector<DimSource> extents = dims.loopExtents(generic);
  if (generic.getNumReductionLoops()) {
    std::string kind = kindOf(op);
    bool rows = kind == "reduce" && isRowReduction(generic);
    result.kind = rows ? Building::Rows : Building::Anchor;
    result.lead = dims.of(op->getResult(0));
    if (rows)
      result.lead.assign(extents.begin(),
                         extents.begin() + generic.getNumParallelLoops());
    if (rows)
      result.inner = innerLoops(generic, result.lead.size());
  } else if (isElementwise(generic)) {
    result.kind = Building::Elements;
    result.lead = extents;
  }
  return result;
}

unsigned Former::innerLoops(linalg::GenericOp op, unsigned lead) {
  SmallVector<DimSource> extents = dims.loopExtents(op);
  return llvm::count_if(
      ArrayRef(extents).drop_front(lead),
      [](const DimSource &extent) { return !extent.isConstant(1); });
}

/// Whether all that `op` takes from the group is at its own leading loops.
bool Former::fits(const Building &building, linalg::GenericOp op,
                  unsigned lead) {
  SmallVector<DimSource> extents = dims.loopExtents(op);
  if (op.getNumParallelLoops() < lead || lead == 0)
    return false;
  for (unsigned i = 0; i < lead; ++i)
    if (!(extents[i] == building.lead[i]) ||
        op.getIteratorTypesArray()[i] != utils::IteratorType::parallel)
      return false;
  for (OpOperand &operand : op->getOpOperands()) {
    Operation *def = operand.get().getDefiningOp();
    bool inside = def && building.group.contains(def);
    if ((inside || op.isDpsInit(&operand)) &&
        !startsWithLoops(op.getMatchingIndexingMap(&operand), lead, extents))
      return false;
  }
  // A gather from the group reads anywhere.
  WalkResult walk = op.getRegion().walk([&](tensor::ExtractOp extract) {
    Operation *def = extract.getTensor().getDefiningOp();
    return def && building.group.contains(def) ? WalkResult::interrupt()
                                               : WalkResult::advance();
  });
  return !walk.wasInterrupted();
}

/// Whether the group may be launched where `op` stands: nobody before needs it.
bool Former::mayMoveTo(const Building &building, Operation *op) {
  for (Operation *member : building.group.ops)
    for (Operation *user : member->getUsers()) {
      Operation *at = block.findAncestorOpInBlock(*user);
      if (!at || building.group.contains(at) || at == op)
        continue;
      if (at->isBeforeInBlock(op))
        return false;
    }
  return true;
}

bool Former::join(Building &building, linalg::GenericOp op) {
  if (building.kind == Building::Single ||
      building.group.ops.size() >= kMaxGroup || !mayMoveTo(building, op))
    return false;
  unsigned lead = building.lead.size();
  bool elementwise = isElementwise(op);
  bool rows = kindOf(op) == "reduce" && isRowReduction(op);
  unsigned inner = 0;
  switch (building.kind) {
  case Building::Anchor:
    // Exactly the anchor's result, element by element.
    if (!elementwise || op.getNumLoops() != lead || !fits(building, op, lead))
      return false;
    break;
  case Building::Rows:
    if (!(elementwise || rows) || !fits(building, op, lead))
      return false;
    // Rows are what one worker keeps at hand: one dim. Planes stay apart.
    inner = innerLoops(op, lead);
    if (inner && std::max(inner, building.inner) > 1)
      return false;
    break;
  case Building::Elements:
    lead = op.getNumParallelLoops();
    if (!rows || lead >= building.lead.size() || !fits(building, op, lead))
      return false;
    inner = innerLoops(op, lead);
    if (inner > 1)
      return false;
    building.lead.resize(lead);
    building.kind = Building::Rows;
    break;
  case Building::Single:
    return false;
  }
  building.inner = std::max(building.inner, inner);
  building.group.ops.push_back(op);
  return true;
}

/// Whether `op` copies a tensor and puts a constant around it.
static bool isPadding(linalg::GenericOp op) {
  if (op->getNumResults() != 1 || !isElementwise(op) || !gathers(op))
    return false;
  auto choice = op.getBlock()
                    ->getTerminator()
                    ->getOperand(0)
                    .getDefiningOp<arith::SelectOp>();
  return choice && matchPattern(choice.getFalseValue(), m_Constant());
}

/// The group of a padded copy that only the window `op` reads begins anew with
/// it: the copy may then not be needed.
Building *Former::takePadding(linalg::GenericOp op) {
  if (!isAnchor(op) || !isWindowed(op))
    return nullptr;
  for (OpOperand *operand : op.getDpsInputOperands()) {
    auto padding = operand->get().getDefiningOp<linalg::GenericOp>();
    Building *made = home.lookup(padding);
    if (!made || made->group.ops.size() != 1 || !isPadding(padding) ||
        !llvm::all_of(padding->getUsers(),
                      [&](Operation *user) { return user == op; }))
      continue;
    *made = start(op);
    made->group.ops.insert(made->group.ops.begin(), padding);
    return made;
  }
  return nullptr;
}

SmallVector<Group> Former::run() {
  for (Operation &op : block) {
    if (!isKernelOp(&op))
      continue;
    Building *found = nullptr;
    if (auto generic = dyn_cast<linalg::GenericOp>(op)) {
      // The group of the latest producer, if it takes this one.
      Building *latest = nullptr;
      for (Value value : usedValues(&op))
        if (Building *producer = home.lookup(value.getDefiningOp()))
          if (!latest || latest->group.ops.back()->isBeforeInBlock(
                             producer->group.ops.back()))
            latest = producer;
      if (latest && join(*latest, generic))
        found = latest;
      else
        found = takePadding(generic);
    }
    if (!found) {
      all.push_back(std::make_unique<Building>(start(&op)));
      found = all.back().get();
    }
    home[&op] = found;
  }
  SmallVector<Group> groups;
  for (auto &building : all)
    groups.push_back(std::move(building->group));
  return groups;
}

/// Whether everything outside of `ops` that uses results of `group` is its own.
static bool staysWithin(const Group &group, ArrayRef<Operation *> ops) {
  return llvm::all_of(group.ops, [&](Operation *member) {
    return llvm::all_of(member->getUsers(), [&](Operation *user) {
      return llvm::is_contained(ops, user) || isa<tensor::DimOp>(user);
    });
  });
}

/// The group that makes the inputs of row reductions, when nobody else needs
/// them: product, maximum, exponentials, sum.
static Group *sourceOf(const Group &rows,
                       llvm::DenseMap<Operation *, Group *> &home) {
  Group *source = nullptr;
  for (Operation *op : rows.ops)
    for (Value value : usedValues(op)) {
      Group *made = home.lookup(value.getDefiningOp());
      if (!made || made == &rows)
        continue;
      auto product = dyn_cast<linalg::GenericOp>(made->ops.front());
      if (!product || !isProductSum(product))
        continue;
      if (source && source != made)
        return nullptr;
      source = made;
    }
  return source;
}

/// A product over the rows that row reductions have made, which are made from
/// rows of another product: the rows between need not be whole matrices.
///
///   S = Q K^T; M = max S; P = exp(S - M); L = sum P   |   O = P V; Y = O / L
///
static void joinStreams(SmallVector<Group> &groups) {
  llvm::DenseMap<Operation *, Group *> home;
  std::vector<Group *> all;
  for (Group &group : groups) {
    all.push_back(&group);
    for (Operation *op : group.ops)
      home[op] = &group;
  }
  for (Group *last : all) {
    auto product = last->ops.empty()
                       ? linalg::GenericOp()
                       : dyn_cast<linalg::GenericOp>(last->ops.front());
    if (!product || !isProductSum(product) || isWindowed(product))
      continue;
    for (OpOperand *operand : product.getDpsInputOperands()) {
      Operation *maker = operand->get().getDefiningOp();
      Group *rows = home.lookup(maker);
      if (!rows || rows == last || rows->ops.size() < 2 ||
          !llvm::any_of(rows->ops,
                        [](Operation *op) { return kindOf(op) == "reduce"; }))
        continue;
      // Its rows are rows of the product, which sums along them.
      AffineMap map = product.getMatchingIndexingMap(operand);
      unsigned lead = map.getNumResults() - 1;
      auto along = dyn_cast<AffineDimExpr>(map.getResult(lead));
      if (!along ||
          !startsWithLoops(map, lead, TensorDims().loopExtents(product)) ||
          product.getIteratorTypesArray()[along.getPosition()] !=
              utils::IteratorType::reduction ||
          lead >= product.getNumParallelLoops())
        continue;
      Group *source = sourceOf(*rows, home);
      if (!source || source == last ||
          isWindowed(cast<linalg::GenericOp>(source->ops.front())))
        continue;
      SmallVector<Operation *> ops(source->ops);
      llvm::append_range(ops, rows->ops);
      llvm::append_range(ops, last->ops);
      if (ops.size() > kMaxGroup || !staysWithin(*source, ops) ||
          !staysWithin(*rows, ops))
        continue;
      llvm::sort(ops, [](Operation *a, Operation *b) {
        return a->isBeforeInBlock(b);
      });
      for (Operation *op : ops)
        home[op] = last;
      source->ops.clear();
      rows->ops.clear();
      last->ops = ops;
      break;
    }
  }
  llvm::erase_if(groups, [](const Group &group) { return group.ops.empty(); });
}

SmallVector<Group> nestor::formGroups(Block &block) {
  Sorter(block).run();
  SmallVector<Group> groups = Former(block).run();
  joinStreams(groups);
  return groups;
}

/// The word for a generic with reduction loops.
static std::string reductionKind(linalg::GenericOp op) {
  if (isProductSum(op))
    return isWindowed(op) ? "conv" : "matmul";
  return isWindowed(op) ? "pool" : "reduce";
}

std::string nestor::kindOf(Operation *op) {
  if (isa<tensor::ConcatOp>(op))
    return "concat";
  auto generic = dyn_cast<linalg::GenericOp>(op);
  if (!generic)
    return "loops";
  if (generic.getNumReductionLoops())
    return reductionKind(generic);
  Block &body = *generic.getBlock();
  if (generic.getNumDpsInputs() == 1 && llvm::hasSingleElement(body)) {
    Value yielded = body.getTerminator()->getOperand(0);
    if (yielded == body.getArgument(0)) {
      AffineMap in =
          generic.getMatchingIndexingMap(generic.getDpsInputOperand(0));
      AffineMap out =
          generic.getMatchingIndexingMap(generic.getDpsInitOperand(0));
      if (in == out)
        return "copy";
      return in.isPermutation() ? "transpose" : "broadcast";
    }
  }
  for (Operation &inner : body)
    if (isa<tensor::ExtractOp>(inner))
      return "gather";
  return "elementwise";
}
