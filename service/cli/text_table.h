// Tables and single lines for people.
//
//   TextTable table({"name", "status"});
//   table.Add({"order-17", Painted("RUNNING", Colour::kCyan)});
//   std::cout << table.ToString();
//
//   name      status
//   order-17  RUNNING
#ifndef REHEARSE_SERVICE_CLI_TEXT_TABLE_H_
#define REHEARSE_SERVICE_CLI_TEXT_TABLE_H_

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "google/protobuf/timestamp.pb.h"

namespace rehearse {

enum class Colour { kNone, kRed, kGreen, kYellow, kCyan };

struct Cell {
  // NOLINTBEGIN(google-explicit-constructor): what stands in a table is text.
  Cell(const char* text) : Cell(std::string(text)) {}
  Cell(std::string text, Colour colour = Colour::kNone) : text(std::move(text)), colour(colour) {}
  // NOLINTEND(google-explicit-constructor)

  std::string text;
  Colour colour;
};

// A line: each cell but the last takes at least its width, and two spaces.
std::string FormatRow(const std::vector<Cell>& row, const std::vector<size_t>& widths,
                      bool has_colours);

// Whether standard output is a terminal and NO_COLOR is not set.
bool OutputHasColours();

class TextTable {
 public:
  // Colours as OutputHasColours says.
  explicit TextTable(std::vector<std::string> header);
  TextTable(std::vector<std::string> header, bool has_colours);

  // As many cells as the header has.
  void Add(std::vector<Cell> row);

  // Columns are as wide as their widest cell and two spaces apart. Empty without rows.
  std::string ToString() const;

 private:
  const bool has_colours_;
  std::vector<std::vector<Cell>> rows_;
};

// The colour of a status or event type by its name: "SUCCEEDED", "StepFailed", ...
Colour ColourOf(absl::string_view name);

// `text` on one line of at most `max_characters` Unicode characters: control characters are
// escaped, and what is cut off is told by the size of the whole in bytes.
std::string OneLine(absl::string_view text, size_t max_characters);

// "2026-11-27 09:00:00.123", in UTC.
std::string FormatTime(const google::protobuf::Timestamp& time);

}  // namespace rehearse

#endif  // REHEARSE_SERVICE_CLI_TEXT_TABLE_H_
