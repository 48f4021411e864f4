// See the header.
#include "RecordKernel.h"

#include "nestor/Codegen/Link.h"
#include "nestor/Dialect/Nest/Nest.h"
#include "nestor/Interp/Interp.h"
#include "nestor/Lower/Lower.h"
#include "nestor/Support/Error.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlowOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Parser/Parser.h"

#include <dlfcn.h>
#include <random>
#include <sys/mman.h>
#include <unistd.h>

using namespace mlir;
using namespace nestor;
using namespace nestor::intrin;

void intrin::loadDialects(MLIRContext &context) {
  DialectRegistry registry;
  intrin::registerDialects(registry);
  registry.insert<scf::SCFDialect, cf::ControlFlowDialect, nest::NestDialect,
                  memref::MemRefDialect>();
  context.appendDialectRegistry(registry);
  context.loadAllAvailableDialects();
}

std::vector<const Record *> intrin::allRecords() {
  std::vector<const Record *> all;
  for (const Record &record : records())
    all.push_back(&record);
  return all;
}

std::string
intrin::testName(const testing::TestParamInfo<const Record *> &info) {
  std::string name = info.param->name;
  llvm::replace(name, '.', '_');
  return name;
}

namespace {
/// Writes the body of one kernel.
class Writer {
public:
  Writer(MLIRContext &context, const Record &record, const Plan &plan)
      : builder(&context), loc(builder.getUnknownLoc()), record(record),
        plan(plan) {}

  OwningOpRef<ModuleOp> write() {
    OwningOpRef<ModuleOp> module = ModuleOp::create(loc);
    builder.setInsertionPointToEnd(module->getBody());
    auto pointer = LLVM::LLVMPointerType::get(builder.getContext());
    Type i64 = builder.getI64Type();
    auto type = LLVM::LLVMFunctionType::get(
        LLVM::LLVMVoidType::get(builder.getContext()),
        {pointer, pointer, pointer, i64, i64});
    auto function = LLVM::LLVMFuncOp::create(builder, loc, "nst_model", type);
    Block *entry = function.addEntryBlock(builder);
    builder.setInsertionPointToEnd(entry);
    for (unsigned i = 0; i < 3; ++i)
      bases[i] = entry->getArgument(i);
    lanes = arith::IndexCastOp::create(builder, loc, builder.getIndexType(),
                                       entry->getArgument(4));
    SmallVector<Value> accs;
    for (int64_t r = 0; r < plan.rows; ++r)
      for (int64_t c = 0; c < plan.columns; ++c)
        accs.push_back(record.load(builder, loc, kAcc, accWindow(r, c)));
    auto loop = scf::ForOp::create(
        builder, loc, number(0), entry->getArgument(3), number(1), accs,
        [&](OpBuilder &b, Location, Value step, ValueRange carried) {
          OpBuilder::InsertionGuard guard(builder);
          builder.setInsertionPoint(b.getInsertionBlock(),
                                    b.getInsertionPoint());
          body(step, carried);
        });
    for (int64_t r = 0; r < plan.rows; ++r)
      for (int64_t c = 0; c < plan.columns; ++c)
        record.store(builder, loc, loop.getResult(r * plan.columns + c),
                     accWindow(r, c));
    LLVM::ReturnOp::create(builder, loc, ValueRange());
    return module;
  }

private:
  /// The shorter side first, then the longer one, one at a time.
  void body(Value step, ValueRange carried) {
    bool isTall = plan.rows >= plan.columns;
    auto load = [&](bool row, int64_t i) {
      unsigned operand = row ? kLhs : kRhs;
      return record.load(
          builder, loc, operand,
          packedWindow(operand, step, i, row ? plan.rows : plan.columns));
    };
    SmallVector<Value> kept, next(carried);
    for (int64_t i = 0; i < std::min(plan.rows, plan.columns); ++i)
      kept.push_back(load(!isTall, i));
    for (int64_t j = 0; j < std::max(plan.rows, plan.columns); ++j) {
      Value passing = load(isTall, j);
      for (auto [i, value] : llvm::enumerate(kept)) {
        Value &acc = next[isTall ? j * plan.columns + i : i * plan.columns + j];
        acc = record.compute(builder, loc, isTall ? passing : value,
                             isTall ? value : passing, acc);
      }
    }
    scf::YieldOp::create(builder, loc, next);
  }

