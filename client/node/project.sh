# Sourced by tests: a project that has the package installed.

readonly MODULES=$PWD/external/client_node/node_modules
readonly PROGRAM=$PWD/service/cli/rehearse

# make_project FOLDER - with the packages of the lock file, and rehearse among them.
make_project() {
  mkdir -p "$1/node_modules/rehearse"
  ln -s "$MODULES"/* "$1/node_modules"
  tar -xf client/node/rehearse_js.tar -C "$1/node_modules/rehearse" --strip-components=1
  mkdir "$1/node_modules/rehearse/bin"
  ln -s "$PROGRAM" "$1/node_modules/rehearse/bin/rehearse"
}

# compile NODE OUT_FOLDER FILE... - to CommonJS, which is what Jest runs.
compile() {
  local node=$1 out=$2
  shift 2
  "$node" "$MODULES/esbuild/bin/esbuild" "$@" --format=cjs --platform=node --target=node20 \
    --outdir="$out" --log-level=warning
}
