// HistoryPattern: what a history should be, in the short notation of histories.
//
//   absl::StatusOr<HistoryPattern> pattern = HistoryPattern::Parse("SS2 SF3[attempt 1, delay 5]
//   IC4"); absl::optional<HistoryMismatch> mismatch = pattern->Compare(result.History());
//
// An event is written as its type code (EventTypeCode) and its id; the first one, ExecutionStarted,
// is left out, and the last may be when it ends the execution. "..." stands for any number of
// events. What an event must say follows in brackets, separated by commas, each a word and a value:
//
//   name, sub_type, function, tenant, request       text
//   error, message                                  type and text of the error
//   payload                                         input, result or reason; compared as JSON where
//                                                   both sides are JSON
//   attempt, delay, duration, timeout, heartbeat    numbers; the last four in seconds
//   parent                                          id of the event that started the parent; 0:
//   none
//
// In a text, "*" stands for any characters. Commas and brackets may stand inside JSON only.
#ifndef REHEARSE_CLIENT_CPP_TESTING_HISTORY_PATTERN_H_
#define REHEARSE_CLIENT_CPP_TESTING_HISTORY_PATTERN_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "client/cpp/testing/event.h"

namespace durable::testing::internal {

struct HistoryMismatch {
  // Where the history differs first; one past the last event when it is too short.
  int64_t event_id = 0;
  // A line for a person.
  std::string text;
};

class HistoryPattern {
 public:
  // InvalidArgument for text that is not in the notation.
  static absl::StatusOr<HistoryPattern> Parse(absl::string_view text);

  // The first difference; nullopt when there is none.
  absl::optional<HistoryMismatch> Compare(const std::vector<Event>& history) const;

 private:
  struct Detail {
    std::string word;
    std::string value;
  };
  struct Item {
    // "..."; nothing else is set then.
    bool gap = false;
    std::string code;
    int64_t id = 0;
    std::vector<Detail> details;
  };

  static absl::StatusOr<Item> TakeItem(absl::string_view& rest);
  static absl::StatusOr<std::vector<Detail>> TakeDetails(absl::string_view& rest);
  static absl::optional<HistoryMismatch> CompareEvent(const Item& item,
                                                      const std::vector<Event>& history);

  std::vector<Item> items_;
};

}  // namespace durable::testing::internal

#endif  // REHEARSE_CLIENT_CPP_TESTING_HISTORY_PATTERN_H_