  Value number(int64_t v) {
    return arith::ConstantOp::create(builder, loc,
                                     builder.getI64IntegerAttr(v));
  }
  /// Sets what the last row or column lacks.
  void cut(Window &window, bool isLastRow, bool isLastColumn) {
    window.extents = record.extents();
    if (isLastRow && plan.lastM)
      window.extents[kM] = plan.lastM;
    if (!isLastColumn || !plan.lastN)
      return;
    if (record.axes[kN].tail == Tail::Mask)
      window.lanes = lanes;
    else
      window.extents[kN] = plan.lastN;
  }
  Value pointer(unsigned operand, Value offset) {
    Type element =
        typeOf(record.operands[operand].element, builder.getContext());
    return LLVM::GEPOp::create(builder, loc, bases[operand].getType(), element,
                               bases[operand], ArrayRef<LLVM::GEPArg>{offset});
  }
  Window accWindow(int64_t r, int64_t c) {
    int64_t m = record.axes[kM].extent, n = record.axes[kN].extent;
    Window window;
    window.base = pointer(kAcc, number(r * m * plan.columns * n + c * n));
    if (record.acc().freeDims)
      window.strides = {number(plan.columns * n)};
    cut(window, r + 1 == plan.rows, c + 1 == plan.columns);
    return window;
  }
  Window packedWindow(unsigned operand, Value step, int64_t copy,
                      int64_t copies) {
    const Operand &op = record.operands[operand];
    int64_t size = op.bytes() / (intrin::bitsOf(op.element) / 8);
    Value at = arith::AddIOp::create(
        builder, loc,
        arith::MulIOp::create(builder, loc, step, number(copies * size)),
        number(copy * size));
    Window window;
    window.base = pointer(operand, at);
    for (unsigned d = 0; d < op.freeDims; ++d) {
      int64_t stride = 1;
      for (int64_t dim : ArrayRef(op.shape).drop_front(d + 1))
        stride *= dim;
      window.strides.push_back(number(stride));
    }
    bool isLast = copy + 1 == copies;
    cut(window, operand == kLhs && isLast, operand == kRhs && isLast);
    // An lhs has no columns: its window is that of all of them.
    if (operand == kLhs)
      window.lanes = {};
    return window;
  }

  OpBuilder builder;
  Location loc;
  const Record &record;
  const Plan &plan;
  Value bases[3], lanes;
};

/// A small integer, a value of moderate size or an extreme one.
void fill(HostTensor &tensor, Element element, Data data,
          std::mt19937_64 &rng) {
  unsigned bytes = bitsOf(element) / 8;
  int64_t count = tensor.getNumElements();
  tensor.bytes.resize(count * bytes);
  auto pick = [&](std::initializer_list<double> values) {
    return values.begin()[rng() % values.size()];
  };
  for (int64_t i = 0; i < count; ++i) {
    if (!intrin::isFloat(element) && data != Data::SmallIntegers) {
      uint64_t bits = rng();
      if (data == Data::Extreme) {
        uint64_t top = uint64_t(1) << (bitsOf(element) - 1);
        uint64_t values[] = {0, 1, top - 1, top, ~uint64_t(0)};
        bits = values[bits % 5];
      }
      std::memcpy(&tensor.bytes[i * bytes], &bits, bytes);
      continue;
    }
    double value = double(int64_t(rng() % 17)) - 8;
    if (!intrin::isFloat(element) && !intrin::isSigned(element))
      value += 8;
    if (data == Data::Random)
      value = std::uniform_real_distribution<double>(-2, 2)(rng);
    if (data == Data::Extreme) {
      bool isHalf = element == Element::F16;
      value = isHalf ? pick({0, -0.0, 1, -1, 60000, -60000, 6e-8, -6e-5, 0.1,
                             INFINITY, NAN})
                     : pick({0, -0.0, 1, -1, 1e38, -1e38, 3e38, 1e-38, -1e-38,
                             1e-39, -1e-40, 1e-20, 3e-19, 1.0078125, 65280,
                             INFINITY, -INFINITY, NAN});
      // Infinities and NaNs not everywhere: they drown the rest.
      if (!std::isfinite(value) && rng() % 16)
        value = 0.5;
    }
    setElement(tensor, i, value);
  }
}
} // namespace

OwningOpRef<ModuleOp> intrin::buildKernel(MLIRContext &context,
                                          const Record &record,
                                          const Plan &plan) {
  return Writer(context, record, plan).write();
}

