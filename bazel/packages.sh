# Debian packages: which are missing, and how to get them. Sourced by bazelw and bazel/lint.sh.
# Writes to standard error only.

# What `bazel test //...` needs: the build itself, then the libraries, static archives included.
BUILD_PACKAGES=(
  bazel-bootstrap
  bazel-rules-java
  g++
  maven
  protobuf-compiler
  protobuf-compiler-grpc
  python3-grpcio
  python3-pip
  python3-protobuf
  python3-yaml

  libabsl-dev
  libbenchmark-dev
  libboost-dev
  libc-ares-dev
  libcli11-dev
  libfmt-dev
  libgmock-dev
  libgoogle-perftools-dev
  libgrpc++-dev
  libgtest-dev
  libpq-dev
  libprotobuf-dev
  librapidcheck-dev
  libre2-dev
  libspdlog-dev
  libsqlite3-dev
  libssl-dev
  libyaml-cpp-dev
  nlohmann-json3-dev
  postgresql
  zlib1g-dev
)

say() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }

is_debian() { command -v dpkg-query >/dev/null && command -v apt-get >/dev/null; }

# Sets the array `missing` to those of the packages named that are not installed.
find_missing_packages() {
  local installed package
  installed=" $(dpkg-query -W -f '${db:Status-Status}:${Package} ' "$@" 2>/dev/null || true)"
  missing=()
  for package in "$@"; do
    [[ $installed == *" installed:$package "* ]] || missing+=("$package")
  done
}

# ensure_packages ask|install PACKAGE... - returns with all packages installed, or ends the script
# with status 1: "ask" prints the command that installs them, "install" runs it.
ensure_packages() {
  local mode=$1
  shift
  if ! is_debian; then
    say "this is not a Debian system. These packages of Debian 12 are needed: $*"
    exit 1
  fi
  local missing
  find_missing_packages "$@"
  ((${#missing[@]})) || return 0

  local as_root=()
  [[ $(id -u) == 0 ]] || as_root=(sudo)
  local update=("${as_root[@]}" apt-get update)
  local install=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive
    apt-get -o DPkg::Lock::Timeout=300 install --yes --no-install-recommends "${missing[@]}")

  if [[ $mode == ask ]]; then
    say "missing Debian packages. Install them with:"
    printf '  %s\n' "${update[*]}" "${install[*]}" >&2
    exit 1
  fi
  if ((${#as_root[@]})) && ! command -v "${as_root[0]}" >/dev/null; then
    say "sudo is missing. As root, run:"
    printf '  %s\n' "${update[*]:1}" "${install[*]:1}" >&2
    exit 1
  fi
  say "installing Debian packages: ${missing[*]}"
  # A source that cannot be refreshed need not be one of those used here.
  "${update[@]}" </dev/null >&2 || say "apt-get update failed; going on with the lists there are"
  if ! "${install[@]}" </dev/null >&2; then
    say "installing failed. Once what apt-get says is mended, run again, or by hand:"
    printf '  %s\n' "${update[*]}" "${install[*]}" >&2
    exit 1
  fi
}
