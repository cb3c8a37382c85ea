// The conformance suite: its driver, the handlers and the service, as the test runs them.
#include <unistd.h>

#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "tests/benchmark/figures.h"
#include "tests/benchmark/measuring.h"

namespace rehearse::benchmark {
namespace {

// The published suites; the requirements of our own have folders of other names.
constexpr absl::string_view kSuites =
    "step wait child callback invoke wait_for_condition wait_for_callback parallel map plugin";
constexpr absl::string_view kQuickSuite = "wait";

constexpr char kDriver[] = "tests/conformance/run_conformance.sh";

}  // namespace

bool HasConformanceSuite() { return access(kDriver, X_OK) == 0; }

Values MeasureConformance(const Options& options) {
  const std::string text =
      OutputOf(absl::StrCat(kDriver, " ", options.quick ? kQuickSuite : kSuites));
  // "171 of 171 requirements met in 3.4 s"
  constexpr absl::string_view kBefore = " requirements met in ";
  const size_t before = text.rfind(kBefore.data(), std::string::npos, kBefore.size());
  double seconds = 0;
  const std::vector<std::string> words =
      before == std::string::npos
          ? std::vector<std::string>()
          : absl::StrSplit(text.substr(before + kBefore.size()), absl::MaxSplits(' ', 1));
  Require(!words.empty() && absl::SimpleAtod(words[0], &seconds),
          absl::StrCat("the conformance driver said something else:\n", text));
  return {{"conformance_171_s", seconds}};
}

}  // namespace rehearse::benchmark
