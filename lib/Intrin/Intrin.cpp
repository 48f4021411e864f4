//===- Intrin.cpp - The table of tensor instructions ----------------------===//
//
// The list of families, and what follows from a record alone.
//
//===----------------------------------------------------------------------===//
#include "nestor/Intrin/Intrin.h"

#include "Families.h"

#include "nestor/Dialect/Device/Device.h"

#include "mlir/AsmParser/AsmParser.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/AffineExpr.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;
using namespace nestor;
using namespace nestor::intrin;

//===----------------------------------------------------------------------===//
// Families
//===----------------------------------------------------------------------===//

static void (*const families[])(Records &) = {addAmx,  addVnni, addMadd,
                                              addBf16, addFma,  addArmDot};

ArrayRef<Record> intrin::records() {
  static const Records table = [] {
    Records records;
    for (auto *family : families)
      family(records);
    return records;
  }();
  return table;
}

const Record *intrin::find(StringRef name) {
  for (const Record &record : records())
    if (record.name == name)
      return &record;
  return nullptr;
}

std::vector<const Record *> intrin::available(const Target &target) {
  std::vector<const Record *> found;
  for (const Record &record : records())
    if (record.availableOn(target))
      found.push_back(&record);
  llvm::sort(found, [&](const Record *a, const Record *b) {
    double x = a->macsPerCycle(target), y = b->macsPerCycle(target);
    return x != y ? x > y : a < b;
  });
  return found;
}

void intrin::registerDialects(DialectRegistry &registry) {
  registry.insert<arith::ArithDialect, device::DeviceDialect, LLVM::LLVMDialect,
                  math::MathDialect, vector::VectorDialect>();
}

bool intrin::hasFeatures(const Target &target, StringRef features) {
  return llvm::any_of(llvm::split(features, '|'), [&](StringRef all) {
    return llvm::all_of(llvm::split(all, ','),
                        [&](StringRef feature) { return target.has(feature); });
  });
}

//===----------------------------------------------------------------------===//
// Elements and operands
//===----------------------------------------------------------------------===//

namespace {
struct ElementInfo {
  StringLiteral name;
  unsigned bits;
  bool isFloat, isSigned;
};
} // namespace

static const ElementInfo &infoOf(Element element) {
  static constexpr ElementInfo infos[] = {
      {"s8", 8, false, true},   {"u8", 8, false, false},
      {"s16", 16, false, true}, {"s32", 32, false, true},
      {"f16", 16, true, true},  {"bf16", 16, true, true},
      {"f32", 32, true, true},  {"f64", 64, true, true}};
  return infos[static_cast<unsigned>(element)];
}

unsigned intrin::bitsOf(Element element) { return infoOf(element).bits; }
bool intrin::isFloat(Element element) { return infoOf(element).isFloat; }
bool intrin::isSigned(Element element) { return infoOf(element).isSigned; }
StringRef intrin::nameOf(Element element) { return infoOf(element).name; }

Type intrin::typeOf(Element element, MLIRContext *context) {
  Builder builder(context);
  switch (element) {
  case Element::F16:
    return builder.getF16Type();
  case Element::BF16:
    return builder.getBF16Type();
  case Element::F32:
    return builder.getF32Type();
  case Element::F64:
    return builder.getF64Type();
  default:
    return builder.getIntegerType(bitsOf(element));
  }
}

static AffineMap parseMap(StringRef text, MLIRContext *context) {
  auto attr = dyn_cast_or_null<AffineMapAttr>(
      parseAttribute(("affine_map<" + text + ">").str(), context));
  return attr ? attr.getValue() : AffineMap();
}

AffineMap Operand::accessMap(MLIRContext *context) const {
  SmallVector<AffineExpr> results;
  for (unsigned axis : axes)
    results.push_back(getAffineDimExpr(axis, context));
  return AffineMap::get(3, 0, results, context);
}
AffineMap Operand::liesMap(MLIRContext *context) const {
  return parseMap(lies, context);
}
int64_t Operand::bytes() const {
  int64_t count = 1;
  for (int64_t dim : shape)
    count *= dim;
  return count * (bitsOf(element) / 8);
}