Matrices intrin::makeMatrices(MLIRContext &context, const Record &record,
                              const Plan &plan, Data data, uint64_t seed) {
  std::mt19937_64 rng(seed);
  int64_t sizes[] = {plan.rows * record.axes[kM].extent,
                     plan.columns * record.axes[kN].extent,
                     plan.steps * record.axes[kK].extent};
  auto make = [&](unsigned index) {
    const Operand &operand = record.operands[index];
    HostTensor tensor;
    tensor.elementType = typeOf(operand.element, &context);
    for (unsigned axis : operand.axes)
      tensor.dims.push_back(sizes[axis]);
    fill(tensor, operand.element, data, rng);
    return tensor;
  };
  return {make(kLhs), make(kRhs), make(kAcc)};
}

std::vector<uint8_t> intrin::pack(MLIRContext &context, const Record &record,
                                  unsigned index, const HostTensor &matrix,
                                  int64_t copies) {
  const Operand &operand = record.operands[index];
  AffineMap map = record.packing(index, copies, &context);
  // Blocks of copies: one here; then k, copies, shape.
  unsigned k = operand.axes[0] == kK ? 0 : 1;
  SmallVector<int64_t> dims{1, matrix.dims[k] / record.axes[kK].extent, copies};
  llvm::append_range(dims, operand.shape);
  unsigned bytes = bitsOf(operand.element) / 8;
  std::vector<uint8_t> packed(matrix.bytes.size(), 0xee);
  for (int64_t i = 0; i < matrix.dims[0]; ++i)
    for (int64_t j = 0; j < matrix.dims[1]; ++j) {
      int64_t to = 0;
      for (auto [at, dim] : llvm::zip_equal(map.compose({i, j}), dims))
        to = to * dim + at;
      int64_t from = i * matrix.dims[1] + j;
      std::memcpy(&packed.at(to * bytes), &matrix.bytes[from * bytes], bytes);
    }
  return packed;
}

HostTensor intrin::runSemantics(MLIRContext &context, const Record &record,
                                const Plan &plan, const Matrices &matrices) {
  auto module = parseSourceString<ModuleOp>(record.semantics(), &context);
  if (!module)
    return {};
  auto function = *module->getOps<nest::FuncOp>().begin();
  HostTensor result = matrices.acc;
  const HostTensor *whole[] = {&matrices.lhs, &matrices.rhs, &result};
  // Copies the instance's part of an operand out of its matrix, or back.
  auto move = [&](unsigned index, ArrayRef<int64_t> instance, HostTensor &part,
                  bool back) {
    const Operand &operand = record.operands[index];
    unsigned bytes = bitsOf(operand.element) / 8;
    int64_t first[2], dims[2];
    for (unsigned d : {0u, 1u}) {
      dims[d] = record.axes[operand.axes[d]].extent;
      first[d] = instance[operand.axes[d]] * dims[d];
    }
    part.elementType = whole[index]->elementType;
    part.dims.assign({dims[0], dims[1]});
    part.bytes.resize(dims[0] * dims[1] * bytes);
    for (int64_t i = 0; i < dims[0]; ++i)
      for (int64_t j = 0; j < dims[1]; ++j) {
        int64_t at = (first[0] + i) * whole[index]->dims[1] + first[1] + j;
        uint8_t *inside = &part.bytes[(i * dims[1] + j) * bytes];
        if (!back) {
          std::memcpy(inside, &whole[index]->bytes[at * bytes], bytes);
          continue;
        }
        bool isOut =
            (plan.lastM && instance[kM] + 1 == plan.rows && i >= plan.lastM) ||
            (plan.lastN && instance[kN] + 1 == plan.columns && j >= plan.lastN);
        if (!isOut)
          std::memcpy(&result.bytes[at * bytes], inside, bytes);
      }
  };
  for (int64_t r = 0; r < plan.rows; ++r)
    for (int64_t c = 0; c < plan.columns; ++c)
      for (int64_t s = 0; s < plan.steps; ++s) {
        std::vector<HostTensor> parts(3);
        for (unsigned index : {0u, 1u, 2u})
          move(index, {r, c, s}, parts[index], /*back=*/false);
        if (llvm::Error error = Interp::runKernel(function, parts, {})) {
          llvm::errs() << takeError(std::move(error)).second << "\n";
          return {};
        }
        move(kAcc, {r, c, s}, parts[kAcc], /*back=*/true);
      }
  return result;
}

