//===- Device.cpp - The device dialect ------------------------------------===//
//
// Registration, the tables of kinds, the tile type and the verifiers of
// DeviceOps.td. A kind is a row here and a case in DeviceOps.td.
//
//===----------------------------------------------------------------------===//
#include "nestor/Dialect/Device/Device.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/TypeSwitch.h"

#include "nestor/Dialect/Device/DeviceOpsDialect.cpp.inc"
#include "nestor/Dialect/Device/DeviceOpsEnums.cpp.inc"

#define GET_TYPEDEF_CLASSES
#include "nestor/Dialect/Device/DeviceOpsTypes.cpp.inc"

#define GET_OP_CLASSES
#include "nestor/Dialect/Device/DeviceOps.cpp.inc"

using namespace mlir;
using namespace nestor;
using namespace nestor::device;

void DeviceDialect::initialize() {
  addTypes<
#define GET_TYPEDEF_LIST
#include "nestor/Dialect/Device/DeviceOpsTypes.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "nestor/Dialect/Device/DeviceOps.cpp.inc"
      >();
}

//===----------------------------------------------------------------------===//
// Kinds
//===----------------------------------------------------------------------===//

/// In the order of the enumeration.
static const DotInfo dotKinds[] = {
    {DotKind::Vpdpbusd,
     Elements::U8,
     Elements::S8,
     Shape::Lanes,
     {{512, "llvm.x86.avx512.vpdpbusd.512", "avx512vnni"},
      {256, "llvm.x86.avx512.vpdpbusd.256", "avx512vnni,avx512vl|avxvnni"},
      {128, "llvm.x86.avx512.vpdpbusd.128", "avx512vnni,avx512vl|avxvnni"}}},
    {DotKind::Vpdpwssd,
     Elements::S16,
     Elements::S16,
     Shape::Lanes,
     {{512, "llvm.x86.avx512.vpdpwssd.512", "avx512vnni"},
      {256, "llvm.x86.avx512.vpdpwssd.256", "avx512vnni,avx512vl|avxvnni"},
      {128, "llvm.x86.avx512.vpdpwssd.128", "avx512vnni,avx512vl|avxvnni"}}},
    {DotKind::Vpmaddwd,
     Elements::S16,
     Elements::S16,
     Shape::Lanes,
     {{512, "llvm.x86.avx512.pmaddw.d.512", "avx512bw"},
      {256, "llvm.x86.avx2.pmadd.wd", "avx2"},
      {128, "llvm.x86.sse2.pmadd.wd", "sse3"}}},
    {DotKind::Vdpbf16ps,
     Elements::BF16,
     Elements::BF16,
     Shape::Lanes,
     {{512, "llvm.x86.avx512bf16.dpbf16ps.512", "avx512bf16"},
      {256, "llvm.x86.avx512bf16.dpbf16ps.256", "avx512bf16,avx512vl"},
      {128, "llvm.x86.avx512bf16.dpbf16ps.128", "avx512bf16,avx512vl"}}},
    {DotKind::Sdot,
     Elements::S8,
     Elements::S8,
     Shape::Lanes,
     {{128, "llvm.aarch64.neon.sdot", "dotprod"}}},
    {DotKind::Udot,
     Elements::U8,
     Elements::U8,
     Shape::Lanes,
     {{128, "llvm.aarch64.neon.udot", "dotprod"}}},
    {DotKind::Usdot,
     Elements::U8,
     Elements::S8,
     Shape::Lanes,
     {{128, "llvm.aarch64.neon.usdot", "i8mm"}}},
    {DotKind::Smmla,
     Elements::S8,
     Elements::S8,
     Shape::Matrix,
     {{128, "llvm.aarch64.neon.smmla", "i8mm"}}},
    {DotKind::Ummla,
     Elements::U8,
     Elements::U8,
     Shape::Matrix,
     {{128, "llvm.aarch64.neon.ummla", "i8mm"}}},
    {DotKind::Usmmla,
     Elements::U8,
     Elements::S8,
     Shape::Matrix,
     {{128, "llvm.aarch64.neon.usmmla", "i8mm"}}},
    {DotKind::Bfdot,
     Elements::BF16,
     Elements::BF16,
     Shape::Lanes,
     {{128, "llvm.aarch64.neon.bfdot", "bf16"}}},
    {DotKind::Bfmmla,
     Elements::BF16,
     Elements::BF16,
     Shape::Matrix,
     {{128, "llvm.aarch64.neon.bfmmla", "bf16"}}},
};

static const TileDotInfo tileDotKinds[] = {
    {TileDotKind::Tdpbssd, Elements::S8, Elements::S8,
     "llvm.x86.tdpbssd.internal", "amx-int8"},
    {TileDotKind::Tdpbsud, Elements::S8, Elements::U8,
     "llvm.x86.tdpbsud.internal", "amx-int8"},
    {TileDotKind::Tdpbusd, Elements::U8, Elements::S8,
     "llvm.x86.tdpbusd.internal", "amx-int8"},
    {TileDotKind::Tdpbuud, Elements::U8, Elements::U8,
     "llvm.x86.tdpbuud.internal", "amx-int8"},
    {TileDotKind::Tdpbf16ps, Elements::BF16, Elements::BF16,
     "llvm.x86.tdpbf16ps.internal", "amx-bf16"},
};

