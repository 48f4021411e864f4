//===- MemoryPlan.cpp - Where every buffer of a run lives
//------------------===//
#include "nestor/Partition/Partition.h"

using namespace mlir;
using namespace nestor;

LogicalResult nestor::planMemory(ModuleOp) { return success(); }
