//===- StructuralHash.cpp - A kernel's identity ---------------------------===//
//
// See the header. Operations are written to a byte string in program order:
// name, attributes (without names of functions and blocks), operands by the
// number of their definition, types. Attributes and types enter as text, which
// is the same in every process.
//
//===----------------------------------------------------------------------===//
#include "nestor/Analysis/StructuralHash.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/xxhash.h"

using namespace mlir;
using namespace nestor;

namespace {
class Writer {
public:
  std::string write(nest::FuncOp func) {
    op(func);
    stream.flush();
    llvm::XXH128_hash_t hash = llvm::xxh3_128bits(ArrayRef<uint8_t>(
        reinterpret_cast<const uint8_t *>(bytes.data()), bytes.size()));
    return llvm::utohexstr(hash.high64, /*LowerCase=*/true, /*Width=*/16) +
           llvm::utohexstr(hash.low64, /*LowerCase=*/true, /*Width=*/16);
  }

private:
  void op(Operation *operation) {
    stream << operation->getName().getStringRef() << '(';
    for (Value operand : operation->getOperands())
      stream << numbers.lookup(operand) << ',';
    stream << ')';
    for (NamedAttribute attr : operation->getAttrDictionary()) {
      StringRef name = attr.getName();
      bool isName = (name == "sym_name" && isa<nest::FuncOp>(operation)) ||
                    (name == "name" && isa<nest::BlockOp>(operation));
      if (!isName)
        stream << name << '=' << attr.getValue() << ';';
    }
    for (Value result : operation->getResults()) {
      numbers[result] = ++count;
      stream << result.getType();
    }
    for (Region &region : operation->getRegions()) {
      stream << '{';
      for (Block &block : region) {
        for (BlockArgument arg : block.getArguments()) {
          numbers[arg] = ++count;
          stream << arg.getType() << ',';
        }
        for (Operation &inner : block)
          op(&inner);
      }
      stream << '}';
    }
    stream << '\n';
  }

  std::string bytes;
  llvm::raw_string_ostream stream{bytes};
  llvm::DenseMap<Value, unsigned> numbers;
  unsigned count = 0;
};
} // namespace

std::string analysis::structuralHash(nest::FuncOp func) {
  return Writer().write(func);
}
