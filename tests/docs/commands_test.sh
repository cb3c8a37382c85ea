#!/usr/bin/env bash
# The shell commands of the documents do what the documents say. grpcurl's are looked at by readme_test, the AWS
# CLI's run by //tests/interop/boto3, npm's by //client/node, those that need a PostgreSQL by //tests/crash.
set -uo pipefail

readonly REHEARSE=service/cli/rehearse
readonly QUICKSTART=client/cpp/examples/quickstart/quickstart
failures=0
fail() {
  echo "$command: $*"
  failures=$((failures + 1))
}

# Commands of the sh blocks of a document: without comments, continuation lines joined.
commands_of() {
  awk '/^```/ { inside = ($0 == "```sh"); next } inside' "$1" |
    sed -e ':join' -e '/\\$/ { N; s/\\\n *//; b join' -e '}' -e 's/ *#.*//' -e '/^$/d'
}

run_quickstart() {
  local output
  output=$("$QUICKSTART") || fail "status $?"
  [[ $output == *'["1 2","3 4 4 3","5 6"]'* ]] || fail "no result: $output"
  [[ $output == *ExecutionSucceeded* ]] || fail "no history: $output"
}

# rehearse up FLAG... - the same, on a port and with a ready file of this test's.
run_up() {
  local flag flags=() ready=$TEST_TMPDIR/ready.json
  for flag in "$@"; do
    case $flag in
      --grpc-address=* | --http-address=*) flags+=("${flag%:*}:0") ;;
      --ready-file=*) ;;
      --store=sqlite:*) flags+=("--store=sqlite:$TEST_TMPDIR/$(basename "${flag#*:}")") ;;
      *) flags+=("$flag") ;;
    esac
  done
  local status line err
  exec {err}< <(exec "$REHEARSE" up "${flags[@]}" --ready-file="$ready" 2>&1)
  local server=$!
  while read -r line <&"$err" && [[ $line != *serving* ]]; do :; done
  [[ $(<"$ready") == '{"grpc": "'*':'*'"}' ]] || fail "ready file: $(<"$ready")"
  kill -TERM "$server"
  wait "$server"
  status=$?
  exec {err}<&-
  [[ $status == 0 ]] || fail "status $status"
  [[ ! -e $ready ]] || fail "left its ready file behind"
}

run_help() {
  "$REHEARSE" "$@" | grep -q Usage || fail "no help"
}

# rehearse SUBCOMMAND... ARGUMENT... - the subcommand and each option are known.
check_usage() {
  local word help subcommand=()
  for word in "$@"; do
    [[ $word != -- ]] || break
    if [[ $word == --* ]]; then
      grep -q -- "${word%%=*}" <<<"$help" || fail "$word is unknown"
    elif [[ -z ${help-} ]] || grep -q "^  $word " <<<"$help"; then
      subcommand+=("$word")
      help=$("$REHEARSE" "${subcommand[@]}" --help) || fail "status $?"
    fi
  done
}

# A label that Bazel knows here, by its BUILD file or as a pattern, is as good as built.
check_configuration() {
  local word
  for word in "$@"; do
    [[ $word != --config=* ]] || grep -q "^build:${word#--config=} " .bazelrc || fail "$word is unknown"
  done
}

for document in README.md CONTRIBUTING.md docs/*.md; do
  while read -r command; do
    read -ra words <<<"${command% &}"
    case $command in
      './bazelw run //:quickstart') run_quickstart ;;
      ./bazelw\ *) check_configuration "${words[@]}" ;;
      'rehearse up --help') run_help up --help ;;
      rehearse\ up\ *postgres://*) check_usage "${words[@]:1}" ;;
      rehearse\ up\ * | out/bin/service/cli/rehearse\ up\ *) run_up "${words[@]:2}" ;;
      rehearse\ *) check_usage "${words[@]:1}" ;;
      'source <(rehearse '*')') check_usage "${words[@]:2}" ;;
      grpcurl\ * | aws\ * | go\ * | mvn\ * | npm\ * | npx\ * | pip\ * | 'export AWS_'* | 'export GOPROXY='*) ;;
      *) fail 'is not tested' ;;
    esac
    count=$((${count-0} + 1))
  done < <(commands_of "$document")
done
((count > 10)) || { echo "only $count commands found" && exit 1; }
((failures == 0)) || exit 1
