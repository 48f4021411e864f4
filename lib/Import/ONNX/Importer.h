//===- Importer.h - Walking an ONNX graph -----------------------*- C++ -*-===//
//
// The walk over a model's nodes: names to Arrays, scopes of subgraphs, frames
// of functions. Private to lib/Import/ONNX.
//
//===----------------------------------------------------------------------===//
#ifndef NESTOR_LIB_IMPORT_ONNX_IMPORTER_H
#define NESTOR_LIB_IMPORT_ONNX_IMPORTER_H

#include "nestor/Import/Import.h"
#include "nestor/Import/ONNX/ImportContext.h"

#include "llvm/ADT/StringSet.h"

namespace nestor::onnx {

/// The main graph or one call of a model-local function.
struct Frame {
  const std::vector<Opset> *opsets = nullptr;
  const Function *function = nullptr;
  const Frame *caller = nullptr;
  /// The attributes of the call (defaults included), resolved.
  llvm::StringMap<const NodeAttribute *> attributes;
};

/// What a name stands for.
struct Binding {
  Array array;
  /// An initializer that nobody has read yet.
  const Tensor *pending = nullptr;
  /// The result of a node that is not supported.
  bool poisoned = false;
};

/// The names of one graph; those of the graphs around it show through.
struct NameScope {
  llvm::StringMap<Binding> names;
  NameScope *outer = nullptr;
  const Frame *frame = nullptr;
};

class Importer {
public:
  Importer(const Model &model, const ImportOptions &options,
           mlir::MLIRContext &context, ConstantPool &pool);

  llvm::Expected<mlir::OwningOpRef<mlir::ModuleOp>> run();

  /// For NodeContext::importGraph.
  std::optional<llvm::SmallVector<Array>>
  importSubgraph(const Graph &graph, llvm::ArrayRef<Array> arguments,
                 bool &poisoned);
  const Frame *currentFrame() const { return scope->frame; }
  /// The next guess of this attempt (see `run`).
  bool guess();

private:
  const Model &model;
  const ImportOptions &options;
  mlir::MLIRContext &context;
  ConstantPool &pool;
  std::unique_ptr<mlir::OpBuilder> builder;
  std::unique_ptr<TensorBuilder> t;
  mlir::func::FuncOp function;
  NameScope *scope = nullptr;
  llvm::StringMap<Dim> symbols;
  llvm::StringMap<const Function *> functions;
  /// One line for every node that is not supported.
  std::vector<std::string> unsupported;
  unsigned depth = 0;
  uint64_t nodesImported = 0;
  /// Which branch each If of unclear rank takes, in the order they come up.
  std::vector<bool> guesses;
  size_t guessed = 0;

  /// The inputs that stay in the signature.
  struct Argument {
    const ValueInfo *info;
    llvm::SmallVector<int64_t> shape;
    llvm::SmallVector<std::string> names;
  };
  llvm::Expected<mlir::OwningOpRef<mlir::ModuleOp>> attempt();
  llvm::Error checkOpsets();
  llvm::Error collectArguments(std::vector<Argument> &arguments);
  void bindArguments(llvm::ArrayRef<Argument> arguments, NameScope &top);
  llvm::Error finish(NameScope &top);

  /// These return false after recording an error in `t`.
  bool checkGraph(llvm::ArrayRef<Node> nodes);
  bool importNodes(llvm::ArrayRef<Node> nodes,
                   llvm::ArrayRef<llvm::StringRef> outputs);
  bool importNode(const Node &node);
  bool callFunction(const Function &callee, const Node &node,
                    llvm::SmallVector<Array> inputs,
                    llvm::SmallVector<Array> &results, bool &poisoned);
  Binding *lookup(llvm::StringRef name);
  bool visible(llvm::StringRef name) const;
  std::optional<int64_t> versionOf(llvm::StringRef domain) const;
  void reportUnsupported(const Node &node, llvm::ArrayRef<Array> inputs,
                         llvm::StringRef why);
  llvm::Error takeBuilderError();
};

/// "Add node 'x'", cut to a readable length.
std::string describe(const Node &node);

} // namespace nestor::onnx

#endif // NESTOR_LIB_IMPORT_ONNX_IMPORTER_H
