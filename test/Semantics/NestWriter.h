// Writes a kernel as text, piece by piece: values, accesses, loops around a
// block, and the blocks that random kernels are made of.
#ifndef NESTOR_TEST_SEMANTICS_NESTWRITER_H
#define NESTOR_TEST_SEMANTICS_NESTWRITER_H

#include "RandomNest.h"

#include "fmt/format.h"

namespace nestor::semantics {

/// constant + factor * size; `size` < 0: none.
struct Extent {
  int64_t constant = 0;
  int64_t factor = 0;
  int size = -1;

  std::string text(const char *form) const {
    if (size < 0)
      return std::to_string(constant);
    std::string name = fmt::format(fmt::runtime(form), size);
    return fmt::format("{} * {} + {}", name, factor, constant);
  }
  std::string inNest() const { return text("symbol(%n{})"); }
  std::string inMap() const { return text("s{}"); }
  int64_t value(llvm::ArrayRef<int64_t> sizes) const {
    return constant + (size < 0 ? 0 : factor * sizes[size]);
  }
};

struct Buffer {
  std::string name, type;
  std::vector<Extent> dims;

  std::string memref() const {
    std::string text = "memref<";
    for (const Extent &dim : dims)
      text += dim.size < 0 ? std::to_string(dim.constant) + "x" : "?x";
    return text + type + ">";
  }
};

/// One index of an access: scale * iterator + scale2 * iterator2 + offset,
/// reversed where `reverse` holds.
struct Index {
  int first = -1, second = -1;
  int64_t scale = 1, scale2 = 1, offset = 0;
  bool reverse = false;
};

struct Iterator {
  Extent extent;
  const char *kind;
};

inline bool isFloatType(const std::string &type) { return type[0] != 'i'; }

struct NestKind;
llvm::ArrayRef<NestKind> kinds();

class Writer {
public:
  Writer(uint64_t seed, NestStyle style) : random(seed), style(style) {}

  void write(Problem &problem, mlir::MLIRContext &context);

private:
  //--- text
  void line(const std::string &text) {
    body += std::string(2 * depth, ' ') + text + "\n";
  }
  std::string fresh() { return "%x" + std::to_string(values++); }
  std::string op(const std::string &text) {
    std::string name = fresh();
    line(name + " = " + text);
    return name;
  }
  std::string constantIndex(int64_t value) {
    return op(fmt::format("arith.constant {} : index", value));
  }
  std::string number(const std::string &type, int64_t value) {
    return op(fmt::format("arith.constant {}{} : {}", value,
                          isFloatType(type) ? ".0" : "", type));
  }
  std::string load(const Buffer &buffer, const std::vector<std::string> &at) {
    return op(fmt::format("memref.load {}[{}] : {}", buffer.name,
                          fmt::join(at, ", "), buffer.memref()));
  }
  void store(const std::string &value, const Buffer &buffer,
             const std::vector<std::string> &at) {
    line(fmt::format("memref.store {}, {}[{}] : {}", value, buffer.name,
                     fmt::join(at, ", "), buffer.memref()));
  }
  std::string convert(std::string value, const std::string &from,
                      const std::string &to) {
    if (from == to)
      return value;
    if (from == "i1")
      return op(fmt::format("arith.{} {} : i1 to {}",
                            isFloatType(to) ? "uitofp" : "extui", value, to));
    bool intFrom = !isFloatType(from), intTo = !isFloatType(to);
    auto bits = [](const std::string &t) {
      return std::stoi(t.substr(t.find_first_of("0123456789")));
    };
    const char *name = intFrom && intTo
                           ? (bits(from) < bits(to) ? "extsi" : "trunci")
                       : intFrom               ? "sitofp"
                       : intTo                 ? "fptosi"
                       : bits(from) < bits(to) ? "extf"
                                               : "truncf";
    if (!intFrom && !intTo && bits(from) == bits(to)) { // f16 and bf16
      value = op(fmt::format("arith.extf {} : {} to f32", value, from));
      return op(fmt::format("arith.truncf {} : f32 to {}", value, to));
    }
    return op(fmt::format("arith.{} {} : {} to {}", name, value, from, to));
  }