//===----------------------------------------------------------------------===//
// Records
//===----------------------------------------------------------------------===//

int64_t Record::points() const {
  int64_t count = 1;
  for (const Axis &axis : axes)
    count *= axis.extent;
  return count;
}

SmallVector<int64_t, 3> Record::extents() const {
  SmallVector<int64_t, 3> list;
  for (const Axis &axis : axes)
    list.push_back(axis.extent);
  return list;
}

unsigned Record::registers(const Target &target) const {
  // AMX has eight tiles.
  return acc().place == Place::Tile ? 8 : target.vectorRegisters;
}

bool Record::availableOn(const Target &target) const {
  return target.arch == arch && hasFeatures(target, features);
}

double Record::macsPerCycle(const Target &target) const {
  double rate = cost.rate ? target.rates.*cost.rate : 1;
  if (!cost.halvedBy.empty() && target.has(cost.halvedBy))
    rate /= 2;
  // Rates are those of the widest vector.
  double share = vectorBits && vectorBits < target.vectorBits
                     ? double(vectorBits) / target.vectorBits
                     : 1;
  return target.rates.fmaLanes * rate * cost.factor * share;
}

/// "i8", "bf16".
static std::string typeText(Element element) {
  return intrin::isFloat(element) ? nameOf(element).str()
                                  : "i" + llvm::utostr(intrin::bitsOf(element));
}

/// "memref<16x4xi8>" of an operand's indices.
static std::string memrefText(const Record &record, const Operand &operand) {
  std::string text = "memref<";
  for (unsigned axis : operand.axes)
    text += llvm::utostr(record.axes[axis].extent) + "x";
  return text + typeText(operand.element) + ">";
}

/// "[%vm, %vk]".
static std::string indexText(const Record &record, const Operand &operand) {
  std::string text;
  for (unsigned axis : operand.axes)
    text += (text.empty() ? "[%v" : ", %v") + record.axes[axis].name.str();
  return text + "]";
}

std::string Record::semantics() const {
  std::string text;
  llvm::raw_string_ostream os(text);
  os << "nest.func @\"" << name << "\"(";
  for (const Operand &operand : operands)
    os << (&operand == operands.begin() ? "%" : ", %") << operand.name << ": "
       << memrefText(*this, operand);
  os << ") {\n";
  for (const Axis &axis : axes)
    os << "nest.for %" << axis.name << " = 0 to " << axis.extent << " {\n";
  os << "nest.block \"acc\" (";
  for (const Axis &axis : axes)
    os << (&axis == axes.begin() ? "" : ", ") << "%v" << axis.name << " : "
       << (axis.kind == AxisKind::Spatial ? "spatial" : "reduce") << " = %"
       << axis.name << " to " << axis.extent;
  os << ") {\n";
  std::string sum = typeText(acc().element);
  // The names of what is multiplied and added: the elements, extended.
  SmallVector<std::string, 3> values;
  for (const Operand &operand : operands) {
    std::string type = typeText(operand.element);
    os << "%" << operand.name << "0 = memref.load %" << operand.name
       << indexText(*this, operand) << " : " << memrefText(*this, operand)
       << "\n";
    bool extend = type != sum;
    if (extend)
      os << "%" << operand.name << "1 = arith."
         << (intrin::isFloat(operand.element)    ? "extf"
             : intrin::isSigned(operand.element) ? "extsi"
                                                 : "extui")
         << " %" << operand.name << "0 : " << type << " to " << sum << "\n";
    values.push_back(("%" + operand.name + (extend ? "1" : "0")).str());
  }
  if (numerics == Numerics::Fused) {
    os << "%sum = math.fma " << llvm::join(values, ", ") << " : " << sum
       << "\n";
  } else {
    StringRef suffix = intrin::isFloat(acc().element) ? "f " : "i ";
    os << "%product = arith.mul" << suffix << values[kLhs] << ", "
       << values[kRhs] << " : " << sum << "\n%sum = arith.add" << suffix
       << values[kAcc] << ", %product : " << sum << "\n";
  }
  os << "memref.store %sum, %acc" << indexText(*this, acc()) << " : "
     << memrefText(*this, acc()) << "\n}\n";
  for (size_t i = 0; i < axes.size(); ++i)
    os << "}\n";
  os << "}\n";
  return text;
}

