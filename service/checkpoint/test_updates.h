// What the tests of the pipeline share: updates from text, operations in any state, refusals.
//
//   TestExecution test;
//   Enter(test, "STEP", "READY");
//   ExpectRefused(test, {Valid("STEP", "CANCEL")}, "Operation 'op': action CANCEL is not ...");
#ifndef REHEARSE_SERVICE_CHECKPOINT_TEST_UPDATES_H_
#define REHEARSE_SERVICE_CHECKPOINT_TEST_UPDATES_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "service/checkpoint/test_execution.h"

namespace rehearse {

// `members` is the rest of the update in text format.
v1::OperationUpdate Parse(absl::string_view type, absl::string_view action, absl::string_view id,
                          absl::string_view members);
// A valid update of this kind, with the options it needs.
v1::OperationUpdate Valid(const std::string& type, const std::string& action,
                          absl::string_view id = "op");
std::string PayloadOf(size_t bytes);

// Expects the request to be refused with this text, and nothing to have changed.
void ExpectRefused(TestExecution& test, const v1::CheckpointRequest& request,
                   absl::string_view message);
void ExpectRefused(TestExecution& test, const TestExecution::Updates& updates,
                   absl::string_view message);
void ExpectStale(TestExecution& test, const v1::CheckpointRequest& request);

std::vector<std::string> Ids(const v1::ExecutionState& state);
v1::OperationStatus StatusNamed(const std::string& name);

// Brings the operation `op` of this type into a state; "none" leaves it out.
void Enter(TestExecution& test, const std::string& type, const std::string& state);

}  // namespace rehearse

#endif  // REHEARSE_SERVICE_CHECKPOINT_TEST_UPDATES_H_
