//===- Footprints.cpp - The elements that accesses touch ------------------===//
//
// See the header. The instances of an access are constraints over the loops
// around it; the element's indices are tied to them by equations, and the loops
// that run are projected out.
//
//===----------------------------------------------------------------------===//
#include "nestor/Analysis/Footprints.h"

#include "nestor/Analysis/InstanceSet.h"

using namespace mlir;
using namespace nestor;
using namespace nestor::analysis;

using Constraint = BlockForm::Constraint;
using Renaming = llvm::DenseMap<AffineExpr, AffineExpr>;

SmallVector<Constraint> analysis::instancesOf(const Access &access,
                                              nest::BlockOp block,
                                              AffineSpace &space) {
  SmallVector<Constraint> result;
  for (nest::ForOp loop : loopsAround(block, space))
    for (AffineExpr expr : constraintsOf(loop, space))
      result.push_back({expr, false});
  BlockForm form = BlockForm::of(block, space);
  for (auto [i, binding] : llvm::enumerate(form.bindings)) {
    result.push_back({binding, false});
    result.push_back({form.extents[i] - 1 - binding, false});
    if (access.inInit && block.getIteratorKind(i) == nest::IteratorKind::Reduce)
      result.push_back({binding, true});
  }
  llvm::append_range(result, form.constraints);
  return result;
}

SmallVector<AffineExpr> analysis::elementOf(const Access &access,
                                            nest::BlockOp block,
                                            AffineSpace &space) {
  BlockForm form = BlockForm::of(block, space);
  SmallVector<AffineExpr> result;
  for (AffineExpr index : access.indices)
    result.push_back(index ? index.replaceDims(form.bindings) : AffineExpr());
  return result;
}

/// The elements of `access` with the variables `gone` let go; `renamed` stands
/// in for loops, and `extra` holds besides.
static std::optional<Footprint::Piece>
elementsOf(const Access &access, nest::BlockOp block, ArrayRef<AffineExpr> dims,
           ArrayRef<AffineExpr> gone, ArrayRef<Constraint> extra,
           const Renaming &renamed, AffineSpace &space, bool minimal = true) {
  SmallVector<Constraint> constraints = instancesOf(access, block, space);
  bool known = !access.conditional;
  for (auto [dim, index, size] :
       llvm::zip_equal(dims, elementOf(access, block, space),
                       space.shapeOf(access.buffer))) {
    if (index) {
      constraints.push_back({dim - index, true});
      continue;
    }
    known = false;
    constraints.push_back({dim, false});
    constraints.push_back({size - 1 - dim, false});
  }
  if (!renamed.empty())
    for (Constraint &constraint : constraints)
      constraint.expr = constraint.expr.replace(renamed);
  llvm::append_range(constraints, extra);
  std::optional<Projection> left =
      analysis::project(constraints, gone, space, minimal);
  if (!left)
    return std::nullopt;
  return Footprint::Piece{std::move(left->constraints), left->exact && known};
}

std::optional<Footprint::Piece>
analysis::pieceOf(const Access &access, nest::BlockOp block,
                  ArrayRef<AffineExpr> dims, RelaxFn run, AffineSpace &space) {
  SmallVector<AffineExpr> gone;
  for (nest::ForOp loop : loopsAround(block, space))
    if (run(loop))
      gone.push_back(space.of(loop.getInductionVar()));
  return elementsOf(access, block, dims, gone, {}, Renaming(), space);
}

static Footprint regionOf(Operation *root, Value buffer, bool write, bool must,
                          AffineSpace &space) {
  Footprint region;
  region.buffer = buffer;
  SmallVector<AffineExpr> shape = space.shapeOf(buffer);
  for (size_t i = 0; i < shape.size(); ++i)
    region.dims.push_back(space.fresh());
  auto run = [&](nest::ForOp loop) { return root->isProperAncestor(loop); };
  for (nest::BlockOp block : leavesIn(root))
    for (const Access &access : accessesOf(block)) {
      if (access.buffer != buffer || access.isWrite != write)
        continue;
      std::optional<Footprint::Piece> piece =
          pieceOf(access, block, region.dims, run, space);
      if (must) {
        if (piece && piece->exact)
          region.pieces.push_back(std::move(*piece));
        continue;
      }
      if (!piece) {
        // All of it.
        piece = Footprint::Piece{{}, false};
        for (auto [dim, size] : llvm::zip_equal(region.dims, shape)) {
          piece->constraints.push_back(dim);
          piece->constraints.push_back(size - 1 - dim);
        }
      }
      region.pieces.push_back(std::move(*piece));
    }
  return region;
}

Footprint analysis::mayTouch(Operation *root, Value buffer, bool write,
                             AffineSpace &space) {
  return regionOf(root, buffer, write, false, space);
}

Footprint analysis::mustWrite(Operation *root, Value buffer,
                              AffineSpace &space) {
  return regionOf(root, buffer, true, true, space);
}

//===----------------------------------------------------------------------===//
// Cover
//===----------------------------------------------------------------------===//

