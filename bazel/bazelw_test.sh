#!/usr/bin/env bash
# bazelw on machines that are made up: a PATH of stand-ins that write down how they were called.
set -uo pipefail

readonly BAZELW=$PWD/bazelw
workspace=$(realpath "$BAZELW")
readonly workspace=${workspace%/*}
source bazel/packages.sh
readonly APT='apt-get -o DPkg::Lock::Timeout=300 install --yes --no-install-recommends'

# new_machine PACKAGE... - a Debian machine, as root, with these packages installed.
new_machine() {
  machine=$(mktemp -d "$TEST_TMPDIR/machine.XXXX")
  mkdir "$machine/bin"
  printf 'installed:%s ' "$@" >"$machine/installed"
  : >"$machine/calls"
  ln -s "$(command -v bash)" "$(command -v env)" "$(command -v realpath)" "$(command -v cat)" \
    "$machine/bin/"
  stand_in id 'echo 0'
  stand_in dpkg-query "cat '$machine/installed'"
  stand_in apt-get 'echo "apt-get speaks"; echo "$DEBIAN_FRONTEND apt-get $*" >>"$calls"; cat >>"$calls"'
  stand_in bazel 'echo "bazel speaks"; echo "bazel in $PWD: $*" >>"$calls"'
}

# stand_in NAME SCRIPT
stand_in() {
  printf '#!%s\ncalls=%q\n%s\n' "$(command -v bash)" "$machine/calls" "$2" >"$machine/bin/$1"
  chmod +x "$machine/bin/$1"
}

without() { rm "$machine/bin/$1"; }

run() {
  echo 'not for apt-get' | DEBIAN_FRONTEND='' PATH=$machine/bin BAZEL=$machine/bin/bazel \
    bash "${script:-$BAZELW}" "$@" >"$machine/out" 2>"$machine/err"
  status=$?
}

failures=0
fail() {
  echo "$test: $*"
  failures=$((failures + 1))
}
expect_status() { [[ $status == "$1" ]] || fail "status $status, not $1: $(<"$machine/err")"; }
expect_out() { [[ $(<"$machine/out") == "$1" ]] || fail "wrong standard output: $(<"$machine/out")"; }
expect_err() { [[ $(<"$machine/err") == *"$1"* ]] || fail "'$1' is not in: $(<"$machine/err")"; }
expect_calls() { [[ $(<"$machine/calls") == "$1" ]] || fail "wrong calls: $(<"$machine/calls")"; }

all_but() {
  local package
  for package in "${BUILD_PACKAGES[@]}"; do [[ " $* " == *" $package "* ]] || echo "$package"; done
}

test_complete_machine_goes_straight_to_bazel() {
  new_machine "${BUILD_PACKAGES[@]}"
  run test //... --flag='two words'
  expect_status 0
  expect_out 'bazel speaks'
  [[ ! -s $machine/err ]] || fail "not silent: $(<"$machine/err")"
  [[ $(<"$machine/calls") == *': test //... --flag=two words' ]] || fail "$(<"$machine/calls")"
}

test_missing_packages_are_installed_first() {
  new_machine $(all_but libabsl-dev g++)
  run run //:quickstart
  expect_status 0
  expect_out 'bazel speaks'
  expect_err 'installing Debian packages: g++ libabsl-dev'
  expect_calls " apt-get update
noninteractive ${APT} g++ libabsl-dev
bazel in $workspace: run //:quickstart"
}

test_removed_package_counts_as_missing() {
  new_machine $(all_but zlib1g-dev)
  printf 'config-files:zlib1g-dev ' >>"$machine/installed"
  run --no-install test
  expect_status 1
  expect_err 'zlib1g-dev'
}

test_no_install_prints_the_command() {
  new_machine $(all_but g++)
  run --no-install test //...
  expect_status 1
  expect_out ''
  expect_err "  env DEBIAN_FRONTEND=noninteractive ${APT} g++"
  expect_calls ''
}

test_no_install_on_a_complete_machine_runs_bazel() {
  new_machine "${BUILD_PACKAGES[@]}"
  run --no-install test //...
  expect_status 0
  expect_calls "bazel in $workspace: test //..."
}

test_user_installs_through_sudo() {
  new_machine $(all_but g++)
  stand_in id 'echo 1000'
  stand_in sudo 'echo "sudo $*" >>"$calls"'
  run test
  expect_status 0
  expect_calls "sudo apt-get update
sudo env DEBIAN_FRONTEND=noninteractive ${APT} g++
bazel in $workspace: test"
}

test_user_without_sudo_is_told_what_to_run() {
  new_machine $(all_but g++)
  stand_in id 'echo 1000'
  run test
  expect_status 1
  expect_err 'sudo is missing. As root, run:'
  expect_err "  env DEBIAN_FRONTEND=noninteractive ${APT} g++"
  expect_calls ''
}

test_failed_install_stops() {
  new_machine $(all_but g++)
  stand_in apt-get '[[ $1 == update ]]'
  run test
  expect_status 1
  expect_out ''
  expect_err 'installing failed'
  expect_calls ''
}

test_failed_update_does_not_stop() {
  new_machine $(all_but g++)
  stand_in apt-get '[[ $1 != update ]]'
  run test
  expect_status 0
  expect_err 'apt-get update failed; going on'
  expect_calls "bazel in $workspace: test"
}

test_other_systems_are_told_the_packages() {
  new_machine
  without dpkg-query
  run test
  expect_status 1
  expect_out ''
  expect_err "this is not a Debian system. These packages of Debian 12 are needed: ${BUILD_PACKAGES[*]}"
  expect_calls ''
}

test_status_of_bazel_is_passed_on() {
  new_machine "${BUILD_PACKAGES[@]}"
  stand_in bazel 'exit 3'
  run test
  expect_status 3
}

test_works_through_a_link_from_elsewhere_and_without_home() {
  new_machine "${BUILD_PACKAGES[@]}"
  ln -s "$BAZELW" "$machine/link"
  cd "$machine" || exit
  script=$machine/link HOME= run test
  cd - >/dev/null || exit
  expect_status 0
  expect_calls "bazel in $workspace: test"
}

test_caller_inside_the_workspace_stays_there() {
  new_machine "${BUILD_PACKAGES[@]}"
  cd "$workspace/bazel" || exit
  run test
  expect_calls "bazel in $workspace/bazel: test"
  cd - >/dev/null || exit
}

for test in $(compgen -A function test_); do "$test"; done
((failures == 0)) || exit 1
