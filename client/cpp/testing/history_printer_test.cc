#include "client/cpp/testing/history_printer.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace durable::testing {
namespace {

Event MakeEvent(int64_t id, EventType type, absl::Duration since_start) {
  Event event;
  event.id = id;
  event.type = type;
  event.time = absl::FromUnixSeconds(12 * 3600) + since_start;
  return event;
}

std::vector<Event> OneContextWithARetriedStep() {
  std::vector<Event> events;
  events.push_back(MakeEvent(1, EventType::kExecutionStarted, absl::ZeroDuration()));
  events.back().payload = "\"input\"";
  events.push_back(MakeEvent(2, EventType::kContextStarted, absl::Milliseconds(1)));
  events.back().operation_id = "c";
  events.back().name = "outer";
  events.push_back(MakeEvent(3, EventType::kStepFailed, absl::Milliseconds(1)));
  events.back().operation_id = "s";
  events.back().parent_id = "c";
  events.back().name = "charge";
  events.back().error = ErrorObject{"Declined", "the bank said no", "", {}};
  events.back().attempt = 1;
  events.back().next_attempt_delay_seconds = 5;
  events.push_back(MakeEvent(4, EventType::kInvocationCompleted, absl::Milliseconds(2)));
  events.push_back(MakeEvent(5, EventType::kWaitStarted, absl::Hours(30)));
  events.back().name = "pause";
  events.back().duration_seconds = 90;
  return events;
}

TEST(FormatHistoryTest, IsATable) {
  EXPECT_EQ(FormatHistory(OneContextWithARetriedStep()),
            "id  time  at            event                name      recorded\n"
            " 1  +0    12:00:00.000  ExecutionStarted               \"input\"\n"
            " 2  +1ms  12:00:00.001  ContextStarted       outer\n"
            " 3  +1ms  12:00:00.001  StepFailed             charge  Declined: the bank said no, "
            "attempt 1, next in 5s\n"
            " 4  +2ms  12:00:00.002  InvocationCompleted\n"
            " 5  +30h  18:00:00.000  WaitStarted          pause     1m30s\n");
}

TEST(FormatHistoryTest, AnExcerptMarksItsEvents) {
  std::vector<Event> events;
  for (int id = 1; id <= 20; ++id)
    events.push_back(MakeEvent(id, EventType::kInvocationCompleted, absl::ZeroDuration()));
  const auto row = [](absl::string_view mark, int id) {
    return absl::StrFormat("%s %2d  +0    12:00:00.000  InvocationCompleted\n", mark, id);
  };
  EXPECT_EQ(FormatHistoryAround(events, {7, 8}),
            absl::StrCat("  id  time  at            event                name  recorded\n  ...\n",
                         row(" ", 4), row(" ", 5), row(" ", 6), row(">", 7), row(">", 8),
                         row(" ", 9), row(" ", 10), row(" ", 11), "  ...\n"));
  EXPECT_EQ(FormatHistoryAround(events, {21}),
            absl::StrCat("  id  time  at            event                name  recorded\n  ...\n",
                         row(" ", 18), row(" ", 19), row(" ", 20)));
}

TEST(FormatHistoryTest, SaysThatThereIsNothing) { EXPECT_EQ(FormatHistory({}), "(no events)\n"); }

TEST(CompactHistoryTest, LeavesOutTheFirstEvent) {
  EXPECT_EQ(CompactHistory(OneContextWithARetriedStep()), "CS2 SF3 IC4 WS5");
  EXPECT_EQ(CompactHistory({}), "");
}

TEST(AbbreviateTest, KeepsWhatFits) {
  EXPECT_EQ(Abbreviate("", 5), "");
  EXPECT_EQ(Abbreviate("12345", 5), "12345");
  EXPECT_EQ(Abbreviate("häßlich", 7), "häßlich");
}

TEST(AbbreviateTest, CutsBetweenCharactersAndTellsTheSize) {
  EXPECT_EQ(Abbreviate("ääääääääääääääääääää", 19), "äääää... (40 bytes)");
  EXPECT_EQ(Abbreviate(std::string(100, 'x'), 20), "xxxxx... (100 bytes)");
}

TEST(AbbreviateTest, ShowsControlCharactersAndBrokenText) {
  EXPECT_EQ(Abbreviate("a\nb\tc\x01", 50), "a\\nb\\tc\\x01");
  EXPECT_EQ(Abbreviate("a\xFFz", 50), "a\xEF\xBF\xBDz");
  EXPECT_EQ(Abbreviate("\xE2\x82", 50), "\xEF\xBF\xBD\xEF\xBF\xBD");
}

}  // namespace
}  // namespace durable::testing
