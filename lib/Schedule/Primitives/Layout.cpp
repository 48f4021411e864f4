//===- Layout.cpp - transform_layout --------------------------------------===//
//
//   B[k, n]  ==>  B[n floordiv 16, k, n mod 16], B of shape [ceil(N/16), K, 16]
//
// and for an argument, besides, a kernel that packs:
//
//   nest.func @pack(src, dst) { dst[no, k, ni] = no * 16 + ni < N ? src[k, no *
//   16 + ni] : 0 }
//
//===----------------------------------------------------------------------===//
#include "../Apply.h"
#include "../Relayout.h"
#include "../Rewrite.h"

#include "nestor/Analysis/IterMap.h"

#include "nestor/Dialect/Nest/Padding.h"

using namespace mlir;
using namespace nestor;
using namespace nestor::sched;
using namespace nestor::analysis;

namespace {
/// One result of a layout map: (dim floordiv stride) mod modulus, where a
/// modulus of 0 stands for none.
struct Digit {
  unsigned dim, result;
  int64_t stride, modulus;
};

/// A layout map taken apart: for each dim its digits, smallest stride first;
/// or, where results are sums of several dims, the way back.
struct Layout {
  SmallVector<SmallVector<Digit>> digits;
  SmallVector<AffineExpr> back, extents; // of the results
};
} // namespace

static std::optional<Digit> readDigit(AffineExpr expr, unsigned result) {
  Digit digit{0, result, 1, 0};
  if (auto binary = dyn_cast<AffineBinaryOpExpr>(expr)) {
    std::optional<int64_t> c = AffineSpace::constantOf(binary.getRHS());
    if (!c || *c <= 0)
      return std::nullopt;
    if (expr.getKind() == AffineExprKind::Mod) {
      digit.modulus = *c;
      expr = binary.getLHS();
    }
  }
  if (auto binary = dyn_cast<AffineBinaryOpExpr>(expr)) {
    std::optional<int64_t> c = AffineSpace::constantOf(binary.getRHS());
    if (!c || *c <= 0 || expr.getKind() != AffineExprKind::FloorDiv)
      return std::nullopt;
    digit.stride = *c;
    expr = binary.getLHS();
  }
  auto dim = dyn_cast<AffineDimExpr>(expr);
  if (!dim)
    return std::nullopt;
  digit.dim = dim.getPosition();
  return digit;
}

/// Takes `map` apart, or says why it cannot be undone.
static Result<Layout> readLayout(AffineMap map, nest::BlockOp block) {
  Layout layout;
  layout.digits.resize(map.getNumDims());
  for (auto [i, expr] : llvm::enumerate(map.getResults())) {
    std::optional<Digit> digit = readDigit(expr, i);
    if (!digit)
      return Outcome::refused("result " + Twine(i) +
                              " of the layout is no digit of a dim")
          .note(block, "a digit is (d floordiv a) mod b, with constants");
    layout.digits[digit->dim].push_back(*digit);
  }
  for (auto [dim, digits] : llvm::enumerate(layout.digits)) {
    llvm::sort(digits, [](const Digit &a, const Digit &b) {
      return a.stride < b.stride;
    });
    int64_t expected = 1;
    for (const Digit &digit : digits) {
      bool last = &digit == &digits.back();
      if (digit.stride != expected || (digit.modulus == 0) != last) {
        expected = -1;
        break;
      }
      expected = digit.stride * digit.modulus;
    }
    if (digits.empty() || expected < 0)
      return Outcome::refused("the layout does not say dim " + Twine(dim) +
                              " completely")
          .note(block, "its digits must have strides 1, b, b*c, …, each with a "
                       "modulus but the last");
  }
  return layout;
}

