//===- Elementwise.cpp - Broadcasting -------------------------------------===//
//
// ONNX (numpy) broadcasting. A dim of 1 is read through a constant 0 in the
// indexing map; equal dims through the loop; a dim that may turn out to be 1 at
// run time through an index chosen there. Two computed sizes (a convolution's
// rows and a resize's rows, say) are taken to be equal, checked at run time.
//
//===----------------------------------------------------------------------===//
#include "nestor/Import/ONNX/TensorBuilder.h"

using namespace mlir;
using namespace nestor;
using namespace nestor::onnx;

/// One dim of the broadcast of two.
static Dim broadcastPair(TensorBuilder &t, Dim a, Dim b) {
  DimMath &dims = t.dims;
  if (DimMath::isOne(a))
    return b;
  if (DimMath::isOne(b) || dims.equal(a, b))
    return DimMath::value(b) && !DimMath::isOne(b) ? b : a;
  auto na = DimMath::value(a), nb = DimMath::value(b);
  if (na && nb) {
    t.malformed("dims " + llvm::Twine(*na) + " and " + llvm::Twine(*nb) +
                " do not broadcast");
    return a;
  }
  bool aOne = !na && dims.mayBeOne(a), bOne = !nb && dims.mayBeOne(b);
  if (!aOne && !bOne) {
    t.require(a, b, "sizes differ and do not broadcast");
    return na ? a : b;
  }
  using P = arith::CmpIPredicate;
  Dim fine = dims.compare(P::eq, a, b);
  if (aOne)
    fine = dims.max(fine, dims.compare(P::eq, a, dims.constant(1)));
  if (bOne)
    fine = dims.max(fine, dims.compare(P::eq, b, dims.constant(1)));
  Value bit = arith::CmpIOp::create(t.builder, t.loc, P::ne, dims.toValue(fine),
                                    dims.toValue(dims.constant(0)));
  t.check(bit, "sizes differ and do not broadcast");
  if (!aOne)
    return a;
  if (!bOne)
    return b;
  return dims.select(dims.compare(P::eq, a, dims.constant(1)), b, a);
}

std::optional<Dims> TensorBuilder::broadcast(llvm::ArrayRef<Dims> shapes) {
  if (failed())
    return std::nullopt;
  size_t rank = 0;
  for (const Dims &shape : shapes)
    rank = std::max(rank, shape.size());
  Dims result(rank, dims.constant(1));
  for (const Dims &shape : shapes) {
    size_t offset = rank - shape.size();
    for (size_t i = 0; i < shape.size(); ++i)
      result[offset + i] = broadcastPair(*this, result[offset + i], shape[i]);
  }
  if (failed())
    return std::nullopt;
  return result;
}

TensorBuilder::Relation TensorBuilder::relation(Dim in, Dim out) {
  if (dims.equal(in, out))
    return Relation::Same;
  if (DimMath::isOne(in))
    return Relation::One;
  if (DimMath::value(in) || !dims.mayBeOne(in)) {
    require(in, out, "sizes differ and do not broadcast");
    return Relation::Same;
  }
  return Relation::MaybeOne;
}

Array TensorBuilder::elementwise(DataType out, llvm::ArrayRef<Array> ins,
                                 ElementFn body) {
  SmallVector<Dims> shapes;
  for (const Array &in : ins) {
    if (!in)
      return {};
    shapes.push_back(in.dims);
  }
  auto shape = broadcast(shapes);
  if (!shape)
    return {};
  return elementwiseTo(out, *shape, ins, body);
}

Array TensorBuilder::elementwiseTo(DataType out, llvm::ArrayRef<Dim> shape,
                                   llvm::ArrayRef<Array> ins, ElementFn body) {
  if (failed())
    return {};
  size_t rank = shape.size();
  SmallVector<Operand> operands;
  // How the body gets input i.
  struct Source {
    enum Kind { Argument, Number, Size, Extract } kind;
    unsigned argument = 0;
    Dim element;
    Value tensor;
    SmallVector<std::pair<Relation, unsigned>> dims;
    SmallVector<Value> ones;
    Type compute;
  };
  SmallVector<Source> sources;
  for (const Array &in : ins) {
    if (!in)
      return {};
    if (size_t(in.rank()) > rank)
      return malformed("a tensor of rank " + llvm::Twine(in.rank()) +
                       " does not broadcast to rank " + llvm::Twine(rank));
    Source source{Source::Argument, 0, {}, {}, {}, {}, {}};
    source.compute = computeType(builder.getContext(), in.type);
    size_t offset = rank - in.rank();
    if (in.known && in.known->size() == 1) {
      source.kind =
          isa<mlir::Attribute>((*in.known)[0]) ? Source::Number : Source::Size;
      source.element = (*in.known)[0];
      sources.push_back(source);
      continue;
    }
    SmallVector<AffineExpr> exprs;
    bool maybe = false;
    for (int64_t i = 0; i < in.rank(); ++i) {
      Relation r = relation(in.dims[i], shape[offset + i]);
      source.dims.push_back({r, unsigned(offset + i)});
      maybe |= r == Relation::MaybeOne;
      exprs.push_back(r == Relation::One ? c(0) : d(offset + i));
    }
    if (failed())
      return {};
    Array array = in;
    if (maybe) {
      source.kind = Source::Extract;
      source.tensor = value(array);
      for (int64_t i = 0; i < in.rank(); ++i)
        source.ones.push_back(source.dims[i].first == Relation::MaybeOne
                                  ? dims.toValue(in.dims[i])
                                  : Value());
    } else {
      source.argument = operands.size();
      operands.push_back({array, map(rank, exprs)});
    }
    sources.push_back(source);
  }
  return generic(out, shape, operands, [&](Code &code, ValueRange args) {
    SmallVector<Value> values;
    for (Source &source : sources)
      switch (source.kind) {
      case Source::Argument:
        values.push_back(args[source.argument]);
        break;
      case Source::Number: {
        if (auto real = DimMath::real(source.element))
          values.push_back(code.real(*real, source.compute));
        else
          values.push_back(
              code.integer(*DimMath::value(source.element), source.compute));
        break;
      }
      case Source::Size:
        values.push_back(
            code.fromIndex(cast<Value>(source.element), source.compute));
        break;
      case Source::Extract: {
        SmallVector<Value> indices;
        for (auto [i, dim] : llvm::enumerate(source.dims)) {
          Value loop = dim.first == Relation::One ? code.index(0)
                                                  : code.loop(dim.second);
          if (dim.first == Relation::MaybeOne)
            loop = code.select(code.eq(source.ones[i], code.index(1)),
                               code.index(0), loop);
          indices.push_back(loop);
        }
        values.push_back(code.widen(code.extract(source.tensor, indices)));
        break;
      }
      }
    return body(code, values);
  });
}

