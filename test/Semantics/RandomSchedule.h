// Random steps of a schedule; legality is the primitives' own business.
#ifndef NESTOR_TEST_SEMANTICS_RANDOMSCHEDULE_H
#define NESTOR_TEST_SEMANTICS_RANDOMSCHEDULE_H

#include "Random.h"

#include "nestor/Schedule/Schedule.h"

namespace nestor {

/// Applies one random primitive to random handles. `what` says which, for
/// people.
sched::Outcome randomStep(sched::Schedule &schedule, Random &random,
                          std::string &what);

/// The steps that go last: kinds of loops, scopes, smaller buffers.
sched::Outcome randomLastStep(sched::Schedule &schedule, Random &random,
                              std::string &what);

} // namespace nestor

#endif // NESTOR_TEST_SEMANTICS_RANDOMSCHEDULE_H
