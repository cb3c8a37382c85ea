// What the benchmark measures. Figures that share a setting form a group, which is measured in a
// file of its own; figures.cc declares all of them with their goals.
//
//   for (const Group& group : AllGroups()) {
//     Values values = group.measure(options);            // {"cold_start_ms": 4.9}
//   }
#ifndef REHEARSE_TESTS_BENCHMARK_FIGURES_H_
#define REHEARSE_TESTS_BENCHMARK_FIGURES_H_

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
  // Measures all of them; leaves out what the machine was too slow for, with a message. A failure
  // ends the program with a message.
  Values (*measure)(const Options&);
};

std::vector<Group> AllGroups();

Values MeasurePipeline(const Options& options);
Values MeasureRpc(const Options& options);
Values MeasureEmbedded(const Options& options);
Values MeasureSdk(const Options& options);
Values MeasureRest(const Options& options);
// False when the suite could not be fetched: its figure is left out.
bool HasConformanceSuite();
Values MeasureConformance(const Options& options);
// False when what the client needs could not be fetched: its figures are left out.
bool HasPythonClient();
Values MeasurePython(const Options& options);
bool HasNodeClient();
Values MeasureNode(const Options& options);
Values MeasureRuntimeApi(const Options& options);
// False when the SDK could not be fetched: its figure is left out.
bool HasOfficialPython();
Values MeasurePythonLambda(const Options& options);
Values MeasureConcurrency(const Options& options);
Values MeasureSleeping(const Options& options);
Values MeasureStores(const Options& options);
Values MeasurePostgres(const Options& options);
Values MeasureColdStart(const Options& options);

}  // namespace rehearse::benchmark

#endif  // REHEARSE_TESTS_BENCHMARK_FIGURES_H_
