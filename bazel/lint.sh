#!/usr/bin/env bash
# Checks the tree's form: house rules, clang-format, clang-tidy.
#
#   ./bazelw run //bazel:lint                       # everything
#   ./bazelw run //bazel:lint -- service/base       # only files below these paths
#   ./bazelw run //bazel:lint -- --fix              # formats instead of checking
set -uo pipefail

cd "$BUILD_WORKSPACE_DIRECTORY" || exit 1
source bazel/packages.sh
ensure_packages install clang-format clang-tidy git python3

fix=
if [[ ${1-} == --fix ]]; then
  fix=1
  shift
fi

# files PATTERN... - the tree's files of these forms below the paths asked for.
paths=("${@:-.}")
files() {
  git ls-files --cached --others --exclude-standard -- "${paths[@]}" | grep -E "$1" |
    while read -r file; do [[ -L $file || ! -f $file ]] || echo "$file"; done
}
mapfile -t cpp < <(files '\.(cc|h)$')
mapfile -t sources < <(files '\.cc$' | grep -v '^bazel/')
mapfile -t texts < <(files '\.(cc|h|proto|bzl|bazel|BUILD|sh|py|java)$')

if [[ $fix ]]; then
  clang-format -i "${cpp[@]}"
  exit
fi

status=0
((${#texts[@]} == 0)) || python3 bazel/lint_text.py "${texts[@]}" || status=1
((${#cpp[@]} == 0)) || clang-format --dry-run -Werror "${cpp[@]}" || status=1

# clang-tidy reads generated headers: they have to be there.
bazel=${BAZEL:-/usr/bin/bazel}
"$bazel" build --show_result=0 //proto/... || exit 1
"$bazel" aquery --output=jsonproto 'mnemonic("CppCompile", //...)' |
  python3 bazel/compile_commands.py "$PWD" "$("$bazel" info output_path)" \
    >compile_commands.json || exit 1
((${#sources[@]} == 0)) ||
  printf '%s\0' "${sources[@]}" |
  xargs -0 --max-procs="$(nproc)" --max-args=1 clang-tidy -p . --quiet || status=1

((status)) || say "clean"
exit "$status"