/// Lowers for the instructions of `device`, in place.
static llvm::Error lower(ModuleOp module, const Target *device) {
  std::string text;
  ScopedDiagnosticHandler handler(module.getContext(), [&](Diagnostic &d) {
    text += d.str() + "\n";
    return success();
  });
  if (failed(verify(module)) || failed(lowerToLLVM(module, device)) ||
      failed(verify(module)))
    return makeError(ErrorKind::Internal, "does not lower: " + text);
  return llvm::Error::success();
}

llvm::Expected<ObjectBytes> intrin::kernelObject(MLIRContext &context,
                                                 const Record &record,
                                                 const Plan &plan,
                                                 const Target &target) {
  OwningOpRef<ModuleOp> module = buildKernel(context, record, plan);
  if (llvm::Error error = lower(*module, &target))
    return error;
  return emitObject(*module, target);
}

llvm::Expected<std::string> intrin::kernelAssembly(MLIRContext &context,
                                                   const Record &record,
                                                   const Plan &plan,
                                                   const Target &target) {
  OwningOpRef<ModuleOp> module = buildKernel(context, record, plan);
  if (llvm::Error error = lower(*module, &target))
    return error;
  return emitAssembly(*module, target);
}

llvm::Expected<std::unique_ptr<Native>> Native::make(MLIRContext &context,
                                                     const Record &record,
                                                     const Plan &plan,
                                                     const Target *device) {
  static const Target host = Target::host();
  OwningOpRef<ModuleOp> module = buildKernel(context, record, plan);
  if (llvm::Error error = lower(*module, device))
    return error;
  auto object = emitObject(*module, host);
  if (!object)
    return object.takeError();
  auto image = linkShared(*object, host);
  if (!image)
    return image.takeError();
  std::unique_ptr<Native> native(new Native(context, record, plan));
  int fd = memfd_create("nestor-intrin", MFD_CLOEXEC);
  if (fd < 0 || write(fd, image->data(), image->size()) !=
                    static_cast<ssize_t>(image->size()))
    return makeError(ErrorKind::Internal, "cannot write the image");
  native->library = dlopen(("/proc/self/fd/" + std::to_string(fd)).c_str(),
                           RTLD_NOW | RTLD_LOCAL);
  close(fd);
  if (!native->library)
    return makeError(ErrorKind::Internal, dlerror());
  native->kernel = dlsym(native->library, "nst_model");
  return native;
}

Native::~Native() {
  if (library)
    dlclose(library);
}

HostTensor Native::run(const Matrices &matrices) const {
  using Kernel = void (*)(const void *, const void *, void *, int64_t, int64_t);
  HostTensor result = matrices.acc;
  reinterpret_cast<Kernel>(kernel)(
      pack(context, record, kLhs, matrices.lhs, plan.rows).data(),
      pack(context, record, kRhs, matrices.rhs, plan.columns).data(),
      result.bytes.data(), plan.steps, plan.lastN);
  return result;
}

Target intrin::targetOf(const Record &record) {
  std::string name = record.arch == Arch::AArch64 ? "armv8-a"
                     : record.vectorBits == 512   ? "x86-64-v4"
                                                  : "x86-64-v3";
  StringRef first = StringRef(record.features).split('|').first;
  for (StringRef feature : llvm::split(first, ','))
    name += "+" + feature.str();
  return llvm::cantFail(Target::parse(name));
}

std::string intrin::differences(const Record &record, const HostTensor &got,
                                const HostTensor &expected, double tolerance) {
  if (got.bytes.size() != expected.bytes.size() || got.bytes.empty())
    return "sizes differ";
  unsigned bytes = bitsOf(record.acc().element) / 8;
  for (int64_t i = 0; i < got.getNumElements(); ++i) {
    if (!std::memcmp(&got.bytes[i * bytes], &expected.bytes[i * bytes], bytes))
      continue;
    double x = elementAsDouble(got, i), y = elementAsDouble(expected, i);
    if (std::isnan(x) && std::isnan(y))
      continue;
    if (std::abs(x - y) <= tolerance)
      continue;
    std::string text;
    llvm::raw_string_ostream(text)
        << "element " << i << ": " << llvm::format("%.9g", x) << ", expected "
        << llvm::format("%.9g", y);
    return text;
  }
  return "";
}