namespace {
/// Whether a set lies in the union of others: what is in it and not in the
/// first must be in the rest.
class CoverCheck {
public:
  explicit CoverCheck(ArrayRef<Footprint::Piece> pieces) : pieces(pieces) {}

  bool holds(const InstanceSet &set) { return holds(set, 0); }

private:
  static constexpr unsigned kMostQuestions = 400;

  bool holds(const InstanceSet &set, size_t first) {
    if (++questions > kMostQuestions)
      return false;
    InstanceSet asked = set;
    if (asked.isEmpty())
      return true;
    if (first == pieces.size())
      return false;
    InstanceSet inside = set;
    for (AffineExpr constraint : pieces[first].constraints) {
      InstanceSet outside = inside;
      outside.addNonNegative(outside.row(-constraint - 1, 0));
      if (!holds(outside, first + 1))
        return false;
      inside.addNonNegative(inside.row(constraint, 0));
    }
    return true;
  }

  ArrayRef<Footprint::Piece> pieces;
  unsigned questions = 0;
};
} // namespace

bool analysis::covers(const Footprint &must, const Footprint &may,
                      AffineSpace &space) {
  Renaming names;
  for (auto [mine, theirs] : llvm::zip_equal(must.dims, may.dims))
    names[mine] = theirs;
  SmallVector<Footprint::Piece> pieces;
  for (const Footprint::Piece &piece : must.pieces) {
    if (!piece.exact)
      continue;
    pieces.push_back(piece);
    for (AffineExpr &expr : pieces.back().constraints)
      expr = expr.replace(names);
  }
  for (const Footprint::Piece &piece : may.pieces) {
    InstanceSet set(space);
    for (AffineExpr expr : piece.constraints)
      set.addNonNegative(set.row(expr, 0));
    if (!CoverCheck(pieces).holds(set))
      return false;
  }
  return true;
}

bool analysis::isWrittenBefore(const Access &access, nest::BlockOp block,
                               nest::ForOp scope, AffineSpace &space) {
  SmallVector<AffineExpr> dims;
  for (size_t i = 0; i < access.indices.size(); ++i)
    dims.push_back(space.fresh());
  // The element is what the reader's iteration says.
  SmallVector<AffineExpr> element = elementOf(access, block, space);
  Renaming read;
  InstanceSet set(space);
  for (const Constraint &constraint : instancesOf(access, block, space)) {
    InstanceSet::Row row = set.row(constraint.expr, 0);
    if (constraint.equal)
      set.addZero(row);
    else
      set.addNonNegative(row);
  }
  for (auto [dim, index, size] :
       llvm::zip_equal(dims, element, space.shapeOf(access.buffer)))
    if (index) {
      read[dim] = index;
    } else {
      set.addNonNegative(set.row(dim, 0));
      set.addNonNegative(set.row(size - 1 - dim, 0));
    }

  SmallVector<Footprint::Piece> pieces;
  auto addPiece = [&](const Access &write, nest::BlockOp writer,
                      ArrayRef<AffineExpr> gone, ArrayRef<Constraint> extra,
                      const Renaming &names) {
    auto piece = elementsOf(write, writer, dims, gone, extra, names, space,
                            /*minimal=*/false);
    if (!piece || !piece->exact)
      return;
    for (AffineExpr &expr : piece->constraints)
      expr = expr.replace(read);
    pieces.push_back(std::move(*piece));
  };
  // Visits the writes with the loops inside the scope: those around both,
  // outermost first, and those around the writer only.
  auto forEachWrite = [&](auto visit) {
    for (nest::BlockOp writer : leavesIn(scope))
      for (const Access &write : accessesOf(writer)) {
        if (!write.isWrite || write.buffer != access.buffer ||
            write.conditional ||
            llvm::is_contained(write.indices, AffineExpr()))
          continue;
        SmallVector<AffineExpr> shared, own;
        for (nest::ForOp loop : loopsAround(writer, space))
          if (scope->isProperAncestor(loop))
            (loop->isAncestor(block) ? shared : own)
                .push_back(space.of(loop.getInductionVar()));
        visit(write, writer, shared, own);
      }
  };
  // In the same iteration of what they share: by their places. Most often that
  // is all, and the cheaper half.
  forEachWrite([&](const Access &write, nest::BlockOp writer,
                   ArrayRef<AffineExpr>, ArrayRef<AffineExpr> own) {
    if (writer == block ? write.inInit && !access.inInit
                        : isBefore(writer, block))
      addPiece(write, writer, own, {}, Renaming());
  });
  if (!pieces.empty() && CoverCheck(pieces).holds(set))
    return true;
  // In an earlier iteration of one of them, the innermost first.
  forEachWrite([&](const Access &write, nest::BlockOp writer,
                   ArrayRef<AffineExpr> shared, ArrayRef<AffineExpr> own) {
    for (size_t level = shared.size(); level-- > 0;) {
      Renaming names;
      SmallVector<AffineExpr> gone(own);
      for (AffineExpr var : shared.drop_front(level)) {
        names[var] = space.fresh();
        gone.push_back(names[var]);
      }
      Constraint earlier{shared[level] - names[shared[level]] - 1, false};
      addPiece(write, writer, gone, earlier, names);
    }
  });
  return CoverCheck(pieces).holds(set);
}

