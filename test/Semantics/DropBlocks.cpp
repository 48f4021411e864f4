// Makes kernels smaller, block by block: see dropBlock in RandomNest.h.
#include "Checks.h"

#include "nestor/Analysis/Blocks.h"

#include "mlir/IR/Verifier.h"

using namespace mlir;
using namespace nestor;

namespace {
/// A buffer of the kernel to come.
struct Argument {
  Value value;
  AffineMap shape;
  /// Null: random data, or undefined when it is written.
  const HostTensor *data = nullptr;
};
} // namespace

static bool isStored(Value buffer) {
  return llvm::any_of(buffer.getUsers(), [&](Operation *user) {
    auto store = dyn_cast<memref::StoreOp>(user);
    return store && store.getMemRef() == buffer;
  });
}

static bool isLoaded(Value buffer) {
  return llvm::any_of(buffer.getUsers(), [](Operation *user) {
    return isa<memref::LoadOp>(user);
  });
}

static void eraseWithLoops(nest::BlockOp block) {
  Operation *op = block;
  while (true) {
    Operation *parent = op->getParentOp();
    op->erase();
    auto loop = dyn_cast<nest::ForOp>(parent);
    if (!loop || !loop.getBodyBlock()->without_terminator().empty())
      return;
    op = loop;
  }
}

bool nestor::dropBlock(Problem &problem, StringRef name, uint64_t seed) {
  nest::FuncOp old = problem.kernel;
  for (nest::BlockOp block : analysis::blocksIn(old))
    if (block.getName() == name) {
      eraseWithLoops(block);
      break;
    }
  std::vector<Argument> inputs, outputs;
  std::vector<HostTensor> before = problem.buffers;
  for (auto [n, buffer] : llvm::enumerate(old.getBuffers())) {
    if (buffer.use_empty())
      continue;
    bool output = n + problem.writes >= before.size();
    (output && isStored(buffer) ? outputs : inputs)
        .push_back(
            {buffer, old.getBufferShape(n), output ? nullptr : &before[n]});
  }
  for (auto alloc : llvm::to_vector(old.getOps<nest::AllocOp>())) {
    Value buffer = alloc.getResult();
    if (buffer.use_empty())
      alloc.erase();
    else if (!isStored(buffer))
      inputs.push_back({buffer, alloc.getShapeMap()});
    else if (!isLoaded(buffer))
      outputs.push_back({buffer, alloc.getShapeMap()});
  }
  if (outputs.empty())
    return false;
  std::vector<Argument> all = inputs;
  all.insert(all.end(), outputs.begin(), outputs.end());
  // Shapes over all sizes of the kernel.
  MLIRContext *context = old.getContext();
  unsigned sizes = old.getSizes().size();
  SmallVector<Type> types;
  SmallVector<AffineMap> shapes;
  for (Argument &argument : all) {
    SmallVector<AffineExpr> symbols;
    if (auto alloc = argument.value.getDefiningOp<nest::AllocOp>())
      for (Value size : alloc.getSizes())
        symbols.push_back(getAffineSymbolExpr(
            cast<BlockArgument>(size).getArgNumber() - old.getNumBuffers(),
            context));
    else
      for (unsigned n = 0; n < sizes; ++n)
        symbols.push_back(getAffineSymbolExpr(n, context));
    // Plain memory, whatever the scope was.
    auto type = cast<MemRefType>(argument.value.getType());
    types.push_back(MemRefType::get(type.getShape(), type.getElementType()));
    shapes.push_back(
        argument.shape.replaceDimsAndSymbols({}, symbols, 0, sizes));
  }
  types.append(sizes, IndexType::get(context));
  OpBuilder builder(old);
  auto kernel = nest::FuncOp::create(builder, old.getLoc(), old.getSymName(),
                                     types, shapes);
  for (unsigned n = 0; n < sizes; ++n)
    if (DictionaryAttr facts = old.getArgAttrDict(old.getNumBuffers() + n))
      kernel.setArgAttrs(all.size() + n, facts);
  Block &body = kernel.getBody().front(), &from = old.getBody().front();
  if (!body.empty() && body.mightHaveTerminator())
    body.getTerminator()->erase();
  body.getOperations().splice(body.end(), from.getOperations());
  for (auto [n, size] : llvm::enumerate(old.getSizes()))
    Value(size).replaceAllUsesWith(body.getArgument(all.size() + n));
  for (auto [n, argument] : llvm::enumerate(all)) {
    argument.value.replaceAllUsesWith(body.getArgument(n));
    if (Operation *alloc = argument.value.getDefiningOp())
      alloc->erase();
  }
  old.erase();
  problem.kernel = kernel;
  problem.writes = static_cast<unsigned>(outputs.size());
  problem.buffers.clear();
  for (auto [n, argument] : llvm::enumerate(all)) {
    Type element = cast<MemRefType>(types[n]).getElementType();
    SmallVector<int64_t> dims;
    if (!kernelDims(kernel, n, problem.sizes, dims))
      return false;
    problem.buffers.push_back(
        n >= inputs.size() ? HostTensor::undefined(element, dims)
        : argument.data    ? *argument.data
                        : randomTensor(element, dims, seed + n, -2, 2, true));
  }
  problem.text = print(kernel) + "\n";
  return succeeded(verify(kernel));
}
