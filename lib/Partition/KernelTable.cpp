//===- KernelTable.cpp - Kernels by structure -----------------------------===//
//
// See the header. Two kernels have the same structure when they print alike
// under one name; SSA names and locations take no part.
//
//===----------------------------------------------------------------------===//
#include "KernelTable.h"

using namespace mlir;
using namespace nestor;

nest::FuncOp KernelTable::intern(nest::FuncOp kernel, StringRef kind) {
  kernel.setSymName("k");
  std::string text;
  llvm::raw_string_ostream os(text);
  kernel->print(os, OpPrintingFlags().useLocalScope().skipRegions(false));
  nest::FuncOp &known = byText[text];
  if (known) {
    kernel->destroy();
    return known;
  }
  std::string name;
  SymbolTable symbols(module);
  do
    name = (kind + "_" + Twine(counters[kind]++)).str();
  while (symbols.lookup(name));
  kernel.setSymName(name);
  module.push_back(kernel);
  return known = kernel;
}
