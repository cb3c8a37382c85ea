#include "client/cpp/testing/history_pattern.h"

#include <utility>

#include "absl/algorithm/container.h"
#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "client/cpp/durable/serdes.h"
#include "client/cpp/durable/status_macros.h"

namespace durable::testing::internal {
namespace {

constexpr absl::string_view kGap = "...";

struct Word {
  absl::string_view name;
  std::string (*value)(const Event& event, const std::vector<Event>& history);
};

std::string ParentEventId(const Event& event, const std::vector<Event>& history) {
  if (event.parent_id.empty()) return "0";
  const auto start = absl::c_find_if(
      history, [&](const Event& other) { return other.operation_id == event.parent_id; });
  return start == history.end() ? "" : absl::StrCat(start->id);
}

const Word kWords[] = {
    {"attempt", [](const Event& event, const auto&) { return absl::StrCat(event.attempt); }},
    {"delay",
     [](const Event& event, const auto&) {
       return event.next_attempt_delay_seconds.has_value()
                  ? absl::StrCat(*event.next_attempt_delay_seconds)
                  : std::string();
     }},
    {"duration",
     [](const Event& event, const auto&) { return absl::StrCat(event.duration_seconds); }},
    {"error",
     [](const Event& event, const auto&) {
       return event.error.has_value() ? event.error->type : std::string();
     }},
    {"function", [](const Event& event, const auto&) { return event.function_name; }},
    {"heartbeat",
     [](const Event& event, const auto&) { return absl::StrCat(event.heartbeat_timeout_seconds); }},
    {"message",
     [](const Event& event, const auto&) {
       return event.error.has_value() ? event.error->message : std::string();
     }},
    {"name", [](const Event& event, const auto&) { return event.name; }},
    {"parent", ParentEventId},
    {"payload", [](const Event& event, const auto&) { return event.payload.value_or(""); }},
    {"request", [](const Event& event, const auto&) { return event.request_id; }},
    {"sub_type", [](const Event& event, const auto&) { return event.sub_type; }},
    {"tenant", [](const Event& event, const auto&) { return event.tenant_id; }},
    {"timeout",
     [](const Event& event, const auto&) { return absl::StrCat(event.timeout_seconds); }},
};

const Word* FindWord(absl::string_view name) {
  const Word* const found = absl::c_find_if(kWords, [&](const Word& w) { return w.name == name; });
  return found == std::end(kWords) ? nullptr : found;
}

bool MatchesText(absl::string_view pattern, absl::string_view text) {
  const size_t star = pattern.find('*');
  if (star == absl::string_view::npos) return pattern == text;
  if (!absl::ConsumePrefix(&text, pattern.substr(0, star))) return false;
  const absl::string_view rest = pattern.substr(star + 1);
  for (size_t skipped = 0; skipped <= text.size(); ++skipped) {
    if (MatchesText(rest, text.substr(skipped))) return true;
  }
  return false;
}

bool Matches(absl::string_view pattern, const std::string& text) {
  if (MatchesText(pattern, text)) return true;
  const Json expected = Json::parse(pattern.begin(), pattern.end(), nullptr, false);
  const Json actual = Json::parse(text, nullptr, false);
  return !expected.is_discarded() && !actual.is_discarded() && expected == actual;
}

bool EndsExecution(EventType type) {
  return type == EventType::kExecutionSucceeded || type == EventType::kExecutionFailed ||
         type == EventType::kExecutionTimedOut || type == EventType::kExecutionStopped;
}

std::string Written(const Event& event) {
  return absl::StrCat(EventTypeCode(event.type), event.id);
}

absl::Status Unreadable(absl::string_view why, absl::string_view where) {
  return absl::InvalidArgumentError(
      absl::StrCat("no history: ", why, " at \"", where.substr(0, 20), "\""));
}

// Splits "a, b] rest" at its commas, and moves `rest` past the bracket.
absl::StatusOr<std::vector<std::string>> TakeParts(absl::string_view& rest) {
  const absl::string_view begin = rest;
  std::vector<std::string> parts(1);
  int depth = 0;
  bool quoted = false;
  while (!rest.empty()) {
    const char c = rest.front();
    rest.remove_prefix(1);
    if (!quoted && depth == 0 && c == ']') return parts;
    if (!quoted && depth == 0 && c == ',') {
      parts.emplace_back();
      continue;
    }
    parts.back().push_back(c);
    if (quoted && c == '\\' && !rest.empty()) {
      parts.back().push_back(rest.front());
      rest.remove_prefix(1);
    } else if (c == '"') {
      quoted = !quoted;
    } else if (!quoted) {
      depth += c == '[' || c == '{' ? 1 : c == ']' || c == '}' ? -1 : 0;
    }
  }
  return Unreadable("a ']' is missing", begin);
}

}  // namespace

absl::StatusOr<HistoryPattern> HistoryPattern::Parse(absl::string_view text) {
  HistoryPattern pattern;
  for (absl::string_view rest = absl::StripLeadingAsciiWhitespace(text); !rest.empty();
       rest = absl::StripLeadingAsciiWhitespace(rest)) {
    DURABLE_ASSIGN_OR_RETURN(Item item, TakeItem(rest));
    pattern.items_.push_back(std::move(item));
  }
  return pattern;
}

absl::StatusOr<HistoryPattern::Item> HistoryPattern::TakeItem(absl::string_view& rest) {
  const absl::string_view begin = rest;
  Item item;
  if (absl::ConsumePrefix(&rest, kGap)) {
    item.gap = true;
    return item;
  }
  const auto take_while = [&rest](bool (*wanted)(unsigned char)) {
    size_t size = 0;
    while (size < rest.size() && wanted(rest[size])) ++size;
    const absl::string_view taken = rest.substr(0, size);
    rest.remove_prefix(size);
    return taken;
  };
  item.code = std::string(take_while(absl::ascii_isalpha));
  if (item.code.size() != 2 || !absl::SimpleAtoi(take_while(absl::ascii_isdigit), &item.id))
    return Unreadable("a type code and an event id are expected", begin);
  if (absl::ConsumePrefix(&rest, "[")) {
    DURABLE_ASSIGN_OR_RETURN(item.details, TakeDetails(rest));
  }
  if (!rest.empty() && !absl::ascii_isspace(rest.front()))
    return Unreadable("a space is expected between events", begin);
  return item;
}

absl::StatusOr<std::vector<HistoryPattern::Detail>> HistoryPattern::TakeDetails(
    absl::string_view& rest) {
  DURABLE_ASSIGN_OR_RETURN(const std::vector<std::string> parts, TakeParts(rest));
  std::vector<Detail> details;
  for (const absl::string_view part : parts) {
    const absl::string_view trimmed = absl::StripAsciiWhitespace(part);
    const size_t end = std::min(trimmed.find(' '), trimmed.size());
    Detail detail;
    detail.word = std::string(trimmed.substr(0, end));
    detail.value = std::string(absl::StripLeadingAsciiWhitespace(trimmed.substr(end)));
    if (FindWord(detail.word) == nullptr) {
      return Unreadable(absl::StrCat("a detail is one of ",
                                     absl::StrJoin(kWords, ", ",
                                                   [](std::string* out, const Word& word) {
                                                     absl::StrAppend(out, word.name);
                                                   }),
                                     "; there is none"),
                        trimmed);
    }
    details.push_back(std::move(detail));
  }
  return details;
}

absl::optional<HistoryMismatch> HistoryPattern::Compare(const std::vector<Event>& history) const {
  int64_t next = 2;
  bool gap = false;
  for (const Item& item : items_) {
    if (item.gap) {
      gap = true;
      continue;
    }
    if (gap ? item.id < next : item.id != next) {
      return HistoryMismatch{next, absl::StrCat("the pattern has ", item.code, item.id,
                                                " in the place of event ", next)};
    }
    absl::optional<HistoryMismatch> mismatch = CompareEvent(item, history);
    if (mismatch.has_value()) return mismatch;
    next = item.id + 1;
    gap = false;
  }
  const int64_t last = static_cast<int64_t>(history.size());
  if (gap || last < next || (last == next && EndsExecution(history.back().type)))
    return absl::nullopt;
  return HistoryMismatch{
      next, absl::StrCat("nothing is expected in the place of ", Written(history[next - 1]))};
}

absl::optional<HistoryMismatch> HistoryPattern::CompareEvent(const Item& item,
                                                             const std::vector<Event>& history) {
  const std::string expected = absl::StrCat(item.code, item.id);
  const auto found =
      absl::c_find_if(history, [&](const Event& event) { return event.id == item.id; });
  if (found == history.end()) {
    return HistoryMismatch{static_cast<int64_t>(history.size()) + 1,
                           absl::StrCat("the history ends before ", expected)};
  }
  if (EventTypeCode(found->type) != item.code)
    return HistoryMismatch{item.id, absl::StrCat(Written(*found), " is not ", expected)};
  for (const Detail& detail : item.details) {
    const std::string actual = FindWord(detail.word)->value(*found, history);
    if (Matches(detail.value, actual)) continue;
    return HistoryMismatch{
        item.id, absl::StrCat("the ", detail.word, " of ", expected, " is ",
                              actual.empty() ? "absent" : actual, ", not ", detail.value)};
  }
  return absl::nullopt;
}

}  // namespace durable::testing::internal
