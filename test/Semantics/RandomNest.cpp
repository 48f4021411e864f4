// Kernels are a chain of blocks (an elementwise prologue, a contraction,
// convolution, gather, scan or elementwise core, elementwise epilogues) over
// static and dynamic extents.
#include "NestWriter.h"

#include "mlir/Parser/Parser.h"

using namespace mlir;
using namespace nestor;
using namespace nestor::semantics;

static std::vector<Iterator> spatialOver(const std::vector<Extent> &dims) {
  std::vector<Iterator> its;
  for (const Extent &dim : dims)
    its.push_back({dim, "spatial"});
  return its;
}

Buffer Writer::prologue(Buffer input) {
  Buffer result = temporary(input.type, input.dims);
  std::vector<std::string> at = iteratorNames(input.dims.size());
  block("pre" + std::to_string(values), spatialOver(input.dims), nullptr, [&] {
    std::string x = load(input, at);
    std::string two = number(input.type, 2);
    bool real = isFloatType(input.type);
    x = op(fmt::format("arith.{} {}, {} : {}", real ? "minimumf" : "minsi", x,
                       two, input.type));
    store(x, result, at);
  });
  return result;
}

/// sum or max over reduce iterators of products of operands; an elementwise
/// map when there are none.
Buffer Writer::contraction() {
  int spatial = static_cast<int>(random.in(1, 3));
  int reduce = static_cast<int>(random.in(0, 2));
  static constexpr int64_t kSmall[] = {17, 17, 17, 9, 5, 5};
  static constexpr int64_t kLarge[] = {300, 300, 90, 40, 14, 7};
  int64_t high = (style.large ? kLarge : kSmall)[spatial + reduce];
  std::vector<Iterator> its;
  for (int i = 0; i < spatial + reduce; ++i)
    its.push_back({randomExtent(high, i < spatial || style.kind >= 0),
                   i < spatial ? "spatial" : "reduce"});
  std::string acc = dataType == "i8" ? "i32" : dataType;

  struct Operand {
    Buffer buffer;
    std::vector<Index> indices;
  };
  std::vector<Operand> operands;
  int count = static_cast<int>(random.in(1, 2)) + (reduce ? 0 : 1);
  for (int o = 0; o < count; ++o) {
    Operand operand;
    std::vector<int> used;
    for (size_t i = 0; i < its.size(); ++i)
      if (random.chance(65) || (o == 0 && int(i) >= spatial))
        used.push_back(static_cast<int>(i));
    random.shuffle(used);
    for (size_t i = 0; i < used.size(); ++i) {
      Index index;
      index.first = used[i];
      // A window over nothing would have a negative extent.
      bool second = !mayBeEmpty && i + 1 < used.size() && random.chance(20);
      const Extent &e = its[used[i]].extent;
      if (second && (e.size < 0 || its[used[i + 1]].extent.size < 0 ||
                     e.size == its[used[i + 1]].extent.size)) {
        index.second = used[++i]; // a window
        index.scale = random.in(1, 2);
        index.scale2 = random.in(1, 2);
      } else if (e.size < 0 && random.chance(10)) {
        index.reverse = true;
      }
      if (random.chance(10))
        index.offset = random.in(1, 2);
      operand.indices.push_back(index);
    }
    std::vector<Extent> dims;
    for (const Index &index : operand.indices)
      dims.push_back(indexExtent(index, its));
    operand.buffer = argument(dataType, dims);
    if (random.chance(25) && !style.alone)
      operand.buffer = prologue(operand.buffer);
    operands.push_back(operand);
  }
  std::vector<int> permutation;
  for (int i = 0; i < spatial; ++i)
    permutation.push_back(i);
  if (random.chance(40))
    random.shuffle(permutation);
  std::vector<Extent> outDims;
  std::vector<std::string> at;
  for (int i : permutation) {
    outDims.push_back(its[i].extent);
    at.push_back("%v" + std::to_string(i));
  }
  Buffer out = temporary(acc, outDims);
  bool real = isFloatType(acc), max = random.chance(20);
  block(
      "core", its,
      [&] {
        std::string start = number(acc, max ? -100 : 0);
        store(start, out, at);
      },
      [&] {
        std::string value;
        for (const Operand &operand : operands) {
          std::vector<std::string> indices;
          for (const Index &index : operand.indices)
            indices.push_back(indexText(index, its));
          std::string x = convert(load(operand.buffer, indices), dataType, acc);
          value = value.empty() ? x
                  : reduce
                      ? op(fmt::format("arith.{} {}, {} : {}",
                                       real ? "mulf" : "muli", value, x, acc))
                      : combine(acc, value, x, false);
        }
        if (reduce != 0) {
          std::string old = load(out, at);
          value = op(fmt::format("arith.{} {}, {} : {}",
                                 max ? (real ? "maximumf" : "maxsi")
                                     : (real ? "addf" : "addi"),
                                 old, value, acc));
        }
        store(value, out, at);
      });
  return out;
}

