#include "service/checkpoint/state_pages.h"

#include <utility>

#include "service/base/errors.h"
#include "service/base/marker.h"
#include "service/checkpoint/checkpoint_processor.h"
#include "service/checkpoint/gate.h"
#include "service/checkpoint/validators/validators.h"

namespace rehearse {
namespace {

// Reads one page of what a replay sees, from the operation `first` on. Returns the next page's
// marker, if there is more.
absl::optional<std::string> ReadFrom(
    const Execution& execution, int64_t first, StatePage page,
    google::protobuf::RepeatedPtrField<v1::Operation>* operations) {
  for (int64_t index = first; index < execution.operation_count(); ++index) {
    const record::OperationRecord& record = execution.operation(index);
    if (execution.IsPruned(record)) continue;
    if (!page.Add(record, operations)) return StateMarker(index, 0);
  }
  return absl::nullopt;
}

// As ReadFrom, for the rest of a delta: what was touched after `sequence`, nothing left out.
absl::optional<std::string> ReadTouchedFrom(
    const Execution& execution, int64_t first, int64_t sequence, StatePage page,
    google::protobuf::RepeatedPtrField<v1::Operation>* operations) {
  for (const int64_t index : execution.TouchedAfter(sequence)) {
    if (index < first) continue;
    if (!page.Add(execution.operation(index), operations)) return StateMarker(index, sequence);
  }
  return absl::nullopt;
}

}  // namespace

bool StatePage::Add(const record::OperationRecord& record,
                    google::protobuf::RepeatedPtrField<v1::Operation>* operations) {
  const int64_t bytes = static_cast<int64_t>(record.operation().ByteSizeLong());
  if (items_left_ == 0 || (bytes > bytes_left_ && !operations->empty())) return false;
  *operations->Add() = record.operation();
  bytes_left_ -= bytes;
  --items_left_;
  return true;
}

std::string StateMarker(int64_t index, int64_t after) {
  return EncodeMarker({Marker::Kind::kState, absl::UnixEpoch(), index, after, ""});
}

v1::ExecutionState InitialState(const Execution& execution, const Limits& limits) {
  v1::ExecutionState state;
  absl::optional<std::string> next =
      ReadFrom(execution, 0, StatePage(limits.state_page_bytes), state.mutable_operations());
  if (next.has_value()) state.set_next_marker(*std::move(next));
  return state;
}

absl::StatusOr<v1::GetExecutionStateResponse> ReadState(const Execution& execution,
                                                        const v1::GetExecutionStateRequest& request,
                                                        const Limits& limits,
                                                        StaleTokenSpelling spelling) {
  const absl::Status token_status = ValidateCheckpointToken(request.checkpoint_token());
  if (!token_status.ok()) return token_status;
  const absl::StatusOr<int> items = PageItems(request.max_items());
  if (!items.ok()) return items.status();
  Marker marker;
  if (!request.marker().empty()) {
    absl::StatusOr<Marker> given = DecodeMarker(request.marker(), Marker::Kind::kState);
    if (!given.ok()) return given.status();
    marker = *std::move(given);
  }
  if (!IsCurrentToken(execution, request.checkpoint_token())) {
    return errors::StaleCheckpointToken(spelling);
  }
  v1::GetExecutionStateResponse response;
  const StatePage page(limits.state_page_bytes, *items);
  absl::optional<std::string> next =
      marker.sequence == 0
          ? ReadFrom(execution, marker.position, page, response.mutable_operations())
          : ReadTouchedFrom(execution, marker.position, marker.sequence, page,
                            response.mutable_operations());
  if (next.has_value()) response.set_next_marker(*std::move(next));
  return response;
}

}  // namespace rehearse