/// Takes a map apart that is one-to-one on `shape` and leaves nothing out.
static std::optional<Layout> readOnto(AffineMap map, ArrayRef<AffineExpr> shape,
                                      AffineSpace &space) {
  SmallVector<IterVar> vars;
  SmallVector<AffineExpr> images;
  for (auto [i, size] : llvm::enumerate(shape))
    vars.push_back(
        {getAffineDimExpr(i, space.getContext()), space.constant(0), size});
  for (unsigned i = 0; i < map.getNumResults(); ++i)
    images.push_back(getAffineDimExpr(i, space.getContext()));
  IterMap digits = detectIterMap(map.getResults(), vars, space);
  std::optional<SmallVector<AffineExpr>> back =
      digits.level == MapLevel::Bijective ? invert(digits, images, vars, space)
                                          : std::nullopt;
  if (!back)
    return std::nullopt;
  Layout layout;
  layout.back = std::move(*back);
  for (const IterSum &sum : digits.sums) {
    if (sum.base != space.constant(0))
      return std::nullopt;
    layout.extents.push_back(sum.extent);
  }
  return layout;
}

/// The new shape, and for each dim whether elements are padded.
static SmallVector<AffineExpr> newShape(const Layout &layout, AffineMap map,
                                        ArrayRef<AffineExpr> shape,
                                        AffineSpace &space,
                                        SmallVectorImpl<bool> &padded) {
  if (!layout.back.empty()) {
    padded.assign(shape.size(), false);
    return layout.extents;
  }
  SmallVector<AffineExpr> result(map.getNumResults());
  for (auto [dim, digits] : llvm::enumerate(layout.digits)) {
    for (const Digit &digit : digits)
      result[digit.result] =
          digit.modulus ? space.constant(digit.modulus)
                        : space.canonical(shape[dim].ceilDiv(digit.stride));
    const Digit &top = digits.back();
    padded.push_back(
        !space.isEqual(result[top.result] * top.stride, shape[dim]));
  }
  return result;
}

static MemRefType typeOf(MemRefType old, ArrayRef<AffineExpr> shape) {
  SmallVector<int64_t> dims;
  for (AffineExpr extent : shape)
    dims.push_back(
        AffineSpace::constantOf(extent).value_or(ShapedType::kDynamic));
  return MemRefType::get(dims, old.getElementType(),
                         MemRefLayoutAttrInterface(), old.getMemorySpace());
}

/// A block over `extents` in a nest of its own, at the insertion point, which
/// is left inside of its body.
static nest::BlockOp openBlock(RewriterBase &rewriter, Location loc,
                               StringRef name, ArrayRef<AffineExpr> extents,
                               AffineSpace &space, BlockForm &form) {
  SmallVector<nest::IteratorKind> kinds(extents.size(),
                                        nest::IteratorKind::Spatial);
  for (AffineExpr extent : extents) {
    nest::ForOp loop = makeLoop(rewriter, loc, extent, space);
    rewriter.setInsertionPoint(loop.getBodyBlock()->getTerminator());
    form.bindings.push_back(space.of(loop.getInductionVar()));
    form.extents.push_back(extent);
  }
  SmallVector<AffineExpr> zeros(kinds.size(), space.constant(0));
  AffineMap placeholder = AffineMap::get(0, 0, zeros, rewriter.getContext());
  auto block = nest::BlockOp::create(rewriter, loc, name, kinds, placeholder,
                                     placeholder, ValueRange());
  rewriter.setInsertionPoint(block.getBodyBlock()->getTerminator());
  return block;
}