/// out[i, j] = X[clamp(at[i]), j]
Buffer Writer::gather() {
  std::vector<Iterator> its = {{randomExtent(9), "spatial"},
                               {randomExtent(9), "spatial"}};
  int64_t rows = random.in(1, 6);
  Buffer at = argument("i64", {its[0].extent});
  Buffer table = argument(dataType, {{rows, 0, -1}, its[1].extent});
  Buffer out = temporary(dataType, {its[0].extent, its[1].extent});
  block("gather", its, nullptr, [&] {
    std::string n = load(at, {"%v0"});
    std::string i = op(fmt::format("arith.index_cast {} : i64 to index", n));
    std::string low = constantIndex(0), high = constantIndex(rows - 1);
    i = op(fmt::format("arith.maxsi {}, {} : index", i, low));
    i = op(fmt::format("arith.minsi {}, {} : index", i, high));
    store(load(table, {i, "%v1"}), out, {"%v0", "%v1"});
  });
  return out;
}

/// out[i, t] = X[i, t] + (t > 0 ? out[i, t - 1] : 0)
Buffer Writer::scan() {
  std::vector<Iterator> its = {{randomExtent(9), "spatial"},
                               {randomExtent(9), "ordered"}};
  Buffer x = argument(dataType, {its[0].extent, its[1].extent});
  Buffer out = temporary(dataType, x.dims);
  block("scan", its, nullptr, [&] {
    std::string a = load(x, {"%v0", "%v1"});
    std::string zero = constantIndex(0), one = constantIndex(1);
    std::string first = op("arith.cmpi eq, %v1, " + zero + " : index");
    std::string name = fresh();
    line(fmt::format("{} = scf.if {} -> {} {{", name, first, dataType));
    line(fmt::format("  scf.yield {} : {}", a, dataType));
    line("} else {");
    ++depth;
    std::string before = op(fmt::format("arith.subi %v1, {} : index", one));
    std::string b = load(out, {"%v0", before});
    std::string s = op(fmt::format("arith.{} {}, {} : {}",
                                   isFloatType(dataType) ? "addf" : "addi", a,
                                   b, dataType));
    line(fmt::format("scf.yield {} : {}", s, dataType));
    --depth;
    line("}");
    store(name, out, {"%v0", "%v1"});
  });
  return out;
}

/// Like softmax: m = max_j x, d = x - m, s = sum_j d * d, out = d - s.
Buffer Writer::rows() {
  std::vector<Iterator> its = {
      {randomExtent(style.large ? 40 : 9), "spatial"},
      {randomExtent(style.large ? 90 : 9, false), "reduce"}};
  std::vector<Iterator> map = {its[0], {its[1].extent, "spatial"}};
  std::string type = dataType == "i8" ? "i32" : dataType;
  bool real = isFloatType(type);
  Buffer x = argument(type, {its[0].extent, its[1].extent});
  Buffer max = temporary(type, {its[0].extent});
  auto fold = [&](const std::string &name, const Buffer &from, const Buffer &to,
                  int64_t start, const char *combineName, bool square) {
    block(
        name, its, [&] { store(number(type, start), to, {"%v0"}); },
        [&] {
          std::string a = load(from, {"%v0", "%v1"});
          if (square)
            a = op(fmt::format("arith.{} {}, {} : {}", real ? "mulf" : "muli",
                               a, a, type));
          std::string b = load(to, {"%v0"});
          store(
              op(fmt::format("arith.{} {}, {} : {}", combineName, b, a, type)),
              to, {"%v0"});
        });
  };
  auto subtract = [&](const std::string &name, const Buffer &a, const Buffer &b,
                      const Buffer &to) {
    block(name, map, nullptr, [&] {
      std::string p = load(a, {"%v0", "%v1"}), q = load(b, {"%v0"});
      store(op(fmt::format("arith.{} {}, {} : {}", real ? "subf" : "subi", p, q,
                           type)),
            to, {"%v0", "%v1"});
    });
  };
  fold("max", x, max, -100, real ? "maximumf" : "maxsi", false);
  Buffer d = temporary(type, x.dims);
  subtract("shift", x, max, d);
  Buffer sum = temporary(type, {its[0].extent});
  fold("sum", d, sum, 0, real ? "addf" : "addi", true);
  Buffer out = temporary(type, x.dims);
  subtract("scale", d, sum, out);
  return out;
}

Buffer Writer::epilogue(Buffer input) {
  std::string type = input.type;
  if (random.chance(10))
    type = isFloatType(type) ? "i32" : "f32";
  bool compare = random.chance(8);
  Buffer out = temporary(compare ? "i1" : type, input.dims);
  std::vector<std::string> at = iteratorNames(input.dims.size());
  bool bias = random.chance(40) && !input.dims.empty();
  Buffer extra;
  if (bias)
    extra =
        argument(input.type == "i1" ? "i32" : input.type, {input.dims.back()});
  block("epi" + std::to_string(values), spatialOver(input.dims), nullptr, [&] {
    std::string x = load(input, at), xType = input.type;
    if (xType == "i1") {
      x = convert(x, "i1", "i32");
      xType = "i32";
    }
    if (bias)
      x = combine(xType, x, load(extra, {at.back()}), false);
    else
      x = unary(xType, x);
    if (compare) {
      std::string zero = number(xType, 0);
      x = op(fmt::format("arith.{}, {}, {} : {}",
                         isFloatType(xType) ? "cmpf oge" : "cmpi sge", x, zero,
                         xType));
    } else {
      x = convert(x, xType, type == "i1" ? "i32" : type);
      if (type == "i1")
        x = op("arith.trunci " + x + " : i32 to i1");
    }
    store(x, out, at);
  });
  return out;
}

