//===- ModelTable.cpp - The nst_model of an object ------------------------===//
//
// Writes the tables of nestor/Runtime/Abi.h as LLVM globals: one private global
// a table, one exported struct `nst_model` that points at them.
//
//===----------------------------------------------------------------------===//
#include "HostEmitter.h"

#include "Services.h"

#include "nestor/Runtime/Abi.h"
#include "nestor/Support/WeightsLayout.h"

using namespace mlir;
using namespace nestor;
using namespace nestor::lower;

namespace {
/// Builds constant globals field by field.
class TableWriter {
public:
  TableWriter(ModuleOp target, Location loc)
      : target(target), loc(loc), builder(target.getContext()),
        pointer(LLVM::LLVMPointerType::get(target.getContext())) {}

  using Field = std::function<Value()>;

  Field i64(int64_t value) {
    return [=, this] {
      return Value(LLVM::ConstantOp::create(builder, loc, builder.getI64Type(),
                                            builder.getI64IntegerAttr(value)));
    };
  }
  Field i32(int64_t value) {
    return [=, this] {
      return Value(LLVM::ConstantOp::create(builder, loc, builder.getI32Type(),
                                            builder.getI32IntegerAttr(value)));
    };
  }
  Field text(StringRef string) {
    std::string copy = string.str();
    return [=, this] { return stringAddress(builder, loc, target, copy); };
  }
  Field address(StringRef symbol) {
    std::string copy = symbol.str();
    return [=, this] {
      if (copy.empty())
        return Value(LLVM::ZeroOp::create(builder, loc, pointer));
      return Value(LLVM::AddressOfOp::create(builder, loc, pointer, copy));
    };
  }

  /// An array of structs, each row a list of fields. Returns its symbol, ""
  /// when there are no rows.
  std::string table(StringRef name, ArrayRef<SmallVector<Field>> rows) {
    if (rows.empty())
      return "";
    emit(name, rows, LLVM::Linkage::Internal);
    return name.str();
  }

  void emit(StringRef name, ArrayRef<SmallVector<Field>> rows,
            LLVM::Linkage linkage) {
    // The types follow from the values: make them once in a scratch block.
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(target.getBody());
    Block scratch;
    SmallVector<Type> types;
    {
      OpBuilder::InsertionGuard inner(builder);
      builder.setInsertionPointToStart(&scratch);
      for (const Field &field : rows.front())
        types.push_back(field().getType());
    }
    auto row = LLVM::LLVMStructType::getLiteral(builder.getContext(), types);
    Type type = row;
    bool array = linkage == LLVM::Linkage::Internal;
    if (array)
      type = LLVM::LLVMArrayType::get(row, rows.size());
    auto global =
        LLVM::GlobalOp::create(builder, loc, type,
                               /*isConstant=*/true, linkage, name, Attribute());
    Block *body = builder.createBlock(&global.getInitializerRegion());
    builder.setInsertionPointToEnd(body);
    Value all = LLVM::UndefOp::create(builder, loc, type);
    for (auto [r, fields] : llvm::enumerate(rows))
      for (auto [f, field] : llvm::enumerate(fields)) {
        SmallVector<int64_t> position;
        if (array)
          position.push_back(r);
        position.push_back(f);
        all = LLVM::InsertValueOp::create(builder, loc, all, field(), position);
      }
    LLVM::ReturnOp::create(builder, loc, all);
  }

private:
  ModuleOp target;
  Location loc;
  OpBuilder builder;
  Type pointer;
};

struct DtypeRow {
  nst_dtype code;
  bool (*matches)(Type);
};
} // namespace

static bool isSignless(Type type, unsigned width) {
  return type.isSignlessInteger(width);
}

/// Element type to nst_dtype. Signless integers are signed unless the
/// argument's `model.dtype` says otherwise (see dtypeOf).
static const DtypeRow kDtypes[] = {
    {NST_BOOL, [](Type t) { return isSignless(t, 1); }},
    {NST_I8, [](Type t) { return isSignless(t, 8); }},
    {NST_I16, [](Type t) { return isSignless(t, 16); }},
    {NST_I32, [](Type t) { return isSignless(t, 32); }},
    {NST_I64, [](Type t) { return isSignless(t, 64); }},
    {NST_F16, [](Type t) { return t.isF16(); }},
    {NST_BF16, [](Type t) { return t.isBF16(); }},
    {NST_F32, [](Type t) { return t.isF32(); }},
    {NST_F64, [](Type t) { return t.isF64(); }},
};