  std::string binary(const char *name, const std::string &type,
                     const std::string &a, const std::string &b) {
    return op(fmt::format("arith.{}{} {}, {} : {}", name,
                          isFloatType(type) ? "f" : "i", a, b, type));
  }
  /// max and min have other names.
  std::string larger(const std::string &type, const std::string &a,
                     const std::string &b) {
    return op(fmt::format("arith.{} {}, {} : {}",
                          isFloatType(type) ? "maximumf" : "maxsi", a, b,
                          type));
  }
  void open(const std::string &text) {
    line(text + " {");
    ++depth;
  }
  void close(int count = 1) {
    for (; count > 0; --count) {
      --depth;
      line("}");
    }
  }

  //--- pieces
  int64_t length(int64_t high);
  Extent randomExtent(int64_t high, bool mayBeNothing = true);
  Buffer argument(const std::string &type, std::vector<Extent> dims);
  Buffer temporary(const std::string &type, std::vector<Extent> dims);
  std::string indexText(const Index &index, const std::vector<Iterator> &its);
  Extent indexExtent(const Index &index, const std::vector<Iterator> &its);
  std::string combine(const std::string &type, std::string a, std::string b,
                      bool safe);
  std::string unary(const std::string &type, std::string a);
  void block(const std::string &name, const std::vector<Iterator> &its,
             llvm::function_ref<void()> init, llvm::function_ref<void()> body);
  std::string loopKind(bool spatialOnly, int64_t trip);

  //--- cores; each returns what it wrote
  Buffer prologue(Buffer input);
  Buffer contraction();
  Buffer gather();
  Buffer scan();
  Buffer rows();
  // NestKinds*.cpp
  Buffer softmax();
  Buffer layernorm();
  Buffer argmax();
  Buffer convolution();
  Buffer matmuls();
  Buffer attention();
  Buffer elementwise();
  Buffer stencil();
  Buffer inPlaceStencil();
  Buffer update();
  Buffer triangularSum();
  Buffer triangularProduct();
  Buffer elimination();
  Buffer halves();
  Buffer window();
  Buffer padded();
  Buffer online();
  Buffer flash();
  Buffer truth();
  Buffer products();
  Buffer substitution();
  Buffer pad(Buffer input, int64_t by);
  Buffer copyOf(Buffer input, const char *name);
  Buffer product(const std::string &name, Buffer a, Buffer b);
  Buffer fold(const std::string &name, Buffer from, int64_t start,
              llvm::function_ref<std::string(std::string, std::string)> step);
  Buffer against(const std::string &name, Buffer a, Buffer row,
                 llvm::function_ref<std::string(std::string, std::string)> op);
  void wholeType();
  Buffer epilogue(Buffer input);
  std::vector<std::string> iteratorNames(size_t n) {
    std::vector<std::string> names;
    for (size_t i = 0; i < n; ++i)
      names.push_back("%v" + std::to_string(i));
    return names;
  }

  Random random;
  NestStyle style;
  /// `allocs`: those of the function, when they stand in front of everything.
  std::string body, allocs;
  bool allocsFirst = false;
  int depth = 1, values = 0, loops = 0;
  bool mayBeEmpty = false;
  std::vector<int64_t> sizes;
  std::vector<Buffer> inputs;
  std::string dataType;
  /// Results besides the last one, in the order of the arguments.
  std::vector<Buffer> outputs;
  /// Points that the extents to come may span together.
  int64_t budget = 2500;

  friend llvm::ArrayRef<NestKind> kinds();
};

/// A family of kernels for random schedules.
struct NestKind {
  const char *name;
  Buffer (Writer::*core)();
  /// Blocks after it.
  int epilogues;
  double tolerance;
  /// Extents may be 0: no later block reads a reduction over nothing.
  bool mayBeEmpty = true;
};

} // namespace nestor::semantics

#endif // NESTOR_TEST_SEMANTICS_NESTWRITER_H
