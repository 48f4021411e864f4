//===- StructuralHash.cpp - A kernel's identity ---------------------------===//
//
// See the header. Operations are written as numbers in program order: name,
// attributes (without names of functions and blocks), operands by the number of
// their definition, types. What names another function counts by what that
// computes. Attributes and types of kinds that are not spelled out here enter
// as text, which is the same in every process too.
//
//===----------------------------------------------------------------------===//
#include "nestor/Analysis/StructuralHash.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/TypeSwitch.h"
#include "llvm/Support/xxhash.h"

using namespace mlir;
using namespace nestor;

namespace {
class Writer {
public:
  std::string write(nest::FuncOp func) {
    root = func;
    op(func);
    llvm::XXH128_hash_t hash = llvm::xxh3_128bits(ArrayRef<uint8_t>(
        reinterpret_cast<const uint8_t *>(words.data()), words.size() * 8));
    return llvm::utohexstr(hash.high64, /*LowerCase=*/true, /*Width=*/16) +
           llvm::utohexstr(hash.low64, /*LowerCase=*/true, /*Width=*/16);
  }

private:
  void number(uint64_t value) { words.push_back(value); }
  void text(StringRef value) {
    number(value.size());
    number(llvm::xxh3_64bits(value));
  }
  /// Opaque kinds: their text, once each.
  template <typename T>
  void printed(T value) {
    uint64_t &known = texts[value.getAsOpaquePointer()];
    if (!known) {
      std::string bytes;
      llvm::raw_string_ostream(bytes) << value;
      known = llvm::xxh3_64bits(bytes);
    }
    number(known);
  }

  void expr(AffineExpr e) {
    number(static_cast<uint64_t>(e.getKind()));
    if (auto binary = dyn_cast<AffineBinaryOpExpr>(e)) {
      expr(binary.getLHS());
      expr(binary.getRHS());
    } else if (auto constant = dyn_cast<AffineConstantExpr>(e)) {
      number(constant.getValue());
    } else if (auto dim = dyn_cast<AffineDimExpr>(e)) {
      number(dim.getPosition());
    } else {
      number(cast<AffineSymbolExpr>(e).getPosition());
    }
  }
  void map(AffineMap m) {
    number(m.getNumDims());
    number(m.getNumSymbols());
    number(m.getNumResults());
    for (AffineExpr e : m.getResults())
      expr(e);
  }

  void type(Type t) {
    if (auto integer = dyn_cast<IntegerType>(t)) {
      number(1);
      number(integer.getWidth() * 4 + integer.getSignedness());
    } else if (auto buffer = dyn_cast<MemRefType>(t)) {
      number(2);
      number(buffer.getRank());
      for (int64_t dim : buffer.getShape())
        number(dim);
      type(buffer.getElementType());
      if (!buffer.getLayout().isIdentity())
        printed(buffer.getLayout());
      attribute(buffer.getMemorySpace());
    } else if (auto function = dyn_cast<FunctionType>(t)) {
      number(3);
      number(function.getNumInputs());
      for (Type input : function.getInputs())
        type(input);
      for (Type result : function.getResults())
        type(result);
    } else {
      printed(t);
    }
  }

  void attribute(Attribute a) {
    if (!a)
      return number(0);
    llvm::TypeSwitch<Attribute>(a)
        .Case([&](IntegerAttr i) {
          number(1);
          type(i.getType());
          for (unsigned w = 0; w < i.getValue().getNumWords(); ++w)
            number(i.getValue().getRawData()[w]);
        })
        .Case([&](StringAttr s) {
          number(2);
          text(s.getValue());
        })
        .Case([&](AffineMapAttr m) {
          number(3);
          map(m.getValue());
        })
        .Case([&](IntegerSetAttr s) {
          number(4);
          IntegerSet set = s.getValue();
          number(set.getNumDims());
          number(set.getNumSymbols());
          number(set.getNumConstraints());
          for (unsigned c = 0; c < set.getNumConstraints(); ++c) {
            number(set.isEq(c));
            expr(set.getConstraint(c));
          }
        })
        .Case([&](ArrayAttr list) {
          number(5);
          number(list.size());
          for (Attribute element : list)
            attribute(element);
        })
        .Case([&](DictionaryAttr dictionary) {
          number(6);
          number(dictionary.size());
          for (NamedAttribute entry : dictionary) {
            text(entry.getName());
            attribute(entry.getValue());
          }
        })
        .Case([&](DenseArrayAttr values) {
          number(7);
          number(values.size());
          ArrayRef<char> raw = values.getRawData();
          text(StringRef(raw.data(), raw.size()));
        })
        .Case([&](FlatSymbolRefAttr name) {
          number(8);
          auto other =
              SymbolTable::lookupNearestSymbolFrom<nest::FuncOp>(root, name);
          if (other && other != root)
            text(Writer().write(other));
        })
        .Case([&](TypeAttr inner) {
          number(9);
          type(inner.getValue());
        })
        .Default([&](Attribute other) { printed(other); });
  }

  void op(Operation *operation) {
    number(llvm::xxh3_64bits(operation->getName().getStringRef()));
    number(operation->getNumOperands());
    for (Value operand : operation->getOperands())
      number(numbers.lookup(operand));
    for (NamedAttribute attr : operation->getAttrDictionary()) {
      StringRef name = attr.getName();
      bool isName = (name == "sym_name" && isa<nest::FuncOp>(operation)) ||
                    (name == "name" && isa<nest::BlockOp>(operation));
      if (isName)
        continue;
      text(name);
      attribute(attr.getValue());
    }
    for (Value result : operation->getResults()) {
      numbers[result] = ++count;
      type(result.getType());
    }
    for (Region &region : operation->getRegions()) {
      number(~0ull);
      for (Block &block : region) {
        number(block.getNumArguments());
        for (BlockArgument arg : block.getArguments()) {
          numbers[arg] = ++count;
          type(arg.getType());
        }
        for (Operation &inner : block)
          op(&inner);
      }
    }
    number(~1ull);
  }

  nest::FuncOp root;
  SmallVector<uint64_t, 0> words;
  llvm::DenseMap<Value, unsigned> numbers;
  llvm::DenseMap<const void *, uint64_t> texts;
  unsigned count = 0;
};
} // namespace

std::string analysis::structuralHash(nest::FuncOp func) {
  return Writer().write(func);
}