static FailureOr<int64_t> dtypeOf(func::FuncOp source, Type type,
                                  bool isUnsigned) {
  for (const DtypeRow &row : kDtypes)
    if (row.matches(type)) {
      // In nst_dtype each unsigned type stands before its signed one.
      bool integer = row.code >= NST_I8 && row.code <= NST_I64;
      return static_cast<int64_t>(row.code) - (integer && isUnsigned ? 1 : 0);
    }
  return source.emitError("has no run-time type for ") << type;
}

LogicalResult lower::emitModelTable(func::FuncOp source, ModuleOp target,
                                    const LowerOptions &options,
                                    const LoweredConstants &constants,
                                    ArrayRef<uint64_t> constantBytes) {
  TableWriter writer(target, source.getLoc());
  using Field = TableWriter::Field;
  llvm::StringMap<int64_t> symbolIndex;
  SmallVector<SmallVector<Field>> symbols;
  auto symbol = [&](StringRef name) {
    auto [it, inserted] = symbolIndex.try_emplace(name, symbols.size());
    if (inserted)
      symbols.push_back({writer.text(name), writer.i64(0),
                         writer.i64(std::numeric_limits<int64_t>::max())});
    return it->second;
  };

  int tables = 0;
  auto describe = [&](Type valueType, DictionaryAttr attrs, StringRef fallback,
                      SmallVector<Field> &row) -> LogicalResult {
    auto type = cast<MemRefType>(valueType);
    auto name = attrs ? attrs.getAs<StringAttr>("model.name") : StringAttr();
    auto dims = attrs ? attrs.getAs<ArrayAttr>("model.dims") : ArrayAttr();
    auto dtypeName =
        attrs ? attrs.getAs<StringAttr>("model.dtype") : StringAttr();
    bool isUnsigned = dtypeName && dtypeName.getValue().starts_with("uint");
    FailureOr<int64_t> dtype =
        dtypeOf(source, type.getElementType(), isUnsigned);
    if (failed(dtype))
      return failure();
    SmallVector<SmallVector<Field>> rows;
    for (auto [d, dim] : llvm::enumerate(type.getShape())) {
      int64_t value = dim, index = NST_DIM_FIXED;
      if (dim == ShapedType::kDynamic) {
        auto word = dims && d < dims.size() ? dyn_cast<StringAttr>(dims[d])
                                            : StringAttr();
        value = 0;
        index = word ? symbol(word.getValue()) : int64_t(NST_DIM_UNKNOWN);
      }
      rows.push_back({writer.i64(value), writer.i64(index)});
    }
    std::string table =
        writer.table("nst_dims_" + std::to_string(tables++), rows);
    row = {writer.text(name ? name.getValue() : fallback), writer.i32(*dtype),
           writer.i32(type.getRank()), writer.address(table)};
    return success();
  };

  SmallVector<SmallVector<Field>> inputs, outputs, constantRows;
  for (auto [i, type] : llvm::enumerate(source.getArgumentTypes()))
    if (failed(describe(type, source.getArgAttrDict(i),
                        "input" + std::to_string(i), inputs.emplace_back())))
      return failure();
  for (auto [i, type] : llvm::enumerate(source.getResultTypes()))
    if (failed(describe(type, source.getResultAttrDict(i),
                        "output" + std::to_string(i), outputs.emplace_back())))
      return failure();
  std::vector<uint64_t> offsets = layoutWeights(constantBytes).offsets;
  for (size_t i = 0; i < constants.keys.size(); ++i)
    constantRows.push_back({writer.text(constants.keys[i]),
                            writer.i64(offsets[i]),
                            writer.i64(constantBytes[i])});

  std::string inputTable = writer.table("nst_inputs", inputs);
  std::string outputTable = writer.table("nst_outputs", outputs);
  std::string symbolTable = writer.table("nst_symbols", symbols);
  std::string constantTable = writer.table("nst_constants", constantRows);
  SmallVector<Field> model = {
      writer.i32(NST_MAGIC),          writer.i32(NST_ABI_VERSION),
      writer.i64(sizeof(nst_model)),  writer.text(options.modelName),
      writer.text(options.target),    writer.text(options.features),
      writer.text(options.buildInfo), writer.i64(inputs.size()),
      writer.address(inputTable),     writer.i64(outputs.size()),
      writer.address(outputTable),    writer.i64(symbols.size()),
      writer.address(symbolTable),    writer.i64(constantRows.size()),
      writer.address(constantTable),  writer.address("nst_run")};
  writer.emit(NST_MODEL_SYMBOL, {model}, LLVM::Linkage::External);
  return success();
}
