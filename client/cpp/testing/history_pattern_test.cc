#include "client/cpp/testing/history_pattern.h"

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace durable::testing::internal {
namespace {

Event MakeEvent(int64_t id, EventType type) {
  Event event;
  event.id = id;
  event.type = type;
  return event;
}

// CS2 SF3 IC4 WS5 BS6 XF7: a context with a failed step, then a wait and a callback.
std::vector<Event> SomeHistory() {
  std::vector<Event> events = {
      MakeEvent(1, EventType::kExecutionStarted), MakeEvent(2, EventType::kContextStarted),
      MakeEvent(3, EventType::kStepFailed),       MakeEvent(4, EventType::kInvocationCompleted),
      MakeEvent(5, EventType::kWaitStarted),      MakeEvent(6, EventType::kCallbackStarted),
      MakeEvent(7, EventType::kExecutionFailed),
  };
  events[1].operation_id = "c";
  events[1].name = "outer";
  events[1].sub_type = "RunInChildContext";
  events[2].parent_id = "c";
  events[2].error = ErrorObject{"CardDeclined", "the bank said no", "", {}};
  events[2].attempt = 1;
  events[2].next_attempt_delay_seconds = 5;
  events[3].request_id = "r-1";
  events[4].duration_seconds = 90;
  events[5].timeout_seconds = 60;
  events[5].heartbeat_timeout_seconds = 7;
  events[5].payload = R"({"a": [1, 2]})";
  return events;
}

std::string Differs(absl::string_view pattern) {
  const absl::StatusOr<HistoryPattern> parsed = HistoryPattern::Parse(pattern);
  if (!parsed.ok()) return std::string(parsed.status().message());
  const absl::optional<HistoryMismatch> mismatch = parsed->Compare(SomeHistory());
  return mismatch.has_value() ? absl::StrCat(mismatch->event_id, ": ", mismatch->text) : "";
}

TEST(HistoryPatternTest, HasEveryEventButTheFirst) {
  EXPECT_EQ(Differs("CS2 SF3 IC4 WS5 BS6 XF7"), "");
  EXPECT_EQ(Differs("  CS2  SF3\nIC4 WS5 BS6 XF7 "), "");
  EXPECT_EQ(Differs("CS2 SX3 IC4 WS5 BS6 XF7"), "3: SF3 is not SX3");
  EXPECT_EQ(Differs("CS2 IC4"), "3: the pattern has IC4 in the place of event 3");
  EXPECT_EQ(Differs("CS2 SF3 IC4 WS5"), "6: nothing is expected in the place of BS6");
  EXPECT_EQ(Differs("CS2 SF3 IC4 WS5 BS6 XF7 IC8"), "8: the history ends before IC8");
  EXPECT_EQ(Differs(""), "2: nothing is expected in the place of CS2");
}

TEST(HistoryPatternTest, MayLeaveOutTheEndOfTheExecution) {
  EXPECT_EQ(Differs("CS2 SF3 IC4 WS5 BS6"), "");
}

TEST(HistoryPatternTest, DotsStandForAnyEvents) {
  EXPECT_EQ(Differs("..."), "");
  EXPECT_EQ(Differs("CS2 ..."), "");
  EXPECT_EQ(Differs("... BS6"), "");
  EXPECT_EQ(Differs("CS2 ... IC4 ... XF7"), "");
  EXPECT_EQ(Differs("CS2 ... IC5 ..."), "5: WS5 is not IC5");
  EXPECT_EQ(Differs("CS2 ... CS2"), "3: the pattern has CS2 in the place of event 3");
}

TEST(HistoryPatternTest, DetailsMustMatch) {
  EXPECT_EQ(Differs("CS2[name outer, sub_type RunInChildContext, parent 0] SF3[parent 2] ..."), "");
  EXPECT_EQ(Differs("... SF3[error CardDeclined,message the bank said no,attempt 1,delay 5] ..."),
            "");
  EXPECT_EQ(Differs("... IC4[request r-1] WS5[duration 90] BS6[timeout 60, heartbeat 7]"), "");
  EXPECT_EQ(Differs("... SF3[attempt 2] ..."), "3: the attempt of SF3 is 1, not 2");
  EXPECT_EQ(Differs("... IC4[error Crash] ..."), "4: the error of IC4 is absent, not Crash");
  EXPECT_EQ(Differs("CS2[delay 1] ..."), "2: the delay of CS2 is absent, not 1");
}

TEST(HistoryPatternTest, StarsStandForAnyText) {
  EXPECT_EQ(Differs("... SF3[error Card*, message *bank*no] ..."), "");
  EXPECT_EQ(Differs("... SF3[error *] ..."), "");
  EXPECT_EQ(Differs("... SF3[error *Accepted] ..."),
            "3: the error of SF3 is CardDeclined, not *Accepted");
}

TEST(HistoryPatternTest, PayloadsAreComparedAsJson) {
  EXPECT_EQ(Differs(R"(... BS6[payload { "a":[1,2] }, timeout 60])"), "");
  EXPECT_EQ(Differs(R"(... BS6[payload {"a":[1]}])"),
            R"(6: the payload of BS6 is {"a": [1, 2]}, not {"a":[1]})");
  EXPECT_EQ(Differs(R"(... BS6[payload "],\"["])"),
            R"(6: the payload of BS6 is {"a": [1, 2]}, not "],\"[")");
}

TEST(HistoryPatternTest, RefusesWhatIsNotInTheNotation) {
  EXPECT_EQ(Differs("CS2, SF3"), "no history: a space is expected between events at \"CS2, SF3\"");
  EXPECT_EQ(Differs("CS2 SF"), "no history: a type code and an event id are expected at \"SF\"");
  EXPECT_EQ(Differs("CS2[name outer"), "no history: a ']' is missing at \"name outer\"");
  EXPECT_EQ(Differs("CS2[color red]"),
            "no history: a detail is one of attempt, delay, duration, error, function, heartbeat, "
            "message, name, parent, payload, request, sub_type, tenant, timeout; there is none at "
            "\"color red\"");
}

}  // namespace
}  // namespace durable::testing::internal
