//===- Compile.cpp - From operations to code ------------------------------===//
//
// Numbers the values of a function and turns each operation into an Inst by the
// tables of the other files. An operation without an entry is an error before
// anything runs.
//
//===----------------------------------------------------------------------===//
#include "Code.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/Interfaces/FunctionInterfaces.h"

using namespace mlir;
using namespace nestor;
using namespace nestor::interp;
using llvm::Error;
using llvm::Expected;
using llvm::Twine;

static const Table &table() {
  static const Table *all = [] {
    auto *t = new Table();
    addArith(*t);
    addMath(*t);
    addControl(*t);
    addTensor(*t);
    addTensorShapes(*t);
    addModel(*t);
    addStructured(*t);
    addMemRef(*t);
    addNest(*t);
    addHost(*t);
    return t;
  }();
  return *all;
}

std::string interp::whereText(Operation *op) {
  std::string text;
  llvm::raw_string_ostream os(text);
  op->getLoc()->walk([&](Location loc) {
    if (auto file = dyn_cast<FileLineColLoc>(loc)) {
      os << " at " << file.getFilename().getValue() << ':' << file.getLine();
      return WalkResult::interrupt();
    }
    if (auto name = dyn_cast<NameLoc>(loc)) {
      os << " of '" << name.getName().getValue() << '\'';
      return WalkResult::interrupt();
    }
    return WalkResult::advance();
  });
  return text;
}

Error Compiler::unsupported(Operation *op, const Twine &why) {
  return makeError(ErrorKind::Unsupported,
                   "interp: " + op->getName().getStringRef() + whereText(op) +
                       ": " + why);
}

uint32_t Compiler::newCell() {
  function.image.emplace_back();
  return function.image.size() - 1;
}

uint32_t Compiler::cell(Value value) {
  auto [it, inserted] = numbers.try_emplace(value, 0);
  if (inserted)
    it->second = newCell();
  return it->second;
}

ArrayRef<uint32_t> Compiler::list(ArrayRef<uint32_t> values) {
  return values.copy(function.lists);
}

ArrayRef<uint32_t> Compiler::cells(ValueRange values) {
  SmallVector<uint32_t> result;
  for (Value value : values)
    result.push_back(cell(value));
  return list(result);
}

/// A constant's value goes into the image: it costs nothing at run time.
static Error placeConstant(Compiler &compiler, arith::ConstantOp op) {
  Cell cell;
  TypedAttr attr = op.getValue();
  if (auto shaped = dyn_cast<ShapedType>(attr.getType())) {
    auto dense = dyn_cast<DenseElementsAttr>(attr);
    std::optional<Kind> kind = kindOf(shaped.getElementType());
    if (!dense || !kind)
      return Compiler::unsupported(op, "this constant is unknown here");
    auto view = std::make_shared<View>();
    view->kind = *kind;
    view->dims.assign(shaped.getShape().begin(), shaped.getShape().end());
    view->readOnly = true;
    std::vector<uint8_t> bytes(view->numBytes());
    int64_t i = 0;
    auto put = [&](uint64_t bits) {
      std::memcpy(bytes.data() + i++ * sizeOf(*kind), &bits, sizeOf(*kind));
    };
    if (isFloat(*kind)) {
      for (const APFloat &value : dense.getValues<APFloat>())
        put(value.bitcastToAPInt().getZExtValue());
    } else {
      for (const APInt &value : dense.getValues<APInt>())
        put(value.getZExtValue());
    }
    view->storage = Storage::copyOf(bytes);
    cell.view = view;
  } else if (std::optional<Kind> kind = kindOf(attr.getType())) {
    uint64_t raw = 0;
    if (auto value = dyn_cast<FloatAttr>(attr))
      raw = value.getValue().bitcastToAPInt().getZExtValue();
    else
      raw =
          truncateTo(*kind, cast<IntegerAttr>(attr).getValue().getZExtValue());
    uint8_t bytes[8];
    std::memcpy(bytes, &raw, 8);
    cell.bits = readElement(*kind, bytes);
  } else {
    return Compiler::unsupported(op, "this constant is unknown here");
  }
  compiler.initial(compiler.cell(op.getResult())) = cell;
  return Error::success();
}

Error Compiler::block(Block &block, Code &code) {
  for (Operation &op : block) {
    if (&op == block.getTerminator() && op.hasTrait<OpTrait::IsTerminator>())
      break;
    if (auto constant = dyn_cast<arith::ConstantOp>(op)) {
      if (Error error = placeConstant(*this, constant))
        return error;
      continue;
    }
    Inst inst;
    inst.op = &op;
    inst.in = cells(op.getOperands());
    inst.out = cells(op.getResults());
    auto kindOfFirst = [](TypeRange types, Kind &kind) {
      if (types.empty())
        return true;
      Type type = getElementTypeOrSelf(types.front());
      std::optional<Kind> found = kindOf(type);
      kind = found.value_or(Kind::Index);
      return found.has_value() || !type.isIntOrIndexOrFloat();
    };
    if (!kindOfFirst(op.getOperandTypes(), inst.inKind) ||
        !kindOfFirst(op.getResultTypes(), inst.outKind))
      return unsupported(&op, "its types are unknown here");
    auto it = table().find(op.getName().getStringRef());
    if (it == table().end()) {
      if (!isa<linalg::LinalgOp>(op))
        return unsupported(&op, "the interpreter has no such operation");
      if (Error error = buildLinalg(*this, &op, inst))
        return error;
    } else {
      const Entry &entry = it->second;
      inst.run = entry.run;
      bool scalars = !entry.build;
      if (scalars &&
          (llvm::any_of(op.getOperandTypes(), llvm::IsaPred<ShapedType>) ||
           llvm::any_of(op.getResultTypes(), llvm::IsaPred<ShapedType>)))
        return unsupported(&op, "it runs on scalars only");
      if (entry.build)
        if (Error error = entry.build(*this, &op, inst))
          return error;
    }
    if (inst.run)
      code.push_back(std::move(inst));
  }
  return Error::success();
}

