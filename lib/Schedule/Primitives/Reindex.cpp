//===- Reindex.cpp - reindex and its caches -------------------------------===//
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

Result<nest::BlockOp> sched::reindex(RewriterBase &rewriter,
                                     nest::BlockOp block, BufferRole role,
                                     int64_t buffer) {
  return Outcome::refused("reindex is not there yet");
}

Result<nest::BlockOp> sched::reindexCache(RewriterBase &rewriter,
                                          nest::BlockOp block, BufferRole role,
                                          int64_t buffer, StringRef scope,
                                          AffineMap map) {
  return Outcome::refused("reindex_cache is not there yet");
}

Outcome ReindexOp::run(Invocation &at) {
  Result<BufferRole> role = roleOf(getRole());
  if (!role)
    return role.getOutcome();
  return at.call(sched::reindex, getBlock(), *role, getBuffer());
}

Outcome ReindexCacheReadOp::run(Invocation &at) {
  return at.call(sched::reindexCache, getBlock(), BufferRole::Read, getBuffer(),
                 getScope(), getMap());
}

Outcome ReindexCacheWriteOp::run(Invocation &at) {
  return at.call(sched::reindexCache, getBlock(), BufferRole::Write,
                 getBuffer(), getScope(), getMap());
}
