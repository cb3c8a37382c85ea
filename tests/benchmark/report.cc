#include "tests/benchmark/report.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "nlohmann/json.hpp"

namespace rehearse::benchmark {
namespace {

constexpr char kRow[] = "%-32s %12s  %-6s %12s  %s\n";

std::string Goal(const Figure& figure) {
  switch (figure.bound) {
    case Bound::kAtMost:
      return absl::StrCat("<= ", figure.goal);
    case Bound::kAtLeast:
      return absl::StrCat(">= ", figure.goal);
    case Bound::kNone:
      break;
  }
  return "-";
}

std::string Met(const Figure& figure, double value) {
  if (figure.bound == Bound::kNone) return "-";
  const bool met = figure.bound == Bound::kAtMost ? value <= figure.goal : value >= figure.goal;
  return met ? "yes" : "NO";
}

}  // namespace

std::string Report::Table() const {
  std::string table = absl::StrFormat(kRow, "name", "value", "unit", "goal", "met");
  for (const Entry& entry : entries_) {
    const Figure& figure = entry.figure;
    absl::StrAppendFormat(&table, kRow, figure.name, absl::StrFormat("%.4g", entry.value),
                          figure.unit, Goal(figure), Met(figure, entry.value));
  }
  return table;
}

std::string Report::Json() const {
  nlohmann::ordered_json records = nlohmann::ordered_json::array();
  for (const Entry& entry : entries_) {
    records.push_back(
        {{"name", entry.figure.name}, {"value", entry.value}, {"unit", entry.figure.unit}});
  }
  return absl::StrCat(records.dump(2), "\n");
}

}  // namespace rehearse::benchmark
