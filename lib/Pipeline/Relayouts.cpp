//===- Relayouts.cpp - Arguments in the layout that kernels want ----------===//
//
// See the header.
//
//===----------------------------------------------------------------------===//
#include "Relayouts.h"

#include "nestor/Dialect/Host/Host.h"
#include "nestor/Dialect/Nest/Nest.h"
#include "nestor/Rules/Rules.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/ADT/BitVector.h"
#include "llvm/ADT/StringSet.h"

using namespace mlir;
using namespace nestor;

namespace {
class RelayoutResolver {
public:
  explicit RelayoutResolver(ModuleOp module) : module(module) {}

  LogicalResult resolve() {
    SmallVector<host::LaunchOp> launches;
    module.walk([&](host::LaunchOp launch) { launches.push_back(launch); });
    for (host::LaunchOp launch : launches)
      if (failed(resolve(launch)))
        return failure();
    for (auto kernel : module.getOps<nest::FuncOp>())
      kernel->removeAttr("relayouts");
    // The old forms are not needed any more, and must not be kept.
    module.walk([](host::ConstantOp constant) {
      if (constant->use_empty())
        constant->erase();
    });
    dropUnusedResults();
    return success();
  }

private:
  LogicalResult resolve(host::LaunchOp launch) {
    auto kernel = module.lookupSymbol<nest::FuncOp>(launch.getKernelAttr());
    auto relayouts =
        kernel ? kernel->getAttrOfType<ArrayAttr>("relayouts") : ArrayAttr();
    if (!relayouts)
      return success();
    for (Attribute entry : relayouts) {
      auto row = cast<DictionaryAttr>(entry);
      auto arg = static_cast<unsigned>(row.getAs<IntegerAttr>("arg").getInt());
      auto pack = module.lookupSymbol<nest::FuncOp>(
          row.getAs<FlatSymbolRefAttr>("kernel"));
      if (!pack)
        return kernel.emitError("names an unknown relayout kernel");
      auto type = cast<MemRefType>(kernel.getArgumentTypes()[arg]);
      if (!type.hasStaticShape())
        return kernel.emitError("relayout of a dynamic buffer");
      Value source = launch.getBuffers()[arg];
      auto constant = source.getDefiningOp<host::ConstantOp>();
      auto function = launch->getParentOfType<func::FuncOp>();
      Value packed;
      if (constant && function.getSymName() != "setup")
        packed = packConstant(constant, pack, type, launch);
      else
        packed = packHere(source, pack, type, launch);
      launch.getBuffersMutable()[arg].assign(packed);
    }
    return success();
  }

  Value packHere(Value source, nest::FuncOp pack, MemRefType type,
                 host::LaunchOp before) {
    OpBuilder builder(before);
    Value target =
        host::AllocOp::create(builder, before.getLoc(), type, ValueRange());
    ValueRange sizes = before.getSizes();
    host::LaunchOp::create(builder, before.getLoc(), pack.getSymName(),
                           ValueRange{source, target},
                           sizes.take_front(pack.getSizes().size()), 1);
    return target;
  }

  /// The value of constant `key` inside @setup: one of its results, or a
  /// constant of the model.
  Value inSetup(func::FuncOp setup, host::ConstantOp constant,
                OpBuilder &builder) {
    auto terminator =
        cast<func::ReturnOp>(setup.getBody().front().getTerminator());
    for (unsigned i = 0; i < setup.getNumResults(); ++i)
      if (setup.getResultAttrOfType<StringAttr>(i, "host.key") ==
          constant.getKeyAttr())
        return terminator.getOperand(i);
    return host::ConstantOp::create(builder, constant.getLoc(),
                                    constant.getType(), constant.getKey());
  }

  /// The buffer that a value is a view of.
  static Value rootOf(Value value) {
    while (auto view = value.getDefiningOp<host::ViewOp>())
      value = view.getSource();
    return value;
  }

  /// The last op of `block` that can see the bytes of `value`, but for the
  /// terminator. Null when that is not known.
  static Operation *lastUser(Value value, Block &block) {
    Value root = rootOf(value);
    if (root.getParentBlock() != &block)
      return nullptr;
    Operation *last = root.getDefiningOp();
    SmallVector<Value> names{root};
    while (!names.empty())
      for (Operation *user : names.pop_back_val().getUsers()) {
        Operation *top = block.findAncestorOpInBlock(*user);
        if (top == block.getTerminator())
          continue;
        if (user->hasTrait<OpTrait::IsTerminator>())
          return nullptr; // the bytes live on under another name
        if (!last || last->isBeforeInBlock(top))
          last = top;
        if (auto view = dyn_cast<host::ViewOp>(user))
          names.push_back(view.getResult());
      }
    return last;
  }