AffineMap Record::packing(unsigned index, int64_t copies,
                          MLIRContext *context) const {
  const Operand &operand = operands[index];
  // The axes in terms of the operand's indices; those it has not are 0.
  SmallVector<AffineExpr> whole(axes.size(), getAffineConstantExpr(0, context));
  for (auto [i, axis] : llvm::enumerate(operand.axes))
    whole[axis] = getAffineDimExpr(i, context);
  SmallVector<AffineExpr> inside, results;
  for (auto [i, axis] : llvm::enumerate(axes))
    inside.push_back(whole[i] % axis.extent);
  if (index == kAcc) {
    results.push_back(whole[kM].floorDiv(axes[kM].extent));
    results.push_back(whole[kN].floorDiv(axes[kN].extent));
  } else {
    unsigned spatial = operand.has(kM) ? kM : kN;
    int64_t extent = axes[spatial].extent;
    results.push_back(whole[spatial].floorDiv(extent * copies));
    results.push_back(whole[kK].floorDiv(axes[kK].extent));
    results.push_back((whole[spatial] % (extent * copies)).floorDiv(extent));
  }
  for (AffineExpr expr : operand.liesMap(context).getResults())
    results.push_back(expr.replaceDims(inside));
  return simplifyAffineMap(
      AffineMap::get(operand.axes.size(), 0, results, context));
}

std::optional<SmallVector<int64_t, 2>>
Record::windowStrides(unsigned index, MLIRContext *context,
                      function_ref<int64_t(ArrayRef<int64_t>)> offset) const {
  const Operand &operand = operands[index];
  AffineMap lies = operand.liesMap(context);
  SmallVector<std::pair<SmallVector<int64_t, 4>, int64_t>> places;
  SmallVector<int64_t, 3> point(axes.size(), 0);
  while (true) {
    places.emplace_back(lies.compose(point), offset(point));
    // The next point, over the operand's axes.
    unsigned i = 0;
    for (; i < operand.axes.size(); ++i) {
      unsigned axis = operand.axes[i];
      if (++point[axis] < axes[axis].extent)
        break;
      point[axis] = 0;
    }
    if (i == operand.axes.size())
      break;
  }
  // A place one step along a free dim and nowhere else gives its stride.
  SmallVector<int64_t, 2> strides(operand.freeDims, 0);
  for (auto &[at, address] : places)
    if (llvm::count_if(at, [](int64_t v) { return v != 0; }) == 1)
      for (unsigned d = 0; d < operand.freeDims; ++d)
        if (at[d] == 1)
          strides[d] = address;
  for (auto &[at, address] : places) {
    int64_t inside = 0, expected = 0;
    for (auto [d, v] : llvm::enumerate(at))
      if (d < operand.freeDims)
        expected += strides[d] * v;
      else
        inside = inside * operand.shape[d] + v;
    if (address != expected + inside)
      return std::nullopt;
  }
  return strides;
}

//===----------------------------------------------------------------------===//
// Emission
//===----------------------------------------------------------------------===//

Type Record::valueType(unsigned operand, MLIRContext *context,
                       ArrayRef<int64_t> given) const {
  SmallVector<int64_t, 3> all = extents();
  return emitter->valueType(*this, operand, given.empty() ? all : given,
                            context);
}

Value Record::zero(OpBuilder &builder, Location loc,
                   ArrayRef<int64_t> given) const {
  SmallVector<int64_t, 3> all = extents();
  return emitter->zero(*this, builder, loc, given.empty() ? all : given);
}

Value Record::load(OpBuilder &builder, Location loc, unsigned operand,
                   const Window &window) const {
  return emitter->load(*this, builder, loc, operand, window);
}

Value Record::compute(OpBuilder &builder, Location loc, Value lhs, Value rhs,
                      Value acc) const {
  return emitter->compute(*this, builder, loc, lhs, rhs, acc);
}

void Record::store(OpBuilder &builder, Location loc, Value acc,
                   const Window &window) const {
  emitter->store(*this, builder, loc, acc, window);
}