/// The kernel that makes the new form of argument `arg` of `func`.
static nest::FuncOp makePack(RewriterBase &rewriter, nest::FuncOp func,
                             unsigned arg, const Layout &layout,
                             MemRefType newType, ArrayRef<AffineExpr> shape,
                             ArrayRef<AffineExpr> extents,
                             ArrayRef<bool> padded) {
  OpBuilder::InsertionGuard guard(rewriter);
  Location loc = func.getLoc();
  MLIRContext *context = rewriter.getContext();
  nest::FuncOp pack = makeRelayoutKernel(
      rewriter, func, arg, cast<MemRefType>(func.getArgumentTypes()[arg]),
      shape, newType, extents);
  AffineSpace space(pack);
  Block &entry = pack.getBody().front();
  Value source = entry.getArgument(0), target = entry.getArgument(1);

  if (llvm::is_contained(padded, true)) {
    rewriter.setInsertionPoint(entry.getTerminator());
    BlockForm form;
    nest::BlockOp fill = openBlock(rewriter, loc, "pad", extents, space, form);
    form.write(fill, space);
    Value zero = arith::ConstantOp::create(
        rewriter, loc,
        cast<TypedAttr>(rewriter.getZeroAttr(newType.getElementType())));
    memref::StoreOp::create(rewriter, loc, zero, target,
                            fill.getBodyBlock()->getArguments());
  }
  rewriter.setInsertionPoint(entry.getTerminator());
  BlockForm form;
  nest::BlockOp copy = openBlock(rewriter, loc, "pack", extents, space, form);
  SmallVector<Value> indices;
  ValueRange iterators = copy.getBodyBlock()->getArguments();
  for (auto [dim, digits] : llvm::enumerate(layout.digits)) {
    AffineExpr index = space.constant(0), bound = space.constant(0);
    for (const Digit &digit : digits) {
      index = index + getAffineDimExpr(digit.result, context) * digit.stride;
      bound = bound + form.bindings[digit.result] * digit.stride;
    }
    if (padded[dim])
      addConstraint(form, shape[dim] - 1 - bound, space);
    indices.push_back(emitIndex(rewriter, loc, index, iterators, pack));
  }
  for (AffineExpr index : layout.back)
    indices.push_back(emitIndex(rewriter, loc, index, iterators, pack));
  form.write(copy, space);
  Value value = memref::LoadOp::create(rewriter, loc, source, indices);
  memref::StoreOp::create(rewriter, loc, value, target, iterators);
  return pack;
}

/// Rewrites all accesses of `buffer` to the new indices.
static void rewriteAccesses(RewriterBase &rewriter, nest::FuncOp func,
                            Value buffer, AffineMap map) {
  for (nest::BlockOp block : blocksIn(func)) {
    bool touched = false;
    for (const Access &access : accessesOf(block)) {
      if (access.buffer != buffer)
        continue;
      touched = true;
      OpBuilder::InsertionGuard guard(rewriter);
      rewriter.setInsertionPoint(access.op);
      SmallVector<Value> old(access.getIndexValues()), indices;
      for (AffineExpr expr : map.getResults())
        indices.push_back(
            emitIndex(rewriter, access.op->getLoc(), expr, old, func));
      if (auto store = dyn_cast<memref::StoreOp>(access.op)) {
        memref::StoreOp::create(rewriter, store.getLoc(),
                                store.getValueToStore(), buffer, indices);
        rewriter.eraseOp(store);
        continue;
      }
      rewriter.replaceOpWithNewOp<memref::LoadOp>(access.op, buffer, indices);
    }
    if (!touched)
      continue;
    AffineSpace space(func);
    simplifyIndices(rewriter, block, space);
  }
}

/// How much larger padding may make a buffer.
static constexpr uint64_t kMostPadding = 256;

