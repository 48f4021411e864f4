//===- Sample.cpp - sample_* ----------------------------------------------===//
//
//   TODO(owner)
//
//===----------------------------------------------------------------------===//
#include "../Apply.h"
#include "../Rewrite.h"

using namespace mlir;
using namespace nestor;
using namespace nestor::sched;
using namespace nestor::analysis;

Outcome SampleCategoricalOp::run(Invocation &at) {
  return Outcome::refused("sample_categorical is not there yet");
}

Outcome SamplePerfectTileOp::run(Invocation &at) {
  return Outcome::refused("sample_perfect_tile is not there yet");
}

Outcome SamplePartitionedTileOp::run(Invocation &at) {
  return Outcome::refused("sample_partitioned_tile is not there yet");
}

Outcome SampleComputeLocationOp::run(Invocation &at) {
  return Outcome::refused("sample_compute_location is not there yet");
}
