// Measures the service's figures and prints them next to their goals.
//
//   ./bazelw run --config=opt //tests/benchmark -- --json=PATH
#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <set>
#include <string>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/types/optional.h"
#include "tests/benchmark/figures.h"
#include "tests/benchmark/measuring.h"
#include "tests/benchmark/report.h"

namespace rehearse::benchmark {
namespace {

std::set<std::string> AllNames() {
  std::set<std::string> names;
  for (const Group& group : AllGroups()) {
    for (const Figure& figure : group.figures) names.insert(figure.name);
  }
  return names;
}

// `bazel run` changes the folder: a relative path is meant from where the user stands.
std::string FromWorkingFolder(const std::string& path) {
  const char* folder = std::getenv("BUILD_WORKING_DIRECTORY");
  return folder == nullptr || path.front() == '/' ? path : absl::StrCat(folder, "/", path);
}

void MeasureGroup(const Group& group, const std::set<std::string>& names, const Options& options,
                  Report& report) {
  std::vector<Figure> wanted;
  for (const Figure& figure : group.figures) {
    if (names.count(figure.name) > 0) wanted.push_back(figure);
  }
  if (wanted.empty()) return;
  std::cerr << "measuring";
  for (const Figure& figure : wanted) std::cerr << " " << figure.name;
  std::cerr << std::endl;
  const Values values = group.measure(options);
  for (const Figure& figure : wanted) {
    const auto value = values.find(figure.name);
    report.Add(figure, value == values.end() ? absl::nullopt : absl::make_optional(value->second));
  }
}

int Main(int argc, char** argv) {
  CLI::App app("Measures the figures of the service and compares them with their goals.");
  Options options;
  std::string json;
  std::vector<std::string> filter;
  bool list = false;
  bool markdown = false;
  app.add_option("--json", json, "Also write the records {name, value, unit} to this file");
  app.add_option("--filter", filter, "Measure only this figure; may be repeated")
      ->check(CLI::IsMember(AllNames()));
  app.add_flag("--markdown", markdown, "Print the table as docs/performance.md shows it");
  app.add_flag("--list", list, "Print the names of the figures and exit");
  app.add_flag("--quick", options.quick,
               "A short run that shows that everything works; its values mean little");
  CLI11_PARSE(app, argc, argv);

  const std::set<std::string> names =
      filter.empty() ? AllNames() : std::set<std::string>(filter.begin(), filter.end());
  if (list) {
    for (const std::string& name : names) std::cout << name << "\n";
    return 0;
  }
  // Opened before the minutes of measuring, so that a bad path costs none.
  std::ofstream file;
  if (!json.empty()) {
    file.open(FromWorkingFolder(json));
    Require(file.good(), absl::StrCat("cannot write ", json));
  }
  Report report;
  for (const Group& group : AllGroups()) MeasureGroup(group, names, options, report);
  std::cout << (markdown ? report.Markdown() : report.Table());
  if (json.empty()) return 0;
  file << report.Json();
  file.close();
  Require(file.good(), absl::StrCat("cannot write ", json));
  return 0;
}

}  // namespace
}  // namespace rehearse::benchmark

int main(int argc, char** argv) {
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  return rehearse::benchmark::Main(argc, argv);
}
