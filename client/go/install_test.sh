#!/usr/bin/env bash
# Does what README.md says, in an empty folder, with the module as it is released:
# install_test.sh MODULE GO MODULES TOOLS README...
# Without the network: other modules come from the folder of MODULES; TOOLS has compiled packages.
set -euo pipefail

readonly module=$PWD/$1 go=$(readlink -f "$2") modules=$(readlink -f "$3") tools=$PWD/$4
shift 4

export HOME=$TEST_TMPDIR PATH=$TEST_TMPDIR/bin:/usr/bin:/bin
export GOPROXY=file://$module,file://${modules%/*}/cache/cache/download GONOSUMDB='*' GOTOOLCHAIN=local
# As the packages in TOOLS were compiled; vet would look at all of them.
export CGO_ENABLED=0 GOFLAGS='-trimpath -buildvcs=false -modcacherw -vet=off -gcflags=all=-dwarf=false -ldflags=-w'
export GOCACHE=$TEST_TMPDIR/cache
unset REHEARSE_BINARY REHEARSE_SERVER
mkdir "$TEST_TMPDIR/bin" "$GOCACHE"
ln -s "$go" "$TEST_TMPDIR/bin/go"
tar --extract --file="$tools" --directory="$GOCACHE"

# block README LANGUAGE N - the N-th block of that language.
block() {
  awk -v language="$2" -v wanted="$3" '
    /^```/ { inside = 0 }
    inside { print }
    $0 == "```" language && ++count == wanted { inside = 1 }' "$1"
}

# check README - its commands, with its two blocks of Go in the files that they are for.
check() {
  local readme=$PWD/$1 folder command
  folder=$(mktemp -d -p "$TEST_TMPDIR")
  block "$readme" go 1 >"$folder/greeter.go"
  block "$readme" go 2 >"$folder/greeter_test.go"
  pushd "$folder"
  while read -r command; do
    echo "+ $command"
    $command
  done < <(sed -n '/^```sh$/,/^```$/p' "$readme" | grep '^go ')
  popd
}

for readme in "$@"; do check "$readme"; done
[[ -x $(echo "$HOME"/.cache/rehearse/*/rehearse) ]] || { echo "the program came from elsewhere" && exit 1; }
