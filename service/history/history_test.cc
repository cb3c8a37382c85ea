#include <algorithm>
#include <cctype>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "google/protobuf/descriptor.h"
#include "gtest/gtest.h"
#include "service/base/errors.h"
#include "service/history/events.h"
#include "service/history/paging.h"

namespace rehearse {
namespace {

const absl::Time kNow = absl::FromUnixSeconds(1790000000);

// ---- events.h ----

TEST(OperationEventTest, EveryTypeHasItsDetailsAndTheOperationsNames) {
  v1::Operation operation;
  operation.set_id("op");
  operation.set_parent_id("c");
  operation.set_name("charge");
  operation.set_sub_type("Step");
  const google::protobuf::EnumDescriptor& types = *v1::EventType_descriptor();
  for (int i = 1; i < types.value_count(); ++i) {
    const auto type = static_cast<v1::EventType>(types.value(i)->number());
    const v1::Event event = OperationEvent(type, operation);
    EXPECT_EQ(event.event_type(), type);
    EXPECT_EQ(event.id(), "op");
    EXPECT_EQ(event.parent_id(), "c");
    EXPECT_EQ(event.name(), "charge");
    EXPECT_EQ(event.sub_type(), "Step");
    // The details' member is named after the type: EVENT_TYPE_STEP_STARTED, step_started_details.
    const google::protobuf::FieldDescriptor* details =
        event.GetReflection()->GetOneofFieldDescriptor(
            event, event.GetDescriptor()->FindOneofByName("details"));
    ASSERT_NE(details, nullptr) << types.value(i)->name();
    std::string name = types.value(i)->name().substr(sizeof("EVENT_TYPE_") - 1);
    for (char& c : name) c = static_cast<char>(std::tolower(c));
    EXPECT_EQ(details->name(), name + "_details");
  }
}

TEST(OperationEventTest, AbsentMembersStayAbsent) {
  v1::Operation operation;
  operation.set_id("op");
  const v1::Event event = OperationEvent(v1::EVENT_TYPE_WAIT_STARTED, operation);
  EXPECT_FALSE(event.has_parent_id());
  EXPECT_FALSE(event.has_name());
  EXPECT_FALSE(event.has_sub_type());
}

TEST(StripTest, LeavesOutPayloadsOnly) {
  v1::Event event;
  v1::StepFailedDetails& failed = *event.mutable_step_failed_details();
  failed.mutable_error()->mutable_payload()->set_error_type("E");
  failed.mutable_retry_details()->set_current_attempt(2);
  StripExecutionData(event);
  EXPECT_FALSE(failed.error().has_payload());
  EXPECT_TRUE(failed.error().truncated());
  EXPECT_EQ(failed.retry_details().current_attempt(), 2);
}

TEST(StripTest, KnowsEveryWrapper) {
  v1::Event started;
  started.mutable_execution_started_details()->mutable_input()->set_payload("1");
  started.mutable_execution_started_details()->set_execution_timeout(9);
  StripExecutionData(started);
  EXPECT_EQ(started.execution_started_details().ShortDebugString(),
            "input { truncated: true } execution_timeout: 9");
  v1::Event succeeded;
  succeeded.mutable_callback_succeeded_details()->mutable_result();
  StripExecutionData(succeeded);
  EXPECT_EQ(succeeded.callback_succeeded_details().ShortDebugString(),
            "result { truncated: true }");
  v1::Event paused;
  paused.mutable_execution_paused_details()->mutable_reason()->set_payload("why");
  StripExecutionData(paused);
  EXPECT_EQ(paused.execution_paused_details().ShortDebugString(), "reason { truncated: true }");
  v1::Event timed_out;
  timed_out.mutable_execution_timed_out_details();
  StripExecutionData(timed_out);
  EXPECT_FALSE(timed_out.execution_timed_out_details().has_error());
  v1::Event empty;
  StripExecutionData(empty);
  EXPECT_EQ(empty.ByteSizeLong(), 0u);
}

TEST(TerminalTest, FourTypesEndAnExecution) {
  int terminal = 0;
  for (int type = 0; type < v1::EventType_ARRAYSIZE; ++type) {
    terminal += IsExecutionTerminal(static_cast<v1::EventType>(type));
  }
  EXPECT_EQ(terminal, 4);
  EXPECT_TRUE(IsExecutionTerminal(v1::EVENT_TYPE_EXECUTION_STOPPED));
  EXPECT_FALSE(IsExecutionTerminal(v1::EVENT_TYPE_EXECUTION_PAUSED));
}

// ---- paging.h ----

v1::GetExecutionHistoryRequest Request(int max_items, bool reverse = false,
                                       const std::string& marker = "") {
  v1::GetExecutionHistoryRequest request;
  request.set_max_items(max_items);
  request.set_reverse_order(reverse);
  if (!marker.empty()) request.set_marker(marker);
  return request;
}

// Ids of all pages, read until there is no marker.
std::vector<std::pair<int64_t, int64_t>> AllPages(int max_items, bool reverse, int64_t events) {
  std::vector<std::pair<int64_t, int64_t>> pages;
  std::string marker;
  do {
    const absl::StatusOr<HistoryPage> page =
        PageOf(Request(max_items, reverse, marker), events, kNow);
    EXPECT_TRUE(page.ok()) << page.status();
    pages.push_back({page->first_id, page->last_id});
    marker = page->next_marker.value_or("");
  } while (!marker.empty());
  return pages;
}

TEST(PagingTest, CoversTheHistoryInBothDirections) {
  using Pages = std::vector<std::pair<int64_t, int64_t>>;
  EXPECT_EQ(AllPages(3, false, 7), (Pages{{1, 3}, {4, 6}, {7, 7}}));
  EXPECT_EQ(AllPages(3, true, 7), (Pages{{5, 7}, {2, 4}, {1, 1}}));
  EXPECT_EQ(AllPages(7, false, 7), (Pages{{1, 7}}));
  EXPECT_EQ(AllPages(7, true, 7), (Pages{{1, 7}}));
  EXPECT_EQ(AllPages(0, false, 101), (Pages{{1, 100}, {101, 101}}));
  EXPECT_EQ(AllPages(1000, false, 1000), (Pages{{1, 1000}}));
}

TEST(PagingTest, AppendedEventsAppearAtTheEnd) {
  const absl::StatusOr<HistoryPage> first = PageOf(Request(2), 3, kNow);
  const absl::StatusOr<HistoryPage> second =
      PageOf(Request(2, false, *first->next_marker), 5, kNow);
  EXPECT_EQ(second->first_id, 3);
  EXPECT_EQ(second->last_id, 4);
  EXPECT_TRUE(second->next_marker.has_value());
  const absl::StatusOr<HistoryPage> newest = PageOf(Request(2, true), 5, kNow);
  const absl::StatusOr<HistoryPage> older = PageOf(Request(2, true, *newest->next_marker), 9, kNow);
  EXPECT_EQ(older->first_id, 2);
  EXPECT_EQ(older->last_id, 3);
}

TEST(PagingTest, RefusesBadRequests) {
  EXPECT_EQ(PageOf(Request(1001), 5, kNow).status().message(), "MaxItems must be 0 to 1000.");
  EXPECT_EQ(PageOf(Request(-1), 5, kNow).status().message(), "MaxItems must be 0 to 1000.");
  const std::string marker = *PageOf(Request(2), 5, kNow)->next_marker;
  const std::string invalid = "Invalid Marker: use the NextMarker of the previous page as it is.";
  EXPECT_EQ(PageOf(Request(2, true, marker), 5, kNow).status().message(), invalid);
  EXPECT_EQ(PageOf(Request(2, false, "3"), 5, kNow).status().message(), invalid);
  EXPECT_TRUE(PageOf(Request(2, false, marker), 5, kNow + absl::Hours(24)).ok());
  EXPECT_EQ(PageOf(Request(2, false, marker), 5, kNow + absl::Hours(25)).status().message(),
            "Marker has expired: it is good for 24 hours; read from the first page.");
}

constexpr int64_t kNoLimit = std::numeric_limits<int64_t>::max();

TEST(HistoryResponseTest, EndsBeforeTooManyBytesAndGoesOnWithTheNextPage) {
  std::vector<v1::Event> events(5);
  for (int i = 0; i < 5; ++i) {
    events[i].set_event_id(i + 1);
    events[i].set_name(std::string(100, 'x'));
  }
  const auto bytes = static_cast<int64_t>(events[0].ByteSizeLong());
  for (bool reverse : {false, true}) {
    for (const auto& [max_bytes, shown] :
         std::vector<std::pair<int64_t, int>>{{5 * bytes, 5}, {5 * bytes - 1, 4}, {1, 1}}) {
      std::vector<int64_t> ids;
      v1::GetExecutionHistoryRequest request = Request(100, reverse);
      do {
        const HistoryPage page = *PageOf(request, 5, kNow);
        const v1::GetExecutionHistoryResponse response = ToHistoryResponse(
            request, page, {events.begin() + page.first_id - 1, events.begin() + page.last_id},
            max_bytes, kNow);
        if (ids.empty()) {
          EXPECT_EQ(response.events_size(), shown);
        }
        for (const v1::Event& event : response.events()) ids.push_back(event.event_id());
        request.set_marker(response.next_marker());
      } while (!request.marker().empty());
      if (reverse) std::reverse(ids.begin(), ids.end());
      EXPECT_THAT(ids, ::testing::ElementsAre(1, 2, 3, 4, 5));
    }
  }
}

TEST(HistoryResponseTest, OrdersAndStrips) {
  std::vector<v1::Event> events(2);
  events[0].set_event_id(1);
  events[0].mutable_execution_started_details()->mutable_input()->set_payload("1");
  events[1].set_event_id(2);
  HistoryPage page;
  page.next_marker = "next";
  v1::GetExecutionHistoryRequest request = Request(2, true);
  v1::GetExecutionHistoryResponse response =
      ToHistoryResponse(request, page, events, kNoLimit, kNow);
  EXPECT_EQ(response.events(0).event_id(), 2);
  EXPECT_EQ(response.events(1).execution_started_details().input().payload(), "1");
  EXPECT_EQ(response.next_marker(), "next");
  request.set_include_execution_data(false);
  request.set_reverse_order(false);
  response = ToHistoryResponse(request, HistoryPage(), events, kNoLimit, kNow);
  EXPECT_EQ(response.events(0).event_id(), 1);
  EXPECT_FALSE(response.events(0).execution_started_details().input().has_payload());
  EXPECT_TRUE(response.events(0).execution_started_details().input().truncated());
  EXPECT_FALSE(response.has_next_marker());
}

}  // namespace
}  // namespace rehearse
