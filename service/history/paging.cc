#include "service/history/paging.h"

#include <algorithm>
#include <utility>

#include "service/base/marker.h"
#include "service/history/events.h"

namespace rehearse {
namespace {

// `position` is the id of the first event to show.
HistoryPage ForwardPage(int64_t position, int items, int64_t event_count, absl::Time now) {
  HistoryPage page;
  page.first_id = position;
  page.last_id = std::min(position + items - 1, event_count);
  if (page.last_id < event_count) {
    page.next_marker = EncodeMarker({Marker::Kind::kHistory, now, page.last_id + 1, 0, ""});
  }
  return page;
}

HistoryPage ReversePage(int64_t position, int items, absl::Time now) {
  HistoryPage page;
  page.last_id = position;
  page.first_id = std::max<int64_t>(position - items + 1, 1);
  if (page.first_id > 1) {
    page.next_marker = EncodeMarker({Marker::Kind::kReverseHistory, now, page.first_id - 1, 0, ""});
  }
  return page;
}

}  // namespace

absl::StatusOr<HistoryPage> PageOf(const v1::GetExecutionHistoryRequest& request,
                                   int64_t event_count, absl::Time now) {
  const absl::StatusOr<int> items = PageItems(request.max_items());
  if (!items.ok()) return items.status();
  const bool reverse = request.reverse_order();
  int64_t position = reverse ? event_count : 1;
  if (!request.marker().empty()) {
    const absl::StatusOr<Marker> marker = DecodeMarker(
        request.marker(), reverse ? Marker::Kind::kReverseHistory : Marker::Kind::kHistory, now);
    if (!marker.ok()) return marker.status();
    position = std::min(marker->position, reverse ? event_count : event_count + 1);
    position = std::max<int64_t>(position, 1);
  }
  return reverse ? ReversePage(position, *items, now)
                 : ForwardPage(position, *items, event_count, now);
}

v1::GetExecutionHistoryResponse ToHistoryResponse(const v1::GetExecutionHistoryRequest& request,
                                                  const HistoryPage& page,
                                                  std::vector<v1::Event> events, int64_t max_bytes,
                                                  absl::Time now) {
  v1::GetExecutionHistoryResponse response;
  const bool reverse = request.reverse_order();
  if (reverse) std::reverse(events.begin(), events.end());
  if (page.next_marker.has_value()) response.set_next_marker(*page.next_marker);
  const bool strip = request.has_include_execution_data() && !request.include_execution_data();
  int64_t bytes = 0;
  for (v1::Event& event : events) {
    if (strip) StripExecutionData(event);
    bytes += static_cast<int64_t>(event.ByteSizeLong());
    if (bytes > max_bytes && !response.events().empty()) {
      response.set_next_marker(
          EncodeMarker({reverse ? Marker::Kind::kReverseHistory : Marker::Kind::kHistory, now,
                        event.event_id(), 0, ""}));
      return response;
    }
    *response.add_events() = std::move(event);
  }
  return response;
}

}  // namespace rehearse