const DotForm *DotInfo::form(unsigned bits) const {
  for (const DotForm &form : forms)
    if (form.bits == bits)
      return &form;
  return nullptr;
}

const DotInfo &device::infoOf(DotKind kind) {
  return dotKinds[static_cast<unsigned>(kind)];
}
const TileDotInfo &device::infoOf(TileDotKind kind) {
  return tileDotKinds[static_cast<unsigned>(kind)];
}

Type device::elementType(Elements elements, MLIRContext *context) {
  Builder builder(context);
  switch (elements) {
  case Elements::S8:
  case Elements::U8:
    return builder.getI8Type();
  case Elements::S16:
    return builder.getI16Type();
  case Elements::BF16:
    return builder.getBF16Type();
  }
  return {};
}

//===----------------------------------------------------------------------===//
// Tiles
//===----------------------------------------------------------------------===//

/// Bytes of a tile's row and how many rows it has at most.
static constexpr int64_t kRowBytes = 64, kRows = 16;

int64_t TileType::getRowBytes() {
  return getColumns() * (getElementType().getIntOrFloatBitWidth() / 8);
}

LogicalResult TileType::verify(function_ref<InFlightDiagnostic()> emitError,
                               int64_t rows, int64_t columns, Type element) {
  if (!element.isInteger(8) && !element.isInteger(32) && !element.isBF16() &&
      !element.isF32())
    return emitError() << "a tile holds i8, i32, bf16 or f32, not " << element;
  if (rows < 1 || rows > kRows)
    return emitError() << "a tile has 1 to " << kRows << " rows, not " << rows;
  int64_t bytes = columns * (element.getIntOrFloatBitWidth() / 8);
  if (bytes < 4 || bytes > kRowBytes || bytes % 4 != 0)
    return emitError() << "a row of a tile has 4 to " << kRowBytes
                       << " bytes, a multiple of 4, not " << bytes;
  return success();
}

Type TileType::parse(AsmParser &parser) {
  SmallVector<int64_t> dims;
  Type element;
  SMLoc loc = parser.getCurrentLocation();
  if (parser.parseLess() ||
      parser.parseDimensionList(dims, /*allowDynamic=*/false) ||
      parser.parseType(element) || parser.parseGreater())
    return {};
  if (dims.size() != 2) {
    parser.emitError(loc, "a tile has rows and columns");
    return {};
  }
  return getChecked([&] { return parser.emitError(loc); }, parser.getContext(),
                    dims[0], dims[1], element);
}

void TileType::print(AsmPrinter &printer) const {
  printer << '<' << getRows() << 'x' << getColumns() << 'x' << getElementType()
          << '>';
}

//===----------------------------------------------------------------------===//
// Verifiers
//===----------------------------------------------------------------------===//

static unsigned bitsOf(VectorType type) {
  return type.getNumElements() * type.getElementTypeBitWidth();
}

LogicalResult DotOp::verify() {
  const DotInfo &info = infoOf(getKind());
  auto acc = cast<VectorType>(getAcc().getType());
  auto side = cast<VectorType>(getLhs().getType());
  if (acc.getRank() != 1 || side.getRank() != 1)
    return emitOpError("takes vectors of one dim");
  Builder builder(getContext());
  Type result =
      info.isFloat() ? Type(builder.getF32Type()) : Type(builder.getI32Type());
  Type element = elementType(info.lhs, getContext());
  if (acc.getElementType() != result || side.getElementType() != element)
    return emitOpError() << stringifyDotKind(getKind()) << " adds products of "
                         << element << " to " << result;
  if (bitsOf(acc) != bitsOf(side))
    return emitOpError("operands differ in width: ")
           << bitsOf(acc) << " and " << bitsOf(side) << " bits";
  if (!info.form(bitsOf(acc)))
    return emitOpError() << stringifyDotKind(getKind()) << " has no form of "
                         << bitsOf(acc) << " bits";
  return success();
}

LogicalResult TileDotOp::verify() {
  const TileDotInfo &info = infoOf(getKind());
  auto acc = cast<TileType>(getAcc().getType());
  auto lhs = cast<TileType>(getLhs().getType());
  auto rhs = cast<TileType>(getRhs().getType());
  Builder builder(getContext());
  Type result =
      info.isFloat() ? Type(builder.getF32Type()) : Type(builder.getI32Type());
  Type element = elementType(info.lhs, getContext());
  if (acc.getElementType() != result || lhs.getElementType() != element ||
      rhs.getElementType() != element)
    return emitOpError() << stringifyTileDotKind(getKind())
                         << " adds products of " << element << " to " << result;
  if (lhs.getRows() != acc.getRows())
    return emitOpError("lhs and acc differ in rows: ")
           << lhs.getRows() << " and " << acc.getRows();
  if (rhs.getRowBytes() != acc.getRowBytes())
    return emitOpError("rhs and acc differ in bytes of a row: ")
           << rhs.getRowBytes() << " and " << acc.getRowBytes();
  if (rhs.getRows() * 4 != lhs.getRowBytes())
    return emitOpError("rhs needs a row for each 4 bytes of a row of lhs: ")
           << rhs.getRows() << " and " << lhs.getRowBytes() / 4;
  return success();
}
