// What the benchmark measures. A group measures figures that share a setting, each in a file of its
// own:
//
//   Group ColdStartFigures() {
//     return {{{"cold_start_ms", "ms", Bound::kAtMost, 10}},
//             [](const Options& options) { return Values{{"cold_start_ms",
//             MeasureColdStart(options)}}; }};
//   }
#ifndef REHEARSE_TESTS_BENCHMARK_FIGURES_H_
#define REHEARSE_TESTS_BENCHMARK_FIGURES_H_

#include <functional>
#include <map>
#include <string>
#include <vector>

namespace rehearse::benchmark {

enum class Bound { kNone, kAtMost, kAtLeast };

struct Figure {
  std::string name;
  std::string unit;
  Bound bound = Bound::kNone;
  double goal = 0;
};

struct Options {
  // A short run that shows that everything works; its values mean little.
  bool quick = false;

  int Repeat(int full, int quick_count) const { return quick ? quick_count : full; }
};

// By figure name.
using Values = std::map<std::string, double>;

struct Group {
  std::vector<Figure> figures;
  // Measures all of them. A failure ends the program with a message.
  std::function<Values(const Options&)> measure;
};

Group PipelineFigures();
Group RpcFigures();
Group EmbeddedFigures();
Group ConcurrencyFigures();
Group SleepingFigures();
Group ColdStartFigures();

}  // namespace rehearse::benchmark

#endif  // REHEARSE_TESTS_BENCHMARK_FIGURES_H_
