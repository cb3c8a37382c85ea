#include "service/cli/text_table.h"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/time.h"

namespace rehearse {
namespace {

bool IsContinuation(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }

// In characters; what the service holds is UTF-8.
size_t Width(absl::string_view text) {
  return static_cast<size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return !IsContinuation(c); }));
}

absl::string_view CodeOf(Colour colour) {
  switch (colour) {
    case Colour::kRed:
      return "\x1b[31m";
    case Colour::kGreen:
      return "\x1b[32m";
    case Colour::kYellow:
      return "\x1b[33m";
    case Colour::kCyan:
      return "\x1b[36m";
    case Colour::kNone:
      break;
  }
  return "";
}

void AppendEscaped(absl::string_view character, std::string& line) {
  const unsigned char first = static_cast<unsigned char>(character[0]);
  if (character == "\n") {
    line += "\\n";
  } else if (character == "\t") {
    line += "\\t";
  } else if (first < 0x20 || first == 0x7F) {
    absl::StrAppendFormat(&line, "\\x%02x", first);
  } else {
    line.append(character.data(), character.size());
  }
}

}  // namespace

bool OutputHasColours() { return isatty(STDOUT_FILENO) == 1 && std::getenv("NO_COLOR") == nullptr; }

TextTable::TextTable(std::vector<std::string> header)
    : TextTable(std::move(header), OutputHasColours()) {}

TextTable::TextTable(std::vector<std::string> header, bool has_colours)
    : has_colours_(has_colours) {
  rows_.emplace_back(header.begin(), header.end());
}

void TextTable::Add(std::vector<Cell> row) { rows_.push_back(std::move(row)); }

std::string TextTable::ToString() const {
  if (rows_.size() < 2) return "";
  std::vector<size_t> widths(rows_[0].size());
  for (const std::vector<Cell>& row : rows_) {
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], Width(row[i].text));
  }
  std::string text;
  for (const std::vector<Cell>& row : rows_) text += FormatRow(row, widths, has_colours_);
  return text;
}

std::string FormatRow(const std::vector<Cell>& row, const std::vector<size_t>& widths,
                      bool has_colours) {
  std::string line;
  size_t owed_spaces = 0;
  for (size_t i = 0; i < row.size(); ++i) {
    const Cell& cell = row[i];
    const size_t width = Width(cell.text);
    if (width > 0) {
      const absl::string_view colour = has_colours ? CodeOf(cell.colour) : "";
      absl::StrAppend(&line, std::string(owed_spaces, ' '), colour, cell.text,
                      colour.empty() ? "" : "\x1b[0m");
      owed_spaces = 0;
    }
    owed_spaces += std::max(widths[i], width) - width + 2;
  }
  return line + "\n";
}

Colour ColourOf(absl::string_view name) {
  if (absl::EndsWithIgnoreCase(name, "succeeded") || name == "READY") return Colour::kGreen;
  if (absl::EndsWithIgnoreCase(name, "failed")) return Colour::kRed;
  if (name == "TIMED_OUT" || absl::EndsWith(name, "TimedOut")) return Colour::kRed;
  if (absl::EndsWithIgnoreCase(name, "stopped") || absl::EndsWithIgnoreCase(name, "cancelled") ||
      name == "PAUSED" || name == "PAUSING") {
    return Colour::kYellow;
  }
  if (name == "RUNNING" || name == "STARTED" || name == "PENDING") return Colour::kCyan;
  return Colour::kNone;
}

std::string OneLine(absl::string_view text, size_t max_characters) {
  const bool fits = Width(text) <= max_characters;
  const std::string rest = fits ? "" : absl::StrCat("... (", text.size(), " bytes)");
  size_t left = fits ? max_characters : max_characters - std::min(max_characters, rest.size());
  std::string line;
  while (!text.empty() && left > 0) {
    size_t size = 1;
    while (size < text.size() && IsContinuation(text[size])) ++size;
    AppendEscaped(text.substr(0, size), line);
    text.remove_prefix(size);
    --left;
  }
  return line + rest;
}

std::string FormatTime(const google::protobuf::Timestamp& time) {
  const absl::Time moment = absl::FromUnixSeconds(time.seconds()) + absl::Nanoseconds(time.nanos());
  return absl::FormatTime("%Y-%m-%d %H:%M:%E3S", moment, absl::UTCTimeZone());
}

}  // namespace rehearse
