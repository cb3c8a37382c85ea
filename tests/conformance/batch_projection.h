// What handlers of the suites parallel and map return of a batch.
//
//   return ProjectionOf(batch, {"completionReason", "successCount"});
//   // {"completionReason": "ALL_COMPLETED", "successCount": 2}
#ifndef REHEARSE_TESTS_CONFORMANCE_BATCH_PROJECTION_H_
#define REHEARSE_TESTS_CONFORMANCE_BATCH_PROJECTION_H_

#include <initializer_list>

#include "client/cpp/durable/durable.h"

namespace rehearse::conformance {

// The members named, of completionReason, status, successCount, failureCount and totalCount.
template <typename T>
durable::Json ProjectionOf(const durable::BatchResult<T>& batch,
                           std::initializer_list<const char*> members) {
  // In the order of the enumerators.
  static constexpr const char* kReasons[] = {
      "ALL_COMPLETED", "MIN_SUCCESSFUL_REACHED", "FAILURE_TOLERANCE_EXCEEDED",
      "CUSTOM_COMPLETION_SUCCEEDED", "CUSTOM_COMPLETION_FAILED"};
  const bool failed = batch.status() == durable::ItemStatus::kFailed;
  const durable::Json all = {
      {"completionReason", kReasons[static_cast<int>(batch.completion_reason())]},
      {"status", failed ? "FAILED" : "SUCCEEDED"},
      {"successCount", batch.success_count()},
      {"failureCount", batch.failure_count()},
      {"totalCount", batch.total_count()}};
  durable::Json projection;
  for (const char* member : members) projection[member] = all.at(member);
  return projection;
}

}  // namespace rehearse::conformance

#endif  // REHEARSE_TESTS_CONFORMANCE_BATCH_PROJECTION_H_