Error Compiler::region(Region &region, RegionCode &code) {
  if (!region.hasOneBlock())
    return unsupported(region.getParentOp(), "regions must be one block");
  Block &body = region.front();
  code.args = cells(body.getArguments());
  if (Error error = block(body, code.code))
    return error;
  if (!body.empty() && body.back().hasTrait<OpTrait::IsTerminator>())
    code.yields = cells(body.back().getOperands());
  return Error::success();
}

Error Compiler::compile() {
  auto op = cast<FunctionOpInterface>(function.op);
  if (op.isExternal())
    return unsupported(op, "it has no body");
  return region(op.getFunctionBody(), function.body);
}

Expected<Function *> Program::get(StringRef name) {
  auto it = functions.find(name);
  if (it != functions.end())
    return it->second.get();
  auto op = module ? SymbolTable::lookupSymbolIn(module, name) : nullptr;
  if (!isa_and_nonnull<FunctionOpInterface>(op))
    return makeError(ErrorKind::Usage,
                     "interp: no function is named '" + name + "'");
  auto function = std::make_unique<Function>();
  function->name = name.str();
  function->op = op;
  if (Error error = Compiler(*this, *function).compile())
    return std::move(error);
  return (functions[name] = std::move(function)).get();
}

//===----------------------------------------------------------------------===//
// Affine expressions
//===----------------------------------------------------------------------===//

/// Adds `scale * expr` to `sum`; false when it is not linear.
static bool addLinear(AffineExpr expr, int64_t scale, ArrayRef<uint32_t> dims,
                      ArrayRef<uint32_t> symbols, Affine &sum) {
  auto addTerm = [&](uint32_t cell) {
    for (auto &[have, factor] : sum.terms)
      if (have == cell) {
        factor += scale;
        return;
      }
    sum.terms.push_back({cell, scale});
  };
  if (auto constant = dyn_cast<AffineConstantExpr>(expr)) {
    sum.constant += scale * constant.getValue();
    return true;
  }
  if (auto dim = dyn_cast<AffineDimExpr>(expr))
    return addTerm(dims[dim.getPosition()]), true;
  if (auto symbol = dyn_cast<AffineSymbolExpr>(expr))
    return addTerm(symbols[symbol.getPosition()]), true;
  auto binary = cast<AffineBinaryOpExpr>(expr);
  AffineExpr lhs = binary.getLHS(), rhs = binary.getRHS();
  if (expr.getKind() == AffineExprKind::Add)
    return addLinear(lhs, scale, dims, symbols, sum) &&
           addLinear(rhs, scale, dims, symbols, sum);
  if (expr.getKind() == AffineExprKind::Mul) {
    if (auto factor = dyn_cast<AffineConstantExpr>(rhs))
      return addLinear(lhs, scale * factor.getValue(), dims, symbols, sum);
    if (auto factor = dyn_cast<AffineConstantExpr>(lhs))
      return addLinear(rhs, scale * factor.getValue(), dims, symbols, sum);
  }
  return false;
}

Expected<Affine> Compiler::affine(AffineExpr expr, ArrayRef<uint32_t> dims,
                                  ArrayRef<uint32_t> symbols) {
  Affine result;
  if (addLinear(expr, 1, dims, symbols, result))
    return result;
  Affine tree;
  tree.tree = expr;
  tree.dims.assign(dims.begin(), dims.end());
  tree.symbols.assign(symbols.begin(), symbols.end());
  return tree;
}

static bool evaluateTree(State &state, const Inst &inst, const Affine &affine,
                         AffineExpr expr, int64_t &value) {
  if (auto constant = dyn_cast<AffineConstantExpr>(expr)) {
    value = constant.getValue();
    return true;
  }
  if (auto dim = dyn_cast<AffineDimExpr>(expr)) {
    value = state.index(affine.dims[dim.getPosition()]);
    return true;
  }
  if (auto symbol = dyn_cast<AffineSymbolExpr>(expr)) {
    value = state.index(affine.symbols[symbol.getPosition()]);
    return true;
  }
  auto binary = cast<AffineBinaryOpExpr>(expr);
  int64_t a = 0, b = 0;
  if (!evaluateTree(state, inst, affine, binary.getLHS(), a) ||
      !evaluateTree(state, inst, affine, binary.getRHS(), b))
    return false;
  if (expr.getKind() == AffineExprKind::Add) {
    value = a + b;
    return true;
  }
  if (expr.getKind() == AffineExprKind::Mul) {
    value = a * b;
    return true;
  }
  if (b <= 0)
    return state.broken(inst, "an affine expression divides by " + Twine(b));
  int64_t rest = a % b < 0 ? a % b + b : a % b;
  if (expr.getKind() == AffineExprKind::Mod)
    value = rest;
  else if (expr.getKind() == AffineExprKind::FloorDiv)
    value = (a - rest) / b;
  else
    value = (a - rest) / b + (rest != 0);
  return true;
}

bool interp::evaluate(State &state, const Inst &inst, const Affine &expr,
                      int64_t &value) {
  if (expr.tree)
    return evaluateTree(state, inst, expr, expr.tree, value);
  value = expr.constant;
  for (auto [cell, factor] : expr.terms)
    value += state.index(cell) * factor;
  return true;
}
