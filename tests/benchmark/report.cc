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

std::string Value(const absl::optional<double>& value) {
  return value.has_value() ? absl::StrFormat("%.4g", *value) : "not measured";
}

std::string Met(const Figure& figure, const absl::optional<double>& value) {
  if (figure.bound == Bound::kNone) return "-";
  if (!value.has_value()) return "NO";
  const bool met = figure.bound == Bound::kAtMost ? *value <= figure.goal : *value >= figure.goal;
  return met ? "yes" : "NO";
}

}  // namespace

std::string Report::Table() const {
  std::string table = absl::StrFormat(kRow, "name", "value", "unit", "goal", "met");
  for (const auto& [figure, value] : entries_) {
    absl::StrAppendFormat(&table, kRow, figure.name, Value(value), figure.unit, Goal(figure),
                          Met(figure, value));
  }
  return table;
}

std::string Report::Markdown() const {
  std::string table = "| Figure | Value | Goal | Met |\n| --- | --- | --- | --- |\n";
  for (const auto& [figure, value] : entries_) {
    absl::StrAppendFormat(&table, "| `%s` | %s %s | %s | %s |\n", figure.name, Value(value),
                          figure.unit, Goal(figure), Met(figure, value));
  }
  return table;
}

std::string Report::Json() const {
  nlohmann::ordered_json records = nlohmann::ordered_json::array();
  for (const auto& [figure, value] : entries_) {
    if (!value.has_value()) continue;
    records.push_back({{"name", figure.name}, {"value", *value}, {"unit", figure.unit}});
  }
  return absl::StrCat(records.dump(2), "\n");
}

}  // namespace rehearse::benchmark