//===----------------------------------------------------------------------===//
// Hull
//===----------------------------------------------------------------------===//

SmallVector<AffineExpr> analysis::commonConstraints(const Footprint &region,
                                                    AffineSpace &space) {
  SmallVector<AffineExpr> result;
  if (region.pieces.size() == 1)
    return region.pieces.front().constraints;
  auto isImplied = [&](const Footprint::Piece &piece, AffineExpr expr) {
    if (llvm::is_contained(piece.constraints, expr))
      return true;
    InstanceSet set(space);
    for (AffineExpr constraint : piece.constraints)
      set.addNonNegative(set.row(constraint, 0));
    set.addNonNegative(set.row(-expr - 1, 0));
    return set.isEmpty();
  };
  for (const Footprint::Piece &from : region.pieces)
    for (AffineExpr expr : from.constraints)
      if (!llvm::is_contained(result, expr) &&
          llvm::all_of(region.pieces, [&](const Footprint::Piece &piece) {
            return isImplied(piece, expr);
          }))
        result.push_back(expr);
  if (region.pieces.size() > 1)
    dropImplied(result, space);
  return result;
}

std::optional<SmallVector<LoopBounds>> analysis::hull(const Footprint &region,
                                                      AffineSpace &space) {
  if (region.pieces.empty())
    return std::nullopt;
  SmallVector<LoopBounds> result;
  for (AffineExpr dim : region.dims) {
    // Each piece without the other dims, then what they have in common.
    Footprint line{region.buffer, {dim}, {}};
    SmallVector<AffineExpr> others;
    llvm::copy_if(region.dims, std::back_inserter(others),
                  [&](AffineExpr other) { return other != dim; });
    for (const Footprint::Piece &piece : region.pieces) {
      SmallVector<Constraint> given;
      for (AffineExpr expr : piece.constraints)
        given.push_back({expr, false});
      std::optional<Projection> left = analysis::project(given, others, space);
      if (!left)
        return std::nullopt;
      line.pieces.push_back({std::move(left->constraints), left->exact});
    }
    auto bounds = scan(commonConstraints(line, space), dim, space);
    if (!bounds)
      return std::nullopt;
    result.push_back(std::move(bounds->front()));
  }
  return result;
}

//===----------------------------------------------------------------------===//
// Footprint
//===----------------------------------------------------------------------===//

static bool relaxAll(nest::ForOp) { return true; }

/// The most values between the bounds, for any iteration outside.
static std::optional<int64_t> mostOf(const LoopBounds &bounds,
                                     AffineSpace &space) {
  std::optional<int64_t> best;
  for (AffineExpr lower : bounds.lowers)
    for (AffineExpr upper : bounds.uppers) {
      AffineExpr most = space.bounds(upper - lower, relaxAll).upper;
      std::optional<int64_t> value = AffineSpace::constantOf(most);
      if (value && (!best || *value < *best))
        best = std::max<int64_t>(*value, 0);
    }
  return best;
}

std::optional<int64_t> analysis::footprintBytes(Operation *root, Value buffer,
                                                AffineSpace &space) {
  std::optional<Box> reads = readBox(root, buffer, space),
                     writes = writeBox(root, buffer, space);
  if (!reads && !writes)
    return 0;
  Box box = !reads    ? *writes
            : !writes ? *reads
                      : unite(*reads, *writes, buffer, space);
  SmallVector<AffineExpr> shape = space.shapeOf(buffer);
  Type element = cast<MemRefType>(buffer.getType()).getElementType();
  uint64_t bytes = element.isIndex()
                       ? 8
                       : llvm::divideCeil(element.getIntOrFloatBitWidth(), 8);
  std::optional<SmallVector<LoopBounds>> exact;
  bool asked = false;
  for (auto [d, extent] : llvm::enumerate(box.extent)) {
    std::optional<int64_t> count = AffineSpace::constantOf(extent);
    // A box that is the whole dim may be so for want of a better one.
    if (extent == shape[d]) {
      if (!asked) {
        asked = true;
        Footprint all = mayTouch(root, buffer, false, space);
        Footprint written = mayTouch(root, buffer, true, space);
        for (Footprint::Piece &piece : written.pieces) {
          for (AffineExpr &expr : piece.constraints)
            for (auto [from, to] : llvm::zip_equal(written.dims, all.dims))
              expr = expr.replace(from, to);
          all.pieces.push_back(std::move(piece));
        }
        exact = hull(all, space);
      }
      if (exact)
        if (std::optional<int64_t> most = mostOf((*exact)[d], space))
          count = count ? std::min(*count, *most) : most;
    }
    if (!count)
      return std::nullopt;
    bytes = llvm::SaturatingMultiply(bytes, uint64_t(*count));
  }
  return std::min<uint64_t>(bytes, INT64_MAX);
}