  /// What only packing read is a buffer of the run, not a constant.
  void dropUnusedResults() {
    auto setup = module.lookupSymbol<func::FuncOp>("setup");
    if (!setup)
      return;
    llvm::StringSet<> used;
    module.walk([&](host::ConstantOp constant) {
      if (constant->getParentOfType<func::FuncOp>() != setup)
        used.insert(constant.getKey());
    });
    auto terminator =
        cast<func::ReturnOp>(setup.getBody().front().getTerminator());
    llvm::BitVector dead(setup.getNumResults());
    llvm::DenseSet<Value> needed;
    for (unsigned i = 0; i < setup.getNumResults(); ++i) {
      auto key = setup.getResultAttrOfType<StringAttr>(i, "host.key");
      Value root = rootOf(terminator.getOperand(i));
      if (!key || used.contains(key.getValue()) ||
          !root.getDefiningOp<host::OutputOp>())
        needed.insert(root);
      else
        dead.set(i);
    }
    llvm::DenseMap<uint64_t, uint64_t> newIndex;
    for (unsigned i = 0; i < setup.getNumResults(); ++i) {
      // Another result may be another view of the same buffer.
      if (dead.test(i) && needed.contains(rootOf(terminator.getOperand(i))))
        dead.reset(i);
      if (!dead.test(i))
        newIndex.try_emplace(i, newIndex.size());
    }
    terminator->eraseOperands(dead);
    (void)setup.eraseResults(dead);
    SmallVector<host::OutputOp> outputs;
    setup.walk([&](host::OutputOp output) { outputs.push_back(output); });
    for (host::OutputOp output : outputs) {
      OpBuilder builder(output);
      if (auto it = newIndex.find(output.getIndex()); it != newIndex.end()) {
        output.setIndex(it->second);
        continue;
      }
      Value buffer = host::AllocOp::create(builder, output.getLoc(),
                                           output.getType(), output.getDims());
      output.replaceAllUsesWith(buffer);
      output.erase();
    }
  }

  func::FuncOp getSetup() {
    if (auto setup = module.lookupSymbol<func::FuncOp>("setup"))
      return setup;
    OpBuilder builder = OpBuilder::atBlockBegin(module.getBody());
    auto setup = func::FuncOp::create(builder, module.getLoc(), "setup",
                                      builder.getFunctionType({}, {}));
    builder.setInsertionPointToStart(setup.addEntryBlock());
    func::ReturnOp::create(builder, module.getLoc());
    return setup;
  }

  Value packConstant(host::ConstantOp constant, nest::FuncOp pack,
                     MemRefType type, host::LaunchOp before) {
    std::string key = (constant.getKey() + "." + pack.getSymName()).str();
    if (packedKeys.insert(key).second) {
      func::FuncOp setup = getSetup();
      auto terminator =
          cast<func::ReturnOp>(setup.getBody().front().getTerminator());
      OpBuilder builder(terminator);
      Value source = inSetup(setup, constant, builder);
      // As soon as the source is complete: buffers that only packing reads are
      // then short-lived, and hundreds of them share few bytes.
      if (Operation *last = lastUser(source, setup.getBody().front()))
        builder.setInsertionPointAfter(last);
      Value target = host::OutputOp::create(
          builder, constant.getLoc(), type,
          builder.getI64IntegerAttr(setup.getNumResults()), ValueRange());
      // The pack takes the kernel's sizes; a constant's dims use none of them.
      SmallVector<Value> sizes;
      for (size_t i = 0; i < pack.getSizes().size(); ++i)
        sizes.push_back(
            arith::ConstantIndexOp::create(builder, constant.getLoc(), 1));
      host::LaunchOp::create(builder, constant.getLoc(), pack.getSymName(),
                             ValueRange{source, target}, sizes, 1);
      auto attrs = builder.getDictionaryAttr(
          builder.getNamedAttr("host.key", builder.getStringAttr(key)));
      (void)setup.insertResult(setup.getNumResults(), type, attrs);
      terminator.getOperandsMutable().append(target);
    }
    OpBuilder builder(before);
    return host::ConstantOp::create(builder, constant.getLoc(), type, key);
  }

  ModuleOp module;
  llvm::StringSet<> packedKeys;
};
} // namespace

void nestor::markConstantArguments(ModuleOp module) {
  llvm::DenseMap<StringAttr, llvm::BitVector> varying;
  module.walk([&](host::LaunchOp launch) {
    llvm::BitVector &bits = varying[launch.getKernelAttr().getAttr()];
    bits.resize(launch.getBuffers().size());
    for (auto [i, buffer] : llvm::enumerate(launch.getBuffers()))
      if (!buffer.getDefiningOp<host::ConstantOp>())
        bits.set(i);
  });
  for (auto kernel : module.getOps<nest::FuncOp>()) {
    auto it = varying.find(kernel.getSymNameAttr());
    if (it == varying.end())
      continue;
    for (unsigned i = 0; i < it->second.size(); ++i)
      if (!it->second.test(i))
        kernel.setArgAttr(i, kConstantArgument,
                          UnitAttr::get(module.getContext()));
  }
}

LogicalResult nestor::resolveRelayouts(ModuleOp module) {
  return RelayoutResolver(module).resolve();
}