Outcome sched::transformLayout(RewriterBase &rewriter, nest::BlockOp block,
                               BufferRole role, int64_t number, AffineMap map) {
  Result<Value> buffer = nthBuffer(block, role, number);
  if (!buffer)
    return buffer.getOutcome();
  auto oldType = cast<MemRefType>((*buffer).getType());
  if (map.getNumSymbols() != 0 || map.getNumDims() != oldType.getRank())
    return Outcome::refused("the layout takes " + Twine(map.getNumDims()) +
                            " dims, " + describe(*buffer) + " has " +
                            Twine(oldType.getRank()))
        .note(block, "and symbols are not allowed");
  AffineSpace space(funcOf(block));
  SmallVector<AffineExpr> shape = space.shapeOf(*buffer);
  Result<Layout> layout = readLayout(map, block);
  if (!layout) {
    std::optional<Layout> onto = readOnto(map, shape, space);
    if (!onto)
      return layout.getOutcome();
    layout = std::move(*onto);
  }
  auto argument = dyn_cast<BlockArgument>(*buffer);
  if (argument)
    if (Outcome outcome = checkRelayout(block, *buffer); !outcome.isDone())
      return outcome;
  nest::FuncOp func = funcOf(block);
  for (Operation *user : (*buffer).getUsers())
    if (!isa<memref::LoadOp, memref::StoreOp>(user))
      return Outcome::refused(describe(*buffer) + " is used by '" +
                              user->getName().getStringRef() + "'")
          .note(user, "only loads and stores can be rewritten");

  SmallVector<bool> padded;
  SmallVector<AffineExpr> extents =
      newShape(*layout, map, shape, space, padded);
  MemRefType newType = typeOf(oldType, extents);
  if (newType.hasStaticShape()) {
    auto elementsOf = [](MemRefType type) {
      uint64_t count = 1;
      for (int64_t extent : type.getShape())
        count = llvm::SaturatingMultiply(count, uint64_t(extent));
      return count;
    };
    uint64_t most = llvm::SaturatingMultiply(
        std::max<uint64_t>(elementsOf(oldType), 64), kMostPadding);
    if (elementsOf(newType) > most)
      return Outcome::refused("the layout pads " + describe(*buffer) +
                              " to more than " + Twine(kMostPadding) +
                              " times its size")
          .note(block, "divide dims by factors that divide their extents");
  }
  if (auto alloc = (*buffer).getDefiningOp<nest::AllocOp>()) {
    rewriter.modifyOpInPlace(alloc, [&]() {
      alloc->removeAttr(nest::kAlignAttr); // of dims that are no more
      alloc.getResult().setType(newType);
      SmallVector<Value> operands;
      AffineMap shapeMap = space.exportMap(extents, operands);
      alloc.getSizesMutable().assign(operands);
      if (newType.hasStaticShape())
        alloc.removeShapeAttr();
      else
        alloc.setShapeAttr(AffineMapAttr::get(shapeMap));
    });
  } else {
    unsigned arg = argument.getArgNumber();
    nest::FuncOp pack =
        makePack(rewriter, func, arg, *layout, newType, shape, extents, padded);
    setRelayout(rewriter, func, arg, pack, extents);
  }
  rewriteAccesses(rewriter, func, *buffer, map);
  return Outcome::done();
}

Outcome TransformLayoutOp::run(Invocation &at) {
  Result<BufferRole> role = roleOf(getRole());
  if (!role)
    return role.getOutcome();
  return at.call(sched::transformLayout, getBlock(), *role, getBuffer(),
                 getMap());
}

NESTOR_PRIMITIVE(transform_layout) = {
    .name = "transform_layout",
    .family = "tensor",
    .does = "Stores a buffer in another order.",
    .law = "The map takes every element to a place of its own.",
    .refuses = "maps whose results are not digits of the dims that "
               "say each dim completely, unless they are one-to-one and "
               "leave nothing out\n"
               "arguments that are written\n"
               "buffers that are used otherwise than by loads and "
               "stores\n"
               "padding to more than 256 times the size",
    .syntax = "transform_layout %block \"read\" NUMBER to MAP",
    .notes = R"(
A digit is a dim, or `(d floordiv a) mod b` of it. A buffer of the kernel is rewritten
with all its accesses. An argument changes the signature: the kernel gets
`relayouts = [{arg = 1, kernel = @pack_f_1}]`, and that kernel makes the new form from
the old one; a second layout of an argument extends that kernel. What is padded is 0.
)",
    .before = R"(
nest.func @f(%A: memref<4x8xf32>, %B: memref<4x8xf32>) {
  %T = nest.alloc : memref<4x8xf32>
  nest.for %i = 0 to 4 {
    nest.for %j = 0 to 8 {
      nest.block "P" (%vi : spatial = %i to 4, %vj : spatial = %j to 8) {
        %a = memref.load %A[%vi, %vj] : memref<4x8xf32>
        %t = arith.addf %a, %a : f32
        memref.store %t, %T[%vi, %vj] : memref<4x8xf32>
      }
    }
    nest.for %j = 0 to 8 {
      nest.block "C" (%vi : spatial = %i to 4, %vj : spatial = %j to 8) {
        %t = memref.load %T[%vi, %vj] : memref<4x8xf32>
        memref.store %t, %B[%vi, %vj] : memref<4x8xf32>
      }
    }
  }
}
)",
    .schedule = R"(
%c = get_block "C" in %root
transform_layout %c "read" 0 to affine_map<(i, j) -> (j floordiv 4, i, j mod 4)>
)",
};
