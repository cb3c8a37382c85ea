// State pages: operations for a handler, cut by number and bytes.
#ifndef REHEARSE_SERVICE_CHECKPOINT_STATE_PAGES_H_
#define REHEARSE_SERVICE_CHECKPOINT_STATE_PAGES_H_

#include <cstdint>
#include <limits>
#include <string>

#include "absl/types/optional.h"
#include "rehearse/v1/operation.pb.h"
#include "service/checkpoint/record.pb.h"

namespace rehearse {

// Collects one page. At least one operation fits, however large.
class StatePage {
 public:
  explicit StatePage(int64_t max_bytes, int max_items = std::numeric_limits<int>::max())
      : bytes_left_(max_bytes), items_left_(max_items) {}

  // Adds the operation; or returns false, and the page is full.
  bool Add(const record::OperationRecord& record,
           google::protobuf::RepeatedPtrField<v1::Operation>* operations);

 private:
  int64_t bytes_left_;
  int items_left_;
};

// The marker of a page that begins at the operation `index` and leaves out what was last touched at
// or before `after`.
std::string StateMarker(int64_t index, int64_t after);

}  // namespace rehearse

#endif  // REHEARSE_SERVICE_CHECKPOINT_STATE_PAGES_H_
