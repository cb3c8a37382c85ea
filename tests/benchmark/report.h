// The table for people and the records for programs.
//
//   Report report;
//   report.Add({"cold_start_ms", "ms", Bound::kAtMost, 10}, 4.9);
//   std::cout << report.Table();                 // cold_start_ms   4.9   ms   <= 10   yes
//   file << report.Json();                       // [{"name": "cold_start_ms", "value": 4.9,
//   "unit": "ms"}]
#ifndef REHEARSE_TESTS_BENCHMARK_REPORT_H_
#define REHEARSE_TESTS_BENCHMARK_REPORT_H_

#include <string>
#include <utility>
#include <vector>

#include "absl/types/optional.h"
#include "tests/benchmark/figures.h"

namespace rehearse::benchmark {

class Report {
 public:
  // nullopt: could not be measured.
  void Add(Figure figure, absl::optional<double> value) {
    entries_.push_back({std::move(figure), value});
  }

  // A line per figure: name, value, unit, goal, and whether it is met.
  std::string Table() const;
  // The same as docs/performance.md shows it.
  std::string Markdown() const;
  // What has been measured.
  std::string Json() const;

 private:
  struct Entry {
    Figure figure;
    absl::optional<double> value;
  };
  std::vector<Entry> entries_;
};

}  // namespace rehearse::benchmark

#endif  // REHEARSE_TESTS_BENCHMARK_REPORT_H_
