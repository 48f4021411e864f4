# lit over test/**/*.mlir: textual tests of dialects, passes, phases and the
# command. Tools on PATH: nestor, nestor-opt, FileCheck, not, split-file.
import os

import lit.formats

config.name = "Nestor"
config.test_format = lit.formats.ShTest(execute_external=False)
config.suffixes = [".mlir", ".test"]
config.excludes = ["Unit", "Inputs", "conformance", "models"]
config.test_source_root = os.path.dirname(__file__)
config.test_exec_root = config.nestor_build_dir + "/test"

config.environment["PATH"] = os.pathsep.join(
    [config.nestor_build_dir + "/bin", config.llvm_tools_dir, os.environ["PATH"]]
)
config.environment["XDG_CACHE_HOME"] = config.test_exec_root + "/cache"
# The same schedules on a machine that was measured.
config.environment["NESTOR_CALIBRATION"] = "off"
config.substitutions.append(("%python", config.nestor_python))
config.substitutions.append(("%llvm_include", config.llvm_tools_dir + "/../include"))
config.substitutions.append(("%build", config.nestor_build_dir))

# A folder or file that needs hardware says `REQUIRES: avx512f` (or amx, avx2…).
with open("/proc/cpuinfo") as f:
    flags = next((l.split(":", 1)[1].split() for l in f if l.startswith("flags")), [])
for flag in flags:
    config.available_features.add(flag.replace("_", "-"))
if "amx_tile" in flags:
    config.available_features.add("amx")
