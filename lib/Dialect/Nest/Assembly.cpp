//===- Assembly.cpp - The text of the nest dialect ------------------------===//
//
// Custom printers and parsers of NestOps.td; print -> parse -> print is the
// identity. Affine expressions are written over the SSA names themselves.
//
//===----------------------------------------------------------------------===//
#include "nestor/Dialect/Nest/Nest.h"

#include "mlir/Interfaces/FunctionImplementation.h"

using namespace mlir;
using namespace nestor;
using namespace nestor::nest;

namespace {
/// Collects affine expressions over one shared list of operands.
class AffineReader {
public:
  explicit AffineReader(OpAsmParser &parser) : parser(parser) {}

  /// Parses one expression. Each call of the MLIR parser numbers its operands
  /// from d0/s0 again while appending them: shift the numbers to match.
  ParseResult parse(AffineExpr &expr) {
    unsigned d0 = dims.size(), s0 = symbols.size();
    if (parser.parseAffineExprOfSSAIds(dims, symbols, expr))
      return failure();
    expr = expr.shiftDims(dims.size() - d0, d0)
               .shiftSymbols(symbols.size() - s0, s0);
    return success();
  }

  AffineMap map(ArrayRef<AffineExpr> exprs) {
    return AffineMap::get(dims.size(), symbols.size(), exprs,
                          parser.getContext());
  }

  IntegerSet set(ArrayRef<AffineExpr> constraints, ArrayRef<bool> equal) {
    return IntegerSet::get(dims.size(), symbols.size(), constraints, equal);
  }

  ParseResult resolve(SmallVectorImpl<Value> &operands) {
    Type index = parser.getBuilder().getIndexType();
    return failure(parser.resolveOperands(dims, index, operands) ||
                   parser.resolveOperands(symbols, index, operands));
  }

private:
  OpAsmParser &parser;
  SmallVector<OpAsmParser::UnresolvedOperand> dims, symbols;
};

/// Drops repeated operands and unused ones, so that text and builders agree.
void tidy(AffineMap &map, SmallVectorImpl<Value> &operands) {
  affine::canonicalizeMapAndOperands(&map, &operands);
}
} // namespace

//===----------------------------------------------------------------------===//
// FuncOp
//===----------------------------------------------------------------------===//

ParseResult FuncOp::parse(OpAsmParser &parser, OperationState &result) {
  auto buildType = [](Builder &builder, ArrayRef<Type> inputs,
                      ArrayRef<Type> results,
                      function_interface_impl::VariadicFlag, std::string &) {
    return builder.getFunctionType(inputs, results);
  };
  if (function_interface_impl::parseFunctionOp(
          parser, result, /*allowVariadic=*/false,
          getFunctionTypeAttrName(result.name), buildType,
          getArgAttrsAttrName(result.name), getResAttrsAttrName(result.name)))
    return failure();
  Region &body = *result.regions.front();
  if (body.empty())
    return parser.emitError(parser.getNameLoc(), "nest.func needs a body");
  ensureTerminator(body, parser.getBuilder(), result.location);
  return success();
}

void FuncOp::print(OpAsmPrinter &p) {
  p << ' ';
  p.printSymbolName(getSymName());
  call_interface_impl::printFunctionSignature(
      p, getArgumentTypes(), getArgAttrsAttr(), /*isVariadic=*/false,
      getResultTypes(), getResAttrsAttr(), &getBody(),
      /*printEmptyResult=*/false);
  function_interface_impl::printFunctionAttributes(
      p, *this,
      {getSymNameAttrName(), getFunctionTypeAttrName(), getArgAttrsAttrName(),
       getResAttrsAttrName()});
  p << ' ';
  p.printRegion(getBody(), /*printEntryBlockArgs=*/false,
                /*printBlockTerminators=*/false);
}

//===----------------------------------------------------------------------===//
// ForOp
//===----------------------------------------------------------------------===//

/// `expr` or `max(expr, ...)` / `min(expr, ...)`.
static ParseResult parseBound(OpAsmParser &parser, StringRef keyword,
                              AffineMap &map,
                              SmallVectorImpl<Value> &operands) {
  AffineReader reader(parser);
  SmallVector<AffineExpr> exprs;
  if (succeeded(parser.parseOptionalKeyword(keyword))) {
    if (parser.parseCommaSeparatedList(AsmParser::Delimiter::Paren, [&]() {
          return reader.parse(exprs.emplace_back());
        }))
      return failure();
  } else if (reader.parse(exprs.emplace_back())) {
    return failure();
  }
  map = reader.map(exprs);
  if (reader.resolve(operands))
    return failure();
  tidy(map, operands);
  return success();
}

