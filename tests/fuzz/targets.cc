#include "tests/fuzz/targets.h"

#include <string>
#include <vector>

#include "service/base/arn.h"
#include "service/base/check.h"
#include "service/base/errors.h"
#include "service/base/ids.h"
#include "service/base/marker.h"
#include "service/base/text.h"
#include "service/checkpoint/completions.h"
#include "service/checkpoint/test_execution.h"
#include "service/history/paging.h"

namespace rehearse {
namespace {

// Operations of every type, open and closed.
void Fill(TestExecution& test) {
  test.targets["pay"] = {absl::nullopt, "pay", "$LATEST", true};
  v1::OperationUpdate wait = Update("WAIT", "START", "w");
  wait.mutable_wait_options()->set_wait_seconds(5);
  v1::OperationUpdate retry = Update("STEP", "RETRY", "r");
  retry.mutable_step_options()->set_next_attempt_delay_seconds(5);
  v1::OperationUpdate invoke = Update("CHAINED_INVOKE", "START", "i");
  invoke.mutable_chained_invoke_options()->set_function_name("pay");
  REHEARSE_CHECK(test.Checkpoint({Update("CONTEXT", "START", "c"), Update("STEP", "START", "s"),
                                  Update("STEP", "SUCCEED", "d"), Update("CALLBACK", "START", "k"),
                                  wait, retry, invoke})
                     .ok());
  test.Advance(absl::Seconds(5));
}

bool IsInvalidParameter(const absl::Status& status) {
  return status.code() == absl::StatusCode::kInvalidArgument && !status.message().empty() &&
         ErrorNameOf(status) == "InvalidParameterValueException";
}

void CheckHistory(const TestExecution& test) {
  int64_t id = 0;
  for (const v1::Event& event : test.events()) REHEARSE_CHECK(event.event_id() == ++id);
  REHEARSE_CHECK(test.execution().progress().event_count() == id);
}

void CheckOperations(const TestExecution& test) {
  for (int64_t i = 0; i < test.execution().operation_count(); ++i) {
    const v1::Operation& operation = test.execution().operation(i).operation();
    REHEARSE_CHECK(IsId(operation.id()));
    REHEARSE_CHECK(operation.has_end_timestamp() == IsTerminal(operation.status()));
    REHEARSE_CHECK(!operation.has_parent_id() ||
                   test.Operation(operation.parent_id()).type() == v1::OPERATION_TYPE_CONTEXT);
  }
}

const TestExecution& Filled() {
  static const TestExecution* const test = [] {
    auto* const filled = new TestExecution;
    Fill(*filled);
    return filled;
  }();
  return *test;
}

// Whether the state can be read from where the text says.
bool ReadStateFrom(absl::string_view marker) {
  const TestExecution& test = Filled();
  v1::GetExecutionStateRequest request;
  request.set_checkpoint_token(test.Token());
  request.set_marker(std::string(marker));
  const absl::StatusOr<v1::GetExecutionStateResponse> page =
      ReadState(test.execution(), request, test.limits, test.spelling);
  REHEARSE_CHECK(page.ok() || IsInvalidParameter(page.status()));
  REHEARSE_CHECK(!page.ok() || page->operations_size() <= test.execution().operation_count());
  return page.ok();
}

bool ReadHistoryFrom(absl::string_view marker, bool reverse) {
  constexpr int64_t kEvents = 250;
  v1::GetExecutionHistoryRequest request;
  request.set_marker(std::string(marker));
  request.set_reverse_order(reverse);
  const absl::StatusOr<HistoryPage> page = PageOf(request, kEvents, absl::UnixEpoch());
  REHEARSE_CHECK(page.ok() || IsInvalidParameter(page.status()));
  REHEARSE_CHECK(!page.ok() || (page->first_id >= 1 && page->last_id <= kEvents &&
                                page->last_id - page->first_id < kDefaultPageItems));
  return page.ok();
}

void CheckOnlyTheRealOneIsKnown(const CallbackId& id, absl::string_view text) {
  const TestExecution& test = Filled();
  ExecutionChange change(test.execution(), test.moment, ExecutionChange::Origin::kOutside);
  const absl::Status status = HeartbeatCallback(change, id.operation_index, text);
  const bool real = test.Operation("k").callback_details().callback_id() == text;
  REHEARSE_CHECK(real ? status.ok() : ErrorNameOf(status) == "ResourceNotFoundException");
}

bool DecodesAsEncoded(absl::string_view text, Marker::Kind kind) {
  const absl::StatusOr<Marker> marker = DecodeMarker(text, kind);
  if (!marker.ok()) {
    REHEARSE_CHECK(IsInvalidParameter(marker.status()));
    return false;
  }
  const absl::StatusOr<Marker> again = DecodeMarker(EncodeMarker(*marker), kind);
  REHEARSE_CHECK(again.ok() && again->position == marker->position &&
                 again->sequence == marker->sequence && again->key == marker->key);
  return true;
}

}  // namespace

bool FuzzCheckpoint(absl::string_view bytes) {
  TestExecution test;
  Fill(test);
  v1::CheckpointRequest request;
  if (!request.ParseFromString(std::string(bytes))) return false;
  // Otherwise nearly everything would end at its token.
  if (request.updates_size() % 4 > 0) request.set_checkpoint_token(test.Token());
  for (const std::string& name : ChainedTargetNames(request)) {
    test.targets[name] = {absl::nullopt, "pay", "$LATEST", name.size() % 2 == 0};
  }
  const std::string before = test.Bytes();
  const absl::StatusOr<CheckpointOutcome> outcome = test.Checkpoint(request);
  if (!outcome.ok()) {
    REHEARSE_CHECK(IsInvalidParameter(outcome.status()) ||
                   IsStaleCheckpointToken(outcome.status()));
    REHEARSE_CHECK(test.Bytes() == before);
    return false;
  }
  CheckHistory(test);
  CheckOperations(test);
  const absl::StatusOr<CheckpointOutcome> again = test.Process(request);
  REHEARSE_CHECK(again.ok() == request.has_client_token());
  REHEARSE_CHECK(!again.ok() ||
                 again->response.SerializeAsString() == outcome->response.SerializeAsString());
  return true;
}

bool FuzzExecutionArn(absl::string_view text) {
  const absl::optional<ExecutionArn> arn = ExecutionArn::Parse(text);
  REHEARSE_CHECK(!arn.has_value() || arn->ToString() == text);
  return arn.has_value();
}

bool FuzzFunctionReference(absl::string_view text) {
  const absl::StatusOr<FunctionReference> reference = FunctionReference::Parse(text);
  if (!reference.ok()) {
    REHEARSE_CHECK(IsInvalidParameter(reference.status()));
    return false;
  }
  REHEARSE_CHECK(!reference->name.empty());
  REHEARSE_CHECK(text.find(reference->name) != absl::string_view::npos);
  REHEARSE_CHECK(!reference->qualifier.has_value() ||
                 text.substr(text.size() - reference->qualifier->size()) == *reference->qualifier);
  return true;
}

bool FuzzToken(absl::string_view text) {
  const absl::optional<CheckpointToken> token = DecodeCheckpointToken(text);
  const absl::optional<CallbackId> callback = DecodeCallbackId(text);
  REHEARSE_CHECK(!token.has_value() || !callback.has_value());
  if (token.has_value()) {
    const std::string encoded = EncodeCheckpointToken(*token);
    REHEARSE_CHECK(EncodeCheckpointToken(*DecodeCheckpointToken(encoded)) == encoded);
  }
  if (callback.has_value()) {
    CheckOnlyTheRealOneIsKnown(*callback, text);
    const std::string encoded = EncodeCallbackId(*callback);
    REHEARSE_CHECK(EncodeCallbackId(*DecodeCallbackId(encoded)) == encoded);
  }
  return token.has_value() || callback.has_value();
}

bool FuzzMarker(absl::string_view text) {
  bool accepted = false;
  for (const Marker::Kind kind :
       {Marker::Kind::kState, Marker::Kind::kHistory, Marker::Kind::kReverseHistory,
        Marker::Kind::kExecutions, Marker::Kind::kReverseExecutions, Marker::Kind::kFunctions,
        Marker::Kind::kSessions, Marker::Kind::kOperations}) {
    if (!DecodesAsEncoded(text, kind)) continue;
    REHEARSE_CHECK(!accepted);
    accepted = true;
  }
  ReadStateFrom(text);
  ReadHistoryFrom(text, false);
  ReadHistoryFrom(text, true);
  return accepted;
}

}  // namespace rehearse
