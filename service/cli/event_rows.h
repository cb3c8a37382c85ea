// Histories for people, a row per event.
//
//   EventRows rows;
//   TextTable table(EventRows::Header());
//   for (const v1::Event& event : events) table.Add(rows.Next(event));
//
//   id  time     event             name    recorded
//   1   +0       ExecutionStarted          {"id": 17}
//   2   +0.001s  StepStarted       charge
#ifndef REHEARSE_SERVICE_CLI_EVENT_ROWS_H_
#define REHEARSE_SERVICE_CLI_EVENT_ROWS_H_

#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "rehearse/v1/event.pb.h"
#include "service/cli/text_table.h"

namespace rehearse {

// Takes events in order: times are relative to the first one's, names are indented by the contexts
// around them.
class EventRows {
 public:
  static std::vector<std::string> Header();
  std::vector<Cell> Next(const v1::Event& event);

 private:
  size_t DepthOf(const v1::Event& event);

  absl::optional<absl::Time> start_;
  absl::flat_hash_map<std::string, size_t> depth_by_id_;
};

}  // namespace rehearse

#endif  // REHEARSE_SERVICE_CLI_EVENT_ROWS_H_
