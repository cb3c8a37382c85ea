// Paging of a history: which events a request asks for, and where the next page begins.
//
// Pure: the store is asked for the ids afterwards. Ids never change and events are only appended,
// so a page once read stays what it was; later events appear at the end of forward paging and in
// front of what a reverse reader has already passed.
//
//   absl::StatusOr<HistoryPage> page = PageOf(request, progress.event_count(), now);
//   events = store.ReadEvents(arn, page->first_id, page->last_id);         // reversed by the
//   caller for reverse_order if (page->next_marker.has_value())
//   response.set_next_marker(*page->next_marker);
#ifndef REHEARSE_SERVICE_HISTORY_PAGING_H_
#define REHEARSE_SERVICE_HISTORY_PAGING_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "rehearse/v1/durable_executions.pb.h"

namespace rehearse {

struct HistoryPage {
  // Ascending and inclusive; empty when first_id > last_id.
  int64_t first_id = 1;
  int64_t last_id = 0;
  // Absent: the last page as things stand.
  absl::optional<std::string> next_marker;
};

// InvalidParameter for a MaxItems out of bounds and for a marker that is malformed, expired, or of
// the other direction. `now` is the execution's time.
absl::StatusOr<HistoryPage> PageOf(const v1::GetExecutionHistoryRequest& request,
                                   int64_t event_count, absl::Time now);

// The answer: the page's events, given in ascending order, in the request's order and with or
// without data. Ends before `max_bytes` are exceeded, but not before the first event; the rest is
// then another page.
v1::GetExecutionHistoryResponse ToHistoryResponse(const v1::GetExecutionHistoryRequest& request,
                                                  const HistoryPage& page,
                                                  std::vector<v1::Event> events, int64_t max_bytes,
                                                  absl::Time now);

}  // namespace rehearse

#endif  // REHEARSE_SERVICE_HISTORY_PAGING_H_
