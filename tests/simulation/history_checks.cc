#include "tests/simulation/history_checks.h"

#include "absl/container/btree_set.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace rehearse {
namespace {

bool HappensOnce(const v1::Event& event) {
  if (event.step_succeeded_details().retry_details().has_next_attempt_delay_seconds()) return false;
  return event.event_type() >= v1::EVENT_TYPE_WAIT_STARTED &&
         event.event_type() <= v1::EVENT_TYPE_CALLBACK_TIMED_OUT &&
         event.event_type() != v1::EVENT_TYPE_STEP_STARTED &&
         event.event_type() != v1::EVENT_TYPE_STEP_FAILED;
}

}  // namespace

void CheckHistory(ExecutionStore& store, const std::string& arn, bool closed) {
  const auto events = store.ReadEvents(arn, 1, 100000);
  ASSERT_TRUE(events.ok()) << events.status();
  ASSERT_FALSE(events->empty());
  absl::Time last = absl::InfinitePast();
  absl::btree_set<std::string> once;
  for (size_t i = 0; i < events->size(); ++i) {
    const v1::Event& event = (*events)[i];
    EXPECT_EQ(event.event_id(), static_cast<int64_t>(i) + 1);
    EXPECT_GE(ToAbsl(event.event_timestamp()), last);
    last = ToAbsl(event.event_timestamp());
    const bool terminal = event.event_type() >= v1::EVENT_TYPE_EXECUTION_SUCCEEDED &&
                          event.event_type() <= v1::EVENT_TYPE_EXECUTION_STOPPED;
    EXPECT_EQ(terminal, closed && i + 1 == events->size()) << event.ShortDebugString();
    if (HappensOnce(event)) {
      EXPECT_TRUE(once.insert(absl::StrCat(event.id(), " ", event.event_type())).second)
          << "happened twice: " << event.ShortDebugString() << "\n"
          << HistoryText(store, arn);
    }
  }
}

void CheckKept(ExecutionStore& store, const std::string& arn, const std::string& operation_id) {
  const auto execution = store.Load(arn);
  ASSERT_TRUE(execution.ok()) << execution.status();
  const record::OperationRecord* operation = (*execution)->Find(operation_id);
  ASSERT_NE(operation, nullptr) << "acknowledged, but lost: " << arn << " " << operation_id;
  EXPECT_EQ(operation->operation().status(), v1::OPERATION_STATUS_SUCCEEDED);
}

bool ChildIsHeld(ExecutionStore& store, const absl::btree_set<std::string>& arns,
                 const std::string& arn) {
  for (const std::string& other : arns) {
    const auto header = store.LoadHeader(other);
    if (header->record.parent().arn() == arn &&
        header->progress.status() == v1::EXECUTION_STATUS_PAUSED) {
      return true;
    }
  }
  return false;
}

std::string HistoryText(ExecutionStore& store, const std::string& arn) {
  std::string text;
  const auto events = store.ReadEvents(arn, 1, 1000);
  for (const v1::Event& event : *events) absl::StrAppend(&text, event.ShortDebugString(), "\n");
  absl::StrAppend(&text, store.LoadHeader(arn)->progress.ShortDebugString());
  return text;
}

}  // namespace rehearse