static void printBound(OpAsmPrinter &p, StringRef keyword, AffineMap map,
                       ValueRange operands) {
  ValueRange dims = operands.take_front(map.getNumDims());
  ValueRange symbols = operands.drop_front(map.getNumDims());
  bool list = map.getNumResults() != 1;
  if (list)
    p << keyword << '(';
  llvm::interleaveComma(map.getResults(), p, [&](AffineExpr expr) {
    p.printAffineExprOfSSAIds(expr, dims, symbols);
  });
  if (list)
    p << ')';
}

ParseResult ForOp::parse(OpAsmParser &parser, OperationState &result) {
  OpAsmParser::Argument iv;
  iv.type = parser.getBuilder().getIndexType();
  AffineMap lower, upper;
  SmallVector<Value> lowerOperands, upperOperands;
  if (parser.parseArgument(iv) || parser.parseEqual() ||
      parseBound(parser, "max", lower, lowerOperands) ||
      parser.parseKeyword("to") ||
      parseBound(parser, "min", upper, upperOperands))
    return failure();
  LoopKind kind = LoopKind::Serial;
  StringRef word;
  llvm::SMLoc where = parser.getCurrentLocation();
  DictionaryAttr annotations;
  while (succeeded(parser.parseOptionalKeyword(&word))) {
    if (word == "annotate") {
      if (parser.parseAttribute(annotations))
        return failure();
      continue;
    }
    std::optional<LoopKind> parsed = symbolizeLoopKind(word);
    if (!parsed)
      return parser.emitError(where)
             << "'" << word
             << "' is no loop kind (serial, parallel, vectorize, unroll, bind)";
    kind = *parsed;
  }
  Properties &props = result.getOrAddProperties<Properties>();
  props.operandSegmentSizes = {static_cast<int32_t>(lowerOperands.size()),
                               static_cast<int32_t>(upperOperands.size())};
  result.addOperands(lowerOperands);
  result.addOperands(upperOperands);
  props.lowerMap = AffineMapAttr::get(lower);
  props.upperMap = AffineMapAttr::get(upper);
  props.kind = LoopKindAttr::get(parser.getContext(), kind);
  if (annotations)
    props.annotations = annotations;
  Region *body = result.addRegion();
  if (parser.parseRegion(*body, iv))
    return failure();
  ensureTerminator(*body, parser.getBuilder(), result.location);
  return success();
}

void ForOp::print(OpAsmPrinter &p) {
  p << ' ';
  p.printRegionArgument(getInductionVar(), {}, /*omitType=*/true);
  p << " = ";
  printBound(p, "max", getLowerMap(), getLowerOperands());
  p << " to ";
  printBound(p, "min", getUpperMap(), getUpperOperands());
  if (getKind() != LoopKind::Serial)
    p << ' ' << stringifyLoopKind(getKind());
  if (getAnnotations() && !getAnnotations()->empty())
    p << " annotate " << *getAnnotations();
  p << ' ';
  p.printRegion(getBody(), /*printEntryBlockArgs=*/false,
                /*printBlockTerminators=*/false);
}

//===----------------------------------------------------------------------===//
// BlockOp
//===----------------------------------------------------------------------===//

ParseResult BlockOp::parse(OpAsmParser &parser, OperationState &result) {
  Builder &builder = parser.getBuilder();
  std::string name;
  SmallVector<OpAsmParser::Argument> iterators;
  SmallVector<int32_t> kinds;
  SmallVector<AffineExpr> bindings, extents, constraints;
  SmallVector<bool> equal;
  AffineReader reader(parser);

  auto parseIterator = [&]() -> ParseResult {
    OpAsmParser::Argument &arg = iterators.emplace_back();
    arg.type = builder.getIndexType();
    StringRef word;
    llvm::SMLoc where;
    if (parser.parseArgument(arg) || parser.parseColon() ||
        parser.getCurrentLocation(&where) || parser.parseKeyword(&word))
      return failure();
    std::optional<IteratorKind> kind = symbolizeIteratorKind(word);
    if (!kind)
      return parser.emitError(where)
             << "'" << word
             << "' is no iterator kind (spatial, reduce, ordered)";
    kinds.push_back(static_cast<int32_t>(*kind));
    return failure(
        parser.parseEqual() || reader.parse(bindings.emplace_back()) ||
        parser.parseKeyword("to") || reader.parse(extents.emplace_back()));
  };
  auto parseConstraint = [&]() -> ParseResult {
    if (reader.parse(constraints.emplace_back()))
      return failure();
    equal.push_back(failed(parser.parseOptionalGreater()));
    int64_t zero;
    if ((equal.back() && parser.parseEqual()) || parser.parseEqual() ||
        parser.parseInteger(zero))
      return failure();
    if (zero != 0)
      constraints.back() = constraints.back() - zero;
    return success();
  };

  if (parser.parseString(&name) ||
      parser.parseCommaSeparatedList(AsmParser::Delimiter::Paren,
                                     parseIterator))
    return failure();
  if (succeeded(parser.parseOptionalKeyword("where")) &&
      parser.parseCommaSeparatedList(AsmParser::Delimiter::Paren,
                                     parseConstraint))
    return failure();

  Properties &props = result.getOrAddProperties<Properties>();
  props.name = builder.getStringAttr(name);
  props.kinds = builder.getDenseI32ArrayAttr(kinds);
  props.bindings = AffineMapAttr::get(reader.map(bindings));
  props.domain = AffineMapAttr::get(reader.map(extents));
  if (!constraints.empty())
    props.predicate = IntegerSetAttr::get(reader.set(constraints, equal));
  SmallVector<Value> operands;
  if (reader.resolve(operands))
    return failure();
  result.addOperands(operands);

  if (succeeded(parser.parseOptionalKeyword("annotate"))) {
    DictionaryAttr annotations;
    if (parser.parseAttribute(annotations))
      return failure();
    props.annotations = annotations;
  }
  Region *body = result.addRegion();
  Region *init = result.addRegion();
  auto parseBody = [&](Region &region) -> ParseResult {
    if (parser.parseRegion(region, iterators))
      return failure();
    if (region.empty()) {
      Block &block = region.emplaceBlock();
      for (size_t i = 0; i < iterators.size(); ++i)
        block.addArgument(builder.getIndexType(), result.location);
    }
    Block &block = region.front();
    if (block.empty() || !block.back().hasTrait<OpTrait::IsTerminator>()) {
      OpBuilder atEnd(parser.getContext());
      atEnd.setInsertionPointToEnd(&block);
      YieldOp::create(atEnd, result.location);
    }
    return success();
  };
  if (succeeded(parser.parseOptionalKeyword("init")) && parseBody(*init))
    return failure();
  return parseBody(*body);
}

