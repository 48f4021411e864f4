//===- Info.cpp - The reference page of the primitives --------------------===//
//
// See Info.h. The page is a table and, for each primitive, its syntax and one
// example; the nests after the examples are what running them gives.
//
//===----------------------------------------------------------------------===//
#include "nestor/Schedule/Info.h"

#include "nestor/Schedule/Schedule.h"

#include "mlir/Parser/Parser.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;
using namespace nestor;
using namespace nestor::sched;

namespace nestor::sched {
#define PRIMITIVE(NAME) extern const PrimitiveInfo NAME##Info;
#include "Primitives/List.def"
#undef PRIMITIVE
} // namespace nestor::sched

static const PrimitiveInfo *const kInfos[] = {
#define PRIMITIVE(NAME) &NAME##Info,
#include "Primitives/List.def"
#undef PRIMITIVE
};

ArrayRef<const PrimitiveInfo *> sched::primitiveInfos() { return kInfos; }

std::string sched::exampleSequence(const PrimitiveInfo &info) {
  std::string text =
      "module attributes {transform.with_named_sequence} {\n"
      "  transform.named_sequence @__transform_main(%root: !transform.any_op "
      "{transform.readonly}) {\n";
  for (StringRef line : llvm::split(info.schedule, '\n')) {
    line = line.trim();
    if (line.empty())
      continue;
    StringRef results, rest = line;
    if (line.starts_with("%")) {
      size_t equals = line.find(" = ");
      results = line.take_front(equals + 3);
      rest = line.drop_front(equals + 3);
    }
    text += "    " + results.str();
    if (!rest.starts_with("transform."))
      text += "transform.nest.";
    auto [before, after] = rest.split("%root");
    text += before;
    if (rest.contains("%root"))
      text += "%root : !transform.any_op";
    text += after.str() + "\n";
  }
  return text + "    transform.yield\n  }\n}\n";
}

/// Families in the order of their first record.
static SmallVector<const PrimitiveInfo *> byFamily() {
  SmallVector<StringRef> families;
  for (const PrimitiveInfo *info : primitiveInfos())
    if (!llvm::is_contained(families, info->family))
      families.push_back(info->family);
  SmallVector<const PrimitiveInfo *> sorted;
  for (StringRef family : families)
    llvm::copy_if(
        primitiveInfos(), std::back_inserter(sorted),
        [&](const PrimitiveInfo *info) { return info->family == family; });
  return sorted;
}

namespace {
/// Writes the page; stops at the first example that does not run.
class Page {
public:
  Page(raw_ostream &stream, MLIRContext *context)
      : stream(stream), context(context) {}

  void writeTable() {
    stream
        << "<!-- Written by nestor-opt --emit-schedule-docs; do not edit. "
           "-->\n\n"
           "# Primitives of schedules\n\n"
           "A schedule is a sequence of the operations `transform.nest.*`. "
           "Each "
           "checks its law, then\nrewrites the kernel in place; a refused one "
           "leaves the kernel as it was. In C++ the\nmethods of `Schedule` "
           "have "
           "the same names in camelCase. Examples leave "
           "`transform.nest.`\nout; "
           "`%root` is the kernel.\n\n"
           "    nestor-opt kernel.mlir --schedule=schedule.mlir\n\n"
           "| primitive | what it does | legal when | refuses |\n"
           "|---|---|---|---|\n";
    for (const PrimitiveInfo *info : byFamily())
      stream << "| [" << info->name << "](#" << info->name << ") | "
             << cell(info->does) << " | "
             << (info->law.empty() ? "always" : cell(info->law)) << " | "
             << (info->refuses.empty() ? "nothing" : cell(info->refuses))
             << " |\n";
  }

  bool writeEntry(const PrimitiveInfo &info) {
    if (info.family != family) {
      family = info.family;
      stream << "\n## " << llvm::toUpper(family.front()) << family.drop_front()
             << "\n";
    }
    stream << "\n### " << info.name << "\n\n"
           << info.does << "\n\n```\n"
           << info.syntax << "\n```\n\n";
    if (!info.notes.empty())
      stream << StringRef(info.notes).trim() << "\n\n";
    OwningOpRef<ModuleOp> module =
        parseSourceString<ModuleOp>(info.before, context);
    if (!module || module->getOps<nest::FuncOp>().empty())
      return problem(info, "its kernel cannot be read");
    std::string before = print(*module);
    Result<std::unique_ptr<Schedule>> done = Schedule::parse(
        exampleSequence(info), *module->getOps<nest::FuncOp>().begin());
    if (!done)
      return problem(info, done.getOutcome().getText());
    std::string after = print(*module);
    stream << "```mlir\n"
           << before << "```\n\n```\n"
           << StringRef(info.schedule).trim() << "\n```\n\n";
    if (before == after)
      stream << "The kernel stays as it is.\n";
    else
      stream << "```mlir\n" << after << "```\n";
    return true;
  }

private:
  /// Of a table: lines become one, joined by semicolons.
  static std::string cell(StringRef text) {
    SmallVector<StringRef> lines;
    text.trim().split(lines, '\n');
    std::string joined = llvm::join(
        llvm::map_range(lines, [](StringRef line) { return line.trim(); }),
        "; ");
    std::string safe;
    for (char c : joined)
      safe += c == '|' ? std::string("\\|") : std::string(1, c);
    return safe;
  }

  static std::string print(ModuleOp module) {
    std::string text;
    llvm::raw_string_ostream os(text);
    for (nest::FuncOp func : module.getOps<nest::FuncOp>()) {
      func.print(os, OpPrintingFlags().useLocalScope());
      os << "\n";
    }
    return text;
  }

  bool problem(const PrimitiveInfo &info, const Twine &reason) {
    stream << "the example of " << info.name << ": " << reason << "\n";
    return false;
  }

  raw_ostream &stream;
  MLIRContext *context;
  StringRef family;
};
} // namespace

bool sched::writeReference(raw_ostream &stream, MLIRContext *context) {
  Page page(stream, context);
  page.writeTable();
  return llvm::all_of(byFamily(), [&](const PrimitiveInfo *info) {
    return page.writeEntry(*info);
  });
}
