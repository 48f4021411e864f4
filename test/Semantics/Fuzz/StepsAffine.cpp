// Slanted, shifted and divided domains.
#include "Steps.h"

using namespace nestor;
using namespace nestor::fuzz;
using namespace nestor::sched;

llvm::ArrayRef<StepKind> nestor::fuzz::affineSteps() { return {}; }