Array TensorBuilder::broadcastTo(Array array, llvm::ArrayRef<Dim> shape) {
  if (!array)
    return {};
  bool same = array.dims.size() == shape.size();
  for (size_t i = 0; same && i < shape.size(); ++i)
    same = dims.equal(array.dims[i], shape[i]);
  if (same)
    return array;
  // Small known contents stay known.
  auto sizes = DimMath::values(shape);
  auto from = DimMath::values(array.dims);
  if (array.known && sizes && from && from->size() <= sizes->size()) {
    int64_t count = 1;
    for (int64_t size : *sizes)
      count = std::min<int64_t>(count * size, kKnownLimit + 1);
    if (count <= kKnownLimit) {
      Dims elements;
      size_t offset = sizes->size() - from->size();
      for (int64_t i = 0; i < count; ++i) {
        int64_t rest = i, stride = 1, linear = 0;
        for (int64_t k = int64_t(sizes->size()) - 1; k >= 0; --k) {
          int64_t index = rest % (*sizes)[k];
          rest /= (*sizes)[k];
          if (k < int64_t(offset))
            continue;
          int64_t size = (*from)[k - offset];
          if (size != 1 && size != (*sizes)[k])
            return malformed("dims " + llvm::Twine(size) + " and " +
                             llvm::Twine((*sizes)[k]) + " do not broadcast");
          linear += size == 1 ? 0 : index * stride;
          stride *= size;
        }
        elements.push_back((*array.known)[linear]);
      }
      return known(array.type, shape, elements);
    }
  }
  return elementwiseTo(array.type, shape, {array},
                       [](Code &, ValueRange v) { return v[0]; });
}

Array TensorBuilder::convert(Array array, DataType to) {
  if (!array || array.type == to)
    return array;
  if (!storageType(builder.getContext(), to))
    return unsupported("casts to " + dataTypeName(to));
  if (array.known) {
    Dims elements;
    for (Dim element : *array.known) {
      auto n = DimMath::value(element);
      auto real = DimMath::real(element);
      if (n && isFloat(to))
        elements.push_back(Dim(builder.getF64FloatAttr(double(*n))));
      else if (n && to == DataType::Bool)
        elements.push_back(dims.constant(*n != 0));
      else if (to == DataType::Int64 && !real)
        elements.push_back(element);
      else if (n && to == DataType::Int32 && *n == int32_t(*n))
        elements.push_back(element);
      else if (!real && !n && to == DataType::Int32)
        elements.push_back(element);
      else if (real && to == DataType::Int64 && std::abs(*real) < 1e15)
        elements.push_back(dims.constant(int64_t(*real)));
      else if (real &&
               (to == DataType::Double ||
                (to == DataType::Float && double(float(*real)) == *real)))
        elements.push_back(element);
      else
        break;
    }
    if (elements.size() == array.known->size())
      return known(to, array.dims, elements);
  }
  DataType from = array.type;
  return elementwise(to, {array}, [&](Code &code, ValueRange v) {
    return code.cast(v[0], from, to);
  });
}

Array TensorBuilder::add(Array a, Array b) {
  return elementwise(a.type, {a, b}, [](Code &code, ValueRange v) {
    return code.add(v[0], v[1]);
  });
}
Array TensorBuilder::sub(Array a, Array b) {
  return elementwise(a.type, {a, b}, [](Code &code, ValueRange v) {
    return code.sub(v[0], v[1]);
  });
}
Array TensorBuilder::mul(Array a, Array b) {
  return elementwise(a.type, {a, b}, [](Code &code, ValueRange v) {
    return code.mul(v[0], v[1]);
  });
}
Array TensorBuilder::div(Array a, Array b) {
  return elementwise(a.type, {a, b}, [](Code &code, ValueRange v) {
    return code.div(v[0], v[1]);
  });
}
