#include "client/cpp/testing/history_printer.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <utility>

#include "absl/algorithm/container.h"
#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"

namespace durable::testing {
namespace {

constexpr int kMaxRecorded = 60;
constexpr int kMaxName = 40;
// Events shown on either side of one that is asked for.
constexpr int64_t kContextLines = 3;
constexpr absl::string_view kReplacement = "\xEF\xBF\xBD";

// Bytes of the UTF-8 character that `text` begins with; 0 if it does not begin with one.
size_t CharacterSize(absl::string_view text) {
  const unsigned char lead = static_cast<unsigned char>(text[0]);
  const size_t size = lead < 0x80   ? 1
                      : lead < 0xC2 ? 0
                      : lead < 0xE0 ? 2
                      : lead < 0xF0 ? 3
                      : lead < 0xF5 ? 4
                                    : 0;
  if (size > text.size()) return 0;
  for (size_t i = 1; i < size; ++i) {
    if ((static_cast<unsigned char>(text[i]) & 0xC0) != 0x80) return 0;
  }
  return size;
}

// How the character that `text` begins with is shown; moves `text` past it.
std::string TakeCharacter(absl::string_view& text) {
  const size_t size = CharacterSize(text);
  const absl::string_view character = text.substr(0, std::max<size_t>(size, 1));
  text.remove_prefix(character.size());
  if (size == 0) return std::string(kReplacement);
  const unsigned char lead = static_cast<unsigned char>(character[0]);
  if (character == "\n") return "\\n";
  if (character == "\t") return "\\t";
  if (lead < 0x20 || lead == 0x7F) return absl::StrFormat("\\x%02x", lead);
  return std::string(character);
}

int Width(absl::string_view text) {
  return static_cast<int>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  }));
}

// What the event says, besides its columns.
std::string Recorded(const Event& event) {
  std::vector<std::string> parts;
  if (event.payload.has_value()) parts.push_back(Abbreviate(*event.payload, kMaxRecorded));
  if (event.error.has_value()) parts.push_back(Abbreviate(FormatError(*event.error), kMaxRecorded));
  if (event.duration_seconds != 0)
    parts.push_back(absl::FormatDuration(absl::Seconds(event.duration_seconds)));
  if (!event.function_name.empty()) parts.push_back(absl::StrCat("-> ", event.function_name));
  if (!event.tenant_id.empty()) parts.push_back(absl::StrCat("tenant ", event.tenant_id));
  if (event.attempt > 1 || event.next_attempt_delay_seconds.has_value()) {
    parts.push_back(absl::StrCat("attempt ", event.attempt));
  }
  if (event.next_attempt_delay_seconds.has_value()) {
    parts.push_back(absl::StrCat(
        "next in ", absl::FormatDuration(absl::Seconds(*event.next_attempt_delay_seconds))));
  }
  if (event.timeout_seconds != 0) {
    parts.push_back(
        absl::StrCat("timeout ", absl::FormatDuration(absl::Seconds(event.timeout_seconds))));
  }
  if (event.heartbeat_timeout_seconds != 0) {
    parts.push_back(absl::StrCat("heartbeat timeout ", absl::FormatDuration(absl::Seconds(
                                                           event.heartbeat_timeout_seconds))));
  }
  return absl::StrJoin(parts, ", ");
}

constexpr size_t kColumns = 6;
using Row = std::array<std::string, kColumns>;

class DepthByOperation {
 public:
  // How many contexts lie around the event's operation.
  int Of(const Event& event) {
    const auto parent = depths_.find(event.parent_id);
    const int depth = event.parent_id.empty() || parent == depths_.end() ? 0 : parent->second + 1;
    depths_[event.operation_id] = depth;
    return depth;
  }

 private:
  absl::flat_hash_map<std::string, int> depths_;
};

Row RowOf(const Event& event, absl::Time start, int depth) {
  return {absl::StrCat(event.id),
          absl::StrCat(
              "+", absl::FormatDuration(absl::Trunc(event.time - start, absl::Milliseconds(1)))),
          absl::FormatTime("%H:%M:%E3S", event.time, absl::UTCTimeZone()),
          std::string(EventTypeName(event.type)),
          absl::StrCat(std::string(2 * depth, ' '), Abbreviate(event.name, kMaxName)),
          Recorded(event)};
}

std::string FormatRow(const Row& row, const std::array<int, kColumns>& widths) {
  std::string line;
  for (size_t i = 0; i < kColumns; ++i) {
    const std::string padding(widths[i] - Width(row[i]), ' ');
    const bool right = i == 0;
    absl::StrAppend(&line, i == 0 ? "" : "  ", right ? padding : "", row[i], right ? "" : padding);
  }
  line.erase(line.find_last_not_of(' ') + 1);
  return absl::StrCat(line, "\n");
}

// The heading, and a line for each event.
std::vector<std::string> FormatLines(const std::vector<Event>& events) {
  std::vector<Row> rows = {{"id", "time", "at", "event", "name", "recorded"}};
  DepthByOperation depths;
  for (const Event& event : events)
    rows.push_back(RowOf(event, events.front().time, depths.Of(event)));

  std::array<int, kColumns> widths = {};
  for (const Row& row : rows) {
    for (size_t i = 0; i < kColumns; ++i) widths[i] = std::max(widths[i], Width(row[i]));
  }
  std::vector<std::string> lines;
  for (const Row& row : rows) lines.push_back(FormatRow(row, widths));
  return lines;
}

}  // namespace

std::string Abbreviate(absl::string_view text, int max_characters) {
  std::vector<std::string> shown;
  absl::string_view rest = text;
  while (!rest.empty() && static_cast<int>(shown.size()) <= max_characters)
    shown.push_back(TakeCharacter(rest));
  if (static_cast<int>(shown.size()) <= max_characters) return absl::StrJoin(shown, "");
  const std::string size = absl::StrCat("... (", text.size(), " bytes)");
  shown.resize(std::max(0, max_characters - static_cast<int>(size.size())));
  return absl::StrCat(absl::StrJoin(shown, ""), size);
}

std::string FormatError(const ErrorObject& error) {
  if (error.type.empty()) return error.message;
  return error.message.empty() ? error.type : absl::StrCat(error.type, ": ", error.message);
}

std::string FormatHistory(const std::vector<Event>& events) {
  if (events.empty()) return "(no events)\n";
  return absl::StrJoin(FormatLines(events), "");
}

std::string FormatHistoryAround(const std::vector<Event>& events,
                                const std::vector<int64_t>& event_ids) {
  const std::vector<std::string> lines = FormatLines(events);
  std::string text = absl::StrCat("  ", lines[0]);
  size_t shown = 0;
  for (size_t i = 0; i < events.size(); ++i) {
    const auto distance = [&](int64_t id) { return std::abs(id - events[i].id); };
    if (absl::c_none_of(event_ids, [&](int64_t id) { return distance(id) <= kContextLines; }))
      continue;
    if (i > shown) text += "  ...\n";
    absl::StrAppend(&text, absl::c_linear_search(event_ids, events[i].id) ? "> " : "  ",
                    lines[i + 1]);
    shown = i + 1;
  }
  if (shown < events.size()) text += "  ...\n";
  return text;
}

std::string CompactHistory(const std::vector<Event>& events) {
  std::vector<std::string> codes;
  for (const Event& event : events) {
    if (event.id > 1) codes.push_back(absl::StrCat(EventTypeCode(event.type), event.id));
  }
  return absl::StrJoin(codes, " ");
}

}  // namespace durable::testing
