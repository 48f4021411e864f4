# Sourced by tools/check and tools/quickstart: packages, Python environment and
# build. Assumes the current folder is the repository's top; leaves build/ built.

phase() { printf '\n== %s (%ss)\n' "$*" "$SECONDS" >&2; }

die() {
  printf 'error: %s\n' "$*" >&2
  exit 1
}

as_root() {
  if [ "$(id -u)" = 0 ]; then
    "$@"
  elif command -v sudo >/dev/null; then
    sudo "$@"
  else
    die "root (or sudo) is needed for: $*"
  fi
}

# Installs the packages of tools/dev/packages.txt that are missing, if any.
install_packages() {
  local wanted missing
  wanted=$(sed 's/#.*//' tools/dev/packages.txt | xargs)
  missing=$(for name in $wanted; do
    [ "$(dpkg-query -W -f='${db:Status-Status}' "$name" 2>/dev/null)" = installed ] || echo "$name"
  done | xargs)
  [ -n "$missing" ] || return 0
  phase "packages: $missing"
  as_root apt-get update -q
  # shellcheck disable=SC2086  # names are words
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends $missing
}

# build/venv with the pinned packages of tools/dev/requirements.txt. Without a
# network there is no environment; the tests that need it then say so and skip.
make_venv() {
  local stamp
  stamp=$(sha256sum tools/dev/requirements.txt | cut -d' ' -f1)
  [ "$(cat build/venv/stamp 2>/dev/null)" = "$stamp" ] && return 0
  phase "Python environment"
  rm -rf build/venv
  mkdir -p build
  if python3 -m venv build/venv && build/venv/bin/python -m pip install -q --disable-pip-version-check -r tools/dev/requirements.txt; then
    echo "$stamp" >build/venv/stamp
  else
    rm -rf build/venv
    echo "no Python environment (no network?): tests that need onnx or onnxruntime will be skipped" >&2
  fi
}

# Configures build/ once and builds everything.
build() {
  # With these, and without time stamps in it, units that use the precompiled header hit in ccache.
  export CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime
  if [ ! -f build/build.ninja ]; then
    phase "configure"
    cmake -S . -B build -G Ninja -DCMAKE_C_COMPILER=clang-22 -DCMAKE_CXX_COMPILER=clang++-22 \
      -DCMAKE_C_COMPILER_LAUNCHER=ccache -DCMAKE_CXX_COMPILER_LAUNCHER=ccache
  fi
  phase "build"
  ninja -C build
}