void BlockOp::print(OpAsmPrinter &p) {
  p << ' ';
  p.printString(getName());
  p << " (";
  AffineMap bindings = getBindings();
  ValueRange operands = getLoopOperands();
  ValueRange dims = operands.take_front(bindings.getNumDims());
  ValueRange symbols = operands.drop_front(bindings.getNumDims());
  llvm::interleaveComma(
      llvm::seq<unsigned>(0, getNumIterators()), p, [&](unsigned i) {
        p.printRegionArgument(getIterator(i), {},
                              /*omitType=*/true);
        p << " : " << stringifyIteratorKind(getIteratorKind(i)) << " = ";
        p.printAffineExprOfSSAIds(getBinding(i), dims, symbols);
        p << " to ";
        p.printAffineExprOfSSAIds(getDomain().getResult(i), dims, symbols);
      });
  p << ')';
  if (std::optional<IntegerSet> set = getPredicate()) {
    p << " where (";
    llvm::interleaveComma(
        llvm::seq<unsigned>(0, set->getNumConstraints()), p, [&](unsigned i) {
          p.printAffineExprOfSSAIds(set->getConstraint(i), dims, symbols);
          p << (set->isEq(i) ? " == 0" : " >= 0");
        });
    p << ')';
  }
  if (getAnnotations() && !getAnnotations()->empty())
    p << " annotate " << *getAnnotations();
  auto printBody = [&](Region &region) {
    p.printRegion(region, /*printEntryBlockArgs=*/false,
                  /*printBlockTerminators=*/false);
  };
  // The init's iterators have the names of the body's.
  if (!getInit().empty()) {
    p << " init ";
    p.shadowRegionArgs(getInit(), getBody().getArguments());
    printBody(getInit());
  }
  p << ' ';
  printBody(getBody());
}

//===----------------------------------------------------------------------===//
// AllocOp
//===----------------------------------------------------------------------===//

ParseResult AllocOp::parse(OpAsmParser &parser, OperationState &result) {
  AffineReader reader(parser);
  SmallVector<AffineExpr> dims;
  bool hasShape = false;
  if (parser.parseCommaSeparatedList(AsmParser::Delimiter::OptionalSquare,
                                     [&]() {
                                       hasShape = true;
                                       return reader.parse(dims.emplace_back());
                                     }))
    return failure();
  Properties &props = result.getOrAddProperties<Properties>();
  SmallVector<Value> operands;
  if (hasShape) {
    AffineMap map = reader.map(dims);
    if (reader.resolve(operands))
      return failure();
    tidy(map, operands);
    props.shape = AffineMapAttr::get(map);
  }
  result.addOperands(operands);
  Type type;
  if (parser.parseOptionalAttrDict(result.attributes) ||
      parser.parseColonType(type))
    return failure();
  result.addTypes(type);
  return success();
}

void AllocOp::print(OpAsmPrinter &p) {
  if (std::optional<AffineMap> map = getShape()) {
    p << " [";
    llvm::interleaveComma(map->getResults(), p, [&](AffineExpr expr) {
      p.printAffineExprOfSSAIds(expr, ValueRange(), getSizes());
    });
    p << ']';
  }
  p.printOptionalAttrDict((*this)->getAttrs(), {"shape"});
  p << " : " << getType();
}
