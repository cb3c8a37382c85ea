// Events of one commit as bytes: length-delimited messages with consecutive ids.
//
//   std::string bytes = SerializeEvents(delta.events);
//   if (!ParseEvents(first_id, bytes, 3, 5, events)) ...      // appends those with ids 3 to 5
#ifndef REHEARSE_SERVICE_STORE_EVENT_BYTES_H_
#define REHEARSE_SERVICE_STORE_EVENT_BYTES_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "rehearse/v1/event.pb.h"

namespace rehearse {

std::string SerializeEvents(const std::vector<v1::Event>& events);

// Appends the events with ids in [first_id, last_id] of bytes that begin with event
// `bytes_first_id`. False when they are no events.
bool ParseEvents(int64_t bytes_first_id, absl::string_view bytes, int64_t first_id, int64_t last_id,
                 std::vector<v1::Event>& events);

}  // namespace rehearse

#endif  // REHEARSE_SERVICE_STORE_EVENT_BYTES_H_
