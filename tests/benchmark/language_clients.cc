// The runners of Python and Node.js beside AWS's: programs of their own, which print "NAME VALUE"
// lines.
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

constexpr char kPythonProgram[] = "client/python/benchmark/figures.sh";
constexpr char kNodeProgram[] = "client/node/benchmark/figures.sh";

Values MeasureWith(const char* program, const Options& options) {
  Values values;
  const std::string text = OutputOf(absl::StrCat(program, options.quick ? " --quick" : ""));
  for (const absl::string_view line : absl::StrSplit(text, '\n', absl::SkipEmpty())) {
    const std::pair<std::string, std::string> words = absl::StrSplit(line, ' ');
    Require(absl::SimpleAtod(words.second, &values[words.first]),
            absl::StrCat(program, " said something else:\n", text));
  }
  return values;
}

}  // namespace

bool HasPythonClient() { return access(kPythonProgram, X_OK) == 0; }

Values MeasurePython(const Options& options) { return MeasureWith(kPythonProgram, options); }

bool HasNodeClient() { return access(kNodeProgram, X_OK) == 0; }

Values MeasureNode(const Options& options) { return MeasureWith(kNodeProgram, options); }

}  // namespace rehearse::benchmark
