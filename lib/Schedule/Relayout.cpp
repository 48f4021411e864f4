//===- Relayout.cpp - New forms of arguments ------------------------------===//
//
// See the header. A second form of one argument:
//
//   @pack(src, dst1) { P };  @pack_1(dst1, dst2) { Q }
//   ==>
//   @pack(src, dst2) { dst1 = alloc; P; Q }
//
//===----------------------------------------------------------------------===//
#include "Relayout.h"

#include "Rewrite.h"

using namespace mlir;
using namespace nestor;
using namespace nestor::sched;
using namespace nestor::analysis;

Outcome sched::checkRelayout(nest::BlockOp block, Value buffer) {
  nest::FuncOp func = funcOf(block);
  for (nest::BlockOp writer : writersOf(buffer, func))
    return Outcome::refused(describe(buffer) + " is written by the kernel")
        .note(writer, "here; the layout of an output is its readers' choice, "
                      "cache_write first");
  Operation *table = func->getParentOp();
  if (!table || !table->hasTrait<OpTrait::SymbolTable>())
    return Outcome::refused("the kernel is in no module")
        .note(func, "there is no place for the kernel that packs");
  return Outcome::done();
}

nest::FuncOp sched::makeRelayoutKernel(RewriterBase &rewriter,
                                       nest::FuncOp func, unsigned arg,
                                       MemRefType from,
                                       ArrayRef<AffineExpr> fromShape,
                                       MemRefType to,
                                       ArrayRef<AffineExpr> toShape) {
  OpBuilder::InsertionGuard guard(rewriter);
  rewriter.setInsertionPointAfter(func);
  Operation *table = func->getParentOp();
  std::string base = ("pack_" + func.getSymName() + "_" + Twine(arg)).str(),
              name = base;
  for (int i = 1; SymbolTable::lookupSymbolIn(table, name); ++i)
    name = base + "_" + std::to_string(i);
  SmallVector<Type> types{from, to};
  types.append(func.getSizes().size(), rewriter.getIndexType());
  MLIRContext *context = rewriter.getContext();
  unsigned numSizes = func.getSizes().size();
  SmallVector<AffineMap> shapes{AffineMap::get(0, numSizes, fromShape, context),
                                AffineMap::get(0, numSizes, toShape, context)};
  return nest::FuncOp::create(rewriter, func.getLoc(), name, types, shapes);
}

/// Appends what `second` does to `first`, whose target becomes a buffer.
static void chain(RewriterBase &rewriter, nest::FuncOp first,
                  nest::FuncOp second) {
  OpBuilder::InsertionGuard guard(rewriter);
  Block &body = first.getBody().front(), &rest = second.getBody().front();
  Value target = body.getArgument(1);
  AffineMap oldShape = first.getBufferShape(1),
            newShape = second.getBufferShape(1);
  rewriter.setInsertionPointToStart(&body);
  auto type = cast<MemRefType>(target.getType());
  SmallVector<Value> sizes;
  if (!type.hasStaticShape())
    llvm::append_range(sizes, first.getSizes());
  auto between = nest::AllocOp::create(
      rewriter, first.getLoc(), type, sizes,
      type.hasStaticShape() ? AffineMapAttr() : AffineMapAttr::get(oldShape));
  rewriter.replaceAllUsesWith(target, between.getResult());
  rewriter.modifyOpInPlace(first, [&]() {
    SmallVector<Type> types(first.getArgumentTypes());
    types[1] = second.getArgumentTypes()[1];
    first.setFunctionType(rewriter.getFunctionType(types, {}));
    target.setType(types[1]);
    if (first.getShapes())
      first.setShapesAttr(
          rewriter.getAffineMapArrayAttr({first.getBufferShape(0), newShape}));
  });
  IRMapping mapping;
  mapping.map(rest.getArguments(), body.getArguments());
  mapping.map(rest.getArgument(0), between.getResult());
  rewriter.setInsertionPoint(body.getTerminator());
  for (Operation &op : rest.without_terminator()) {
    Operation *copy = rewriter.clone(op, mapping);
    copy->walk([&](nest::BlockOp block) {
      std::string name = block.getName().str();
      block.setName("");
      block.setName(uniqueBlockName(first, name));
    });
  }
  rewriter.eraseOp(second);
}

void sched::setRelayout(RewriterBase &rewriter, nest::FuncOp func, unsigned arg,
                        nest::FuncOp kernel, ArrayRef<AffineExpr> shape) {
  auto argument = func.getBody().getArgument(arg);
  Type newType = kernel.getArgumentTypes()[1];
  SmallVector<Attribute> entries;
  bool chained = false;
  if (auto old = func->getAttrOfType<ArrayAttr>("relayouts"))
    for (Attribute entry : old) {
      entries.push_back(entry);
      auto row = cast<DictionaryAttr>(entry);
      if (row.getAs<IntegerAttr>("arg").getInt() != int64_t(arg))
        continue;
      chained = true;
      chain(rewriter,
            cast<nest::FuncOp>(SymbolTable::lookupSymbolIn(
                func->getParentOp(), row.getAs<FlatSymbolRefAttr>("kernel"))),
            kernel);
    }
  rewriter.modifyOpInPlace(func, [&]() {
    SmallVector<Type> types(func.getArgumentTypes());
    types[arg] = newType;
    func.setFunctionType(rewriter.getFunctionType(types, {}));
    argument.setType(newType);
    if (func.getShapes()) {
      SmallVector<AffineMap> maps;
      for (unsigned i = 0; i < func.getNumBuffers(); ++i)
        maps.push_back(i == arg ? AffineMap::get(0, func.getSizes().size(),
                                                 shape, func.getContext())
                                : func.getBufferShape(i));
      func.setShapesAttr(rewriter.getAffineMapArrayAttr(maps));
    }
    if (!chained)
      entries.push_back(rewriter.getDictionaryAttr(
          {rewriter.getNamedAttr("arg", rewriter.getI64IntegerAttr(arg)),
           rewriter.getNamedAttr(
               "kernel", FlatSymbolRefAttr::get(kernel.getSymNameAttr()))}));
    func->setAttr("relayouts", rewriter.getArrayAttr(entries));
  });
}
