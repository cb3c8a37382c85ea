// The Python runner beside AWS's: a program of its own, which prints "NAME VALUE" lines.
#include <unistd.h>

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "tests/benchmark/figures.h"
#include "tests/benchmark/measuring.h"

namespace rehearse::benchmark {
namespace {

constexpr char kProgram[] = "client/python/benchmark/figures.sh";

}  // namespace

bool HasPythonClient() { return access(kProgram, X_OK) == 0; }

Values MeasurePython(const Options& options) {
  Values values;
  const std::string text = OutputOf(absl::StrCat(kProgram, options.quick ? " --quick" : ""));
  for (const absl::string_view line : absl::StrSplit(text, '\n', absl::SkipEmpty())) {
    const std::pair<std::string, std::string> words = absl::StrSplit(line, ' ');
    Require(absl::SimpleAtod(words.second, &values[words.first]),
            absl::StrCat("the Python benchmark said something else:\n", text));
  }
  return values;
}

}  // namespace rehearse::benchmark
