// Histories as text: a table for people, and a short notation for tests.
//
//   std::cout << durable::testing::FormatHistory(result.History());
//
//    id   time      at            event                 name       recorded
//     1   +0        12:00:00.000  ExecutionStarted                 "input str"
//     2   +0.001s   12:00:00.001  StepStarted           one
//     3   +0.001s   12:00:00.001  StepSucceeded         one        "1 2"
//
//   durable::testing::CompactHistory(result.History())     // "SS2 SX3 WS4 IC5 WX6 ..."
#ifndef REHEARSE_CLIENT_CPP_TESTING_HISTORY_PRINTER_H_
#define REHEARSE_CLIENT_CPP_TESTING_HISTORY_PRINTER_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "client/cpp/durable/operation.h"
#include "client/cpp/testing/event.h"

namespace durable::testing {

// A line per event; times relative to the first event, and in UTC; names indented by the contexts
// around them. What was recorded is cut to a line of at most 60 characters.
std::string FormatHistory(const std::vector<Event>& events);

// The lines of FormatHistory for the events with these ids and for up to three events on either
// side of each; those that are asked for are marked with ">", and "..." stands for what is left
// out.
std::string FormatHistoryAround(const std::vector<Event>& events,
                                const std::vector<int64_t>& event_ids);

// Type code and event id of each event but the first (ExecutionStarted); see EventTypeCode.
std::string CompactHistory(const std::vector<Event>& events);

// For example "Declined: the bank said no".
std::string FormatError(const ErrorObject& error);

// `text` on one line, of at most `max_characters` Unicode characters: control characters are
// escaped, and what is cut off is told by its size in bytes. Text that is not UTF-8 is shown with
// replacement characters.
std::string Abbreviate(absl::string_view text, int max_characters);

}  // namespace durable::testing

#endif  // REHEARSE_CLIENT_CPP_TESTING_HISTORY_PRINTER_H_