void Writer::write(Problem &problem, MLIRContext &context) {
  static const char *types[] = {"f32", "f32", "f32", "f32", "i32",
                                "i8",  "f64", "i64", "f16", "bf16"};
  dataType = types[random.in(0, 9)];
  if (style.kind >= 0 && random.chance(10))
    dataType = "i16";
  mayBeEmpty =
      random.chance(5) && (style.kind < 0 || kinds()[style.kind].mayBeEmpty);
  // Loops beside each other, with nothing between them, can be merged.
  allocsFirst = style.kind >= 0 && random.chance(50);
  Buffer last;
  // Long sums are not exact in 16 bits.
  if (style.large && isFloatType(dataType) &&
      dataType.find("16") != dataType.npos)
    dataType = "f32";
  int64_t after = 2;
  if (style.kind >= 0) {
    const NestKind &kind = kinds()[style.kind];
    last = (this->*kind.core)();
    after = style.alone ? 0 : kind.epilogues;
    problem.tolerance = kind.tolerance;
  } else {
    int64_t core = random.in(0, 11);
    last = core <= 7   ? contraction()
           : core == 8 ? gather()
           : core == 9 ? scan()
                       : rows();
  }
  // Nobody may read what a reduction over nothing leaves unwritten.
  if (mayBeEmpty && style.kind == 0)
    after = 0;
  for (int64_t n = random.in(0, after); n > 0; --n)
    last = epilogue(last);
  body = allocs + body;
  // The last temporaries become the outputs.
  outputs.push_back(last);
  for (const Buffer &output : outputs) {
    std::string definition = output.name + " = nest.alloc ";
    size_t from = body.rfind('\n', body.find(definition)) + 1;
    body.erase(from, body.find('\n', from) - from + 1);
  }
  std::vector<Buffer> all = inputs;
  all.insert(all.end(), outputs.begin(), outputs.end());
  std::vector<std::string> args, shapes, symbols;
  for (size_t i = 0; i < sizes.size(); ++i)
    symbols.push_back("s" + std::to_string(i));
  for (const Buffer &buffer : all) {
    args.push_back(buffer.name + ": " + buffer.memref());
    std::vector<std::string> dims;
    for (const Extent &dim : buffer.dims)
      dims.push_back(dim.inMap());
    shapes.push_back(fmt::format("affine_map<()[{}] -> ({})>",
                                 fmt::join(symbols, ", "),
                                 fmt::join(dims, ", ")));
  }
  for (size_t i = 0; i < sizes.size(); ++i) {
    bool facts = style.kind >= 0 && random.chance(40);
    args.push_back(fmt::format("%n{}: index", i));
    if (facts)
      args.back() += fmt::format(
          " {{nest.min = {} : i64, nest.max = {} : i64}}",
          std::min<int64_t>(1, sizes[i]), sizes[i] + random.in(0, 30));
  }
  problem.text =
      fmt::format(
          "nest.func @kernel({})\n    attributes {{shapes = [{}]}} {{\n",
          fmt::join(args, ", "), fmt::join(shapes, ", ")) +
      body + "}\n";
  problem.module = parseSourceString<ModuleOp>(problem.text, &context);
  if (!problem.module)
    return;
  problem.kernel = *problem.module->getOps<nest::FuncOp>().begin();
  problem.sizes.assign(sizes.begin(), sizes.end());
  problem.writes = static_cast<unsigned>(outputs.size());
  auto types_ = problem.kernel.getArgumentTypes();
  // 16-bit floats hold few whole numbers: keep them tiny.
  int64_t range = dataType == "f16" || dataType == "bf16" ? 1 : 3;
  for (size_t i = 0; i < all.size(); ++i) {
    SmallVector<int64_t> dims;
    for (const Extent &dim : all[i].dims)
      dims.push_back(std::max<int64_t>(0, dim.value(sizes)));
    Type element = cast<MemRefType>(types_[i]).getElementType();
    problem.buffers.push_back(
        i < inputs.size() ? randomTensor(element, dims, random.in(0, 1 << 30),
                                         -range, range, true)
                          : HostTensor::undefined(element, dims));
  }
}

Problem nestor::randomProblem(MLIRContext &context, uint64_t seed,
                              NestStyle style) {
  Problem problem;
  Writer(seed, style).write(problem, context);
  for (const std::string &name : style.without)
    if (problem.module && !dropBlock(problem, name, seed))
      problem.module = nullptr;
  return problem;
}
