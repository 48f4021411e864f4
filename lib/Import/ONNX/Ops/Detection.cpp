//===- Detection.cpp - NonMaxSuppression and RoiAlign ---------------------===//
//
// Ordered loops: NonMaxSuppression picks boxes greedily and the number of
// picks becomes a size; RoiAlign samples a grid in each bin of each region.
//
//===----------------------------------------------------------------------===//
#include "GridSample.h"

using namespace mlir;
using namespace nestor;
using namespace nestor::onnx;

/// The scalar of an input tensor of one element, or a default, in the body.
static Value scalarOr(Code &c, Value memref, int64_t rank, Value fallback) {
  if (!memref)
    return fallback;
  return c.load(memref, SmallVector<Value>(rank, c.index(0)));
}

namespace nestor::onnx {

void importNonMaxSuppression(NodeContext &n, TensorBuilder &t) {
  Array boxes = n.input(0), scores = n.input(1), most = n.optional(2),
        overlap = n.optional(3), least = n.optional(4);
  bool centered = n.integer("center_point_box", 0);
  if (n.failed())
    return;
  DimMath &d = t.dims;
  if (boxes.rank() != 3 || scores.rank() != 3 ||
      boxes.type != DataType::Float || scores.type != DataType::Float)
    return n.malformed("boxes and scores must be float32 of rank 3");
  for (const Array &parameter : {overlap, least})
    if (parameter && (parameter.rank() > 1 || parameter.type != boxes.type))
      return n.malformed("the thresholds must be float32 scalars");
  t.require(boxes.dims[0], scores.dims[0], "the batch sizes differ");
  t.require(boxes.dims[1], scores.dims[2], "the numbers of boxes differ");
  t.require(boxes.dims[2], d.constant(4), "a box must have four numbers");
  Dim limit = d.constant(0);
  if (most) {
    auto elements = t.elements(most, "the number of boxes");
    if (!elements)
      return;
    if (elements->size() != 1)
      return n.malformed("the number of boxes must be one number");
    limit = d.max((*elements)[0], d.constant(0));
  }
  if (n.failed())
    return;
  Dim count = boxes.dims[1];
  limit = d.min(limit, count);
  Dim room = d.mul(d.mul(scores.dims[0], scores.dims[1]), limit);
  Dim one = d.constant(1);
  DataType i64 = DataType::Int64;
  SmallVector<Array> ins = {boxes, scores};
  for (const Array &parameter : {overlap, least})
    if (parameter)
      ins.push_back(parameter);
  Value boxCount = d.toValue(count), quota = d.toValue(limit);
  // Picks, which boxes are out of the race, how many picks there are.
  SmallVector<Array> outs = {t.undefined(i64, {room, d.constant(3)}),
                             t.fill(DataType::Bool, {count}, 0),
                             t.fill(i64, {one}, 0)};
  auto made = t.loops(
      ins, outs, {scores.dims[0], scores.dims[1]}, {2, 2},
      [&](Code &c, ValueRange loops, ValueRange in, ValueRange out) {
        Value batch = loops[0], zero = c.index(0);
        Type real = c.b.getF32Type(), whole = c.b.getI64Type();
        unsigned next = 2;
        Value highOverlap =
            scalarOr(c, overlap ? in[next++] : Value(),
                     overlap ? overlap.rank() : 0, c.real(0, real));
        Value lowScore =
            least ? scalarOr(c, in[next], least.rank(), Value()) : Value();
        auto corners = [&](Code &c, Value box) {
          SmallVector<Value> v;
          for (int64_t i = 0; i < 4; ++i)
            v.push_back(c.load(in[0], {batch, box, c.index(i)}));
          if (centered) { // x, y, width, height
            Value half = c.real(0.5, real);
            Value w = c.mul(v[2], half), h = c.mul(v[3], half);
            return SmallVector<Value>{c.sub(v[1], h), c.sub(v[0], w),
                                      c.add(v[1], h), c.add(v[0], w)};
          }
          return SmallVector<Value>{c.min(v[0], v[2]), c.min(v[1], v[3]),
                                    c.max(v[0], v[2]), c.max(v[1], v[3])};
        };
        c.loop(zero, boxCount, {},
               [&](Code &c, Value i, ValueRange) -> SmallVector<Value> {
                 c.store(c.boolean(false), out[1], {i});
                 return {};
               });
        Value begin = c.toIndex(c.load(out[2], {zero}));
        c.loop(zero, boxCount, {},
               [&](Code &c, Value, ValueRange) -> SmallVector<Value> {
                 Value picked = c.toIndex(c.load(out[2], {c.index(0)}));
                 Value open = c.lt(c.sub(picked, begin), quota);
                 c.when(open, [&](Code &c) {
                   // The best box still in the race.
                   auto best = c.loop(
                       c.index(0), boxCount, {c.real(0, real), c.index(-1)},
                       [&](Code &c, Value j, ValueRange so) {
                         Value s = c.load(in[1], {batch, loops[1], j});
                         Value fine = c.negate(c.load(out[1], {j}));
                         if (lowScore)
                           fine = c.conj(fine, c.gt(s, lowScore));
                         Value better =
                             c.disj(c.lt(so[1], c.index(0)), c.gt(s, so[0]));
                         Value take = c.conj(fine, better);
                         return SmallVector<Value>{c.select(take, s, so[0]),
                                                   c.select(take, j, so[1])};
                       });
                   c.when(c.ge(best[1], c.index(0)), [&](Code &c) {
                     c.store(c.boolean(true), out[1], {best[1]});
                     auto mine = corners(c, best[1]);
                     Value kept = c.loop(
                         begin, picked, {c.boolean(true)},
                         [&](Code &c, Value p, ValueRange so) {
                           Value other =
                               c.toIndex(c.load(out[0], {p, c.index(2)}));
                           auto theirs =
                               corners(c, c.wrapIndex(other, boxCount));
                           Value none = c.real(0, real);
                           auto area = [&](llvm::ArrayRef<Value> v) {
                             return c.mul(c.sub(v[2], v[0]), c.sub(v[3], v[1]));
                           };
                           Value high = c.sub(c.min(mine[2], theirs[2]),
                                              c.max(mine[0], theirs[0]));
                           Value wide = c.sub(c.min(mine[3], theirs[3]),
                                              c.max(mine[1], theirs[1]));
                           Value common =
                               c.mul(c.max(high, none), c.max(wide, none));
                           Value all =
                               c.sub(c.add(area(mine), area(theirs)), common);
                           Value over =
                               c.conj(c.gt(all, none),
                                      c.gt(c.div(common, all), highOverlap));
                           return SmallVector<Value>{
                               c.conj(so[0], c.negate(over))};
                         })[0];
                     c.when(kept, [&](Code &c) {
                       Value fields[] = {batch, loops[1], best[1]};
                       for (int64_t i = 0; i < 3; ++i)
                         c.store(c.fromIndex(fields[i], whole), out[0],
                                 {picked, c.index(i)});
                       c.store(c.fromIndex(c.add(picked, c.index(1)), whole),
                               out[2], {c.index(0)});
                     });
                   });
                 });
                 return {};
               });
      });
  if (n.failed())
    return;
  Code c(t.builder, t.loc);
  Value total = c.toIndex(c.extract(t.value(made[2]), {c.index(0)}));
  d.setNonNegative(total);
  Dim zero = d.constant(0);
  n.set(0, t.slice(made[0], {zero, zero}, {one, one},
                   {Dim(total), d.constant(3)}));
}

void importRoiAlign(NodeContext &n, TensorBuilder &t) {
  Array x = n.input(0), rois = n.input(1), batches = n.input(2);
  int64_t height = n.integer("output_height", 1),
          width = n.integer("output_width", 1),
          ratio = n.integer("sampling_ratio", 0);
  double scale = n.real("spatial_scale", 1);
  llvm::StringRef mode = n.string("mode", "avg");
  bool halfPixel =
      n.version() >= 16 &&
      n.string("coordinate_transformation_mode", "half_pixel") == "half_pixel";
  if (n.failed())
    return;
  if (x.rank() != 4 || rois.rank() != 2 || batches.rank() != 1 ||
      rois.type != x.type || !isFloat(x.type) || !isInteger(batches.type) ||
      height < 1 || width < 1 || height > 65536 || width > 65536 || ratio < 0 ||
      ratio > 65536 || (mode != "avg" && mode != "max"))
    return n.malformed("the inputs or the attributes have the wrong form");
  DimMath &d = t.dims;
  t.require(rois.dims[1], d.constant(4), "a region must have four numbers");
  t.require(rois.dims[0], batches.dims[0],
            "there must be one batch number a region");
  Dims shape = {rois.dims[0], x.dims[1], d.constant(height), d.constant(width)};
  SmallVector<Value> extents = d.toValues(x.dims);
  Type type = computeType(t.builder.getContext(), x.type);
  bool average = mode == "avg";
  n.set(
      0,
      t.loops(
          {x, rois, batches}, {t.undefined(x.type, shape)}, shape, {0, 0, 0, 0},
          [&](Code &c, ValueRange loops, ValueRange in, ValueRange out) {
            auto number = [&](double v) { return c.real(v, type); };
            Value batch =
                c.wrapIndex(c.toIndex(c.load(in[2], {loops[0]})), extents[0]);
            // Of rows (0) and columns (1): where bins begin, their size and
            // samples.
            Value start[2], size[2], samples[2];
            for (int axis = 0; axis < 2; ++axis) {
              auto bound = [&](int64_t i) {
                Value v = c.widen(c.load(in[1], {loops[0], c.index(i)}));
                return c.sub(c.mul(v, number(scale)),
                             number(halfPixel ? 0.5 : 0));
              };
              Value low = bound(axis ? 0 : 1), high = bound(axis ? 2 : 3);
              Value span = c.sub(high, low);
              if (!halfPixel)
                span = c.max(span, number(1));
              size[axis] = c.div(span, number(axis ? width : height));
              samples[axis] = ratio ? c.index(ratio)
                                    : c.max(boundedIndex(c, c.ceil(size[axis])),
                                            c.index(0));
              Value bin = c.fromIndex(loops[2 + axis], type);
              start[axis] = c.add(low, c.mul(bin, size[axis]));
            }
            auto place = [&](Code &c, int axis, Value i) {
              Value at = c.add(c.fromIndex(i, type), c.real(0.5, type));
              Value count = c.fromIndex(samples[axis], type);
              return c.add(start[axis], c.div(c.mul(at, size[axis]), count));
            };
            auto first = c.loop(
                c.index(0), samples[0], {c.real(0, type), c.boolean(false)},
                [&](Code &c, Value iy, ValueRange outer) {
                  Value y = place(c, 0, iy);
                  return c.loop(
                      c.index(0), samples[1], outer,
                      [&](Code &c, Value ix, ValueRange so) {
                        Value p[2] = {y, place(c, 1, ix)};
                        Value outside = c.boolean(false);
                        SmallVector<Value> low, high, fraction;
                        for (int axis = 0; axis < 2; ++axis) {
                          Value extent = extents[2 + axis];
                          Value length = c.fromIndex(extent, type);
                          outside = c.disj(
                              outside, c.disj(c.lt(p[axis], c.real(-1, type)),
                                              c.gt(p[axis], length)));
                          Value at = c.max(p[axis], c.real(0, type));
                          at = c.min(at, c.sub(length, c.real(1, type)));
                          Value base = c.floor(at);
                          Value index =
                              clampIndex(c, boundedIndex(c, base), extent);
                          low.push_back(index);
                          high.push_back(
                              clampIndex(c, c.add(index, c.index(1)), extent));
                          fraction.push_back(c.sub(at, base));
                        }
                        Value sum;
                        for (int corner = 0; corner < 4; ++corner) {
                          bool down = corner / 2, right = corner % 2;
                          Value one = c.real(1, type);
                          Value w = c.mul(
                              down ? fraction[0] : c.sub(one, fraction[0]),
                              right ? fraction[1] : c.sub(one, fraction[1]));
                          Value element = c.widen(c.load(
                              in[0], {batch, loops[1], down ? high[0] : low[0],
                                      right ? high[1] : low[1]}));
                          Value term = c.mul(w, element);
                          sum = !sum      ? term
                                : average ? c.add(sum, term)
                                          : c.max(sum, term);
                        }
                        sum = c.select(outside, c.real(0, type), sum);
                        Value next =
                            average ? c.add(so[0], sum)
                                    : c.select(so[1], c.max(so[0], sum), sum);
                        return SmallVector<Value>{next, c.boolean(true)};
                      });
                });
            Value result = first[0];
            if (average) {
              Value count = c.max(c.mul(samples[0], samples[1]), c.index(1));
              result = c.div(result, c.fromIndex(count, type));
            }
            c.store(c.narrow(result, storageType(c.b.getContext(), x.type)),
                    out[0], loops);
          })[0]);
}

} // namespace nestor::onnx
