// The fuzz targets in a loop that is the same each time. REHEARSE_FUZZ_ROUNDS says for how long,
// REHEARSE_SEED where it begins.
#include <cstdlib>
#include <functional>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "gtest/gtest.h"
#include "service/base/arn.h"
#include "service/base/ids.h"
#include "service/base/marker.h"
#include "service/checkpoint/test_execution.h"
#include "tests/fuzz/mutator.h"
#include "tests/fuzz/targets.h"

namespace rehearse {
namespace {

int64_t NumberFrom(const char* variable, int64_t otherwise) {
  int64_t number = 0;
  const char* const text = std::getenv(variable);
  return text != nullptr && absl::SimpleAtoi(text, &number) ? number : otherwise;
}

// Rounds of the slowest target; the others are that much quicker.
int64_t Rounds() { return NumberFrom("REHEARSE_FUZZ_ROUNDS", 1000); }
uint64_t Seed() { return static_cast<uint64_t>(NumberFrom("REHEARSE_SEED", 1)); }

// Expects some of the inputs to be accepted and some not: otherwise nothing has been tried.
void Fuzz(int64_t rounds, const std::function<bool()>& target) {
  int64_t accepted = 0;
  for (int64_t i = 0; i < rounds; ++i) accepted += target();
  EXPECT_GT(accepted, rounds / 50);
  EXPECT_LT(accepted, rounds - rounds / 50);
}

void Fuzz(std::vector<std::string> corpus, bool (*target)(absl::string_view)) {
  Mutator mutator(Seed(), std::move(corpus));
  Fuzz(5 * Rounds(), [&] { return target(mutator.Next()); });
}

// A request for each type and action, some of them wrong, and one with several updates.
std::vector<v1::CheckpointRequest> Requests() {
  const TestExecution test;
  std::vector<v1::CheckpointRequest> requests;
  v1::CheckpointRequest all = test.Request({});
  for (const char* type : {"STEP", "CONTEXT", "WAIT", "CALLBACK", "CHAINED_INVOKE", "EXECUTION"}) {
    for (const char* action : {"START", "SUCCEED", "FAIL", "RETRY", "CANCEL"}) {
      v1::OperationUpdate update = Update(type, action, action[0] == 'S' ? "new" : "s");
      update.set_name("name");
      update.mutable_step_options()->set_next_attempt_delay_seconds(1);
      update.mutable_wait_options()->set_wait_seconds(1);
      update.mutable_callback_options()->set_timeout_seconds(1);
      update.mutable_chained_invoke_options()->set_function_name("pay");
      requests.push_back(test.Request({update}));
      requests.back().set_client_token("client");
    }
    *all.add_updates() = requests[requests.size() - 5].updates(0);
    all.mutable_updates(all.updates_size() - 1)->set_id(type);
  }
  requests.push_back(all);
  return requests;
}

TEST(FuzzTest, CheckpointRequestsByTheByte) {
  std::vector<std::string> corpus;
  for (const v1::CheckpointRequest& request : Requests()) {
    corpus.push_back(request.SerializeAsString());
  }
  Mutator mutator(Seed(), corpus);
  Fuzz(Rounds(), [&] { return FuzzCheckpoint(mutator.Next()); });
}

TEST(FuzzTest, CheckpointRequestsByTheField) {
  const std::vector<v1::CheckpointRequest> requests = Requests();
  Mutator mutator(Seed(), {"s", "c", "a:b"});
  Fuzz(Rounds(), [&] {
    v1::CheckpointRequest request = requests[mutator.Random(requests.size())];
    for (size_t i = mutator.Random(6); i > 0; --i) mutator.Mutate(request);
    return FuzzCheckpoint(request.SerializeAsString());
  });
}

TEST(FuzzTest, ExecutionArns) {
  Fuzz({TestExecution::Record().arn(),
        "arn:aws-cn:lambda:eu-west-1:123456789012:function:a_b:$LATEST.PUBLISHED/durable-execution/"
        "n/i",
        "arn:aws:lambda:us-east-1:123456789012:function:f:7/durable-execution/n/i"},
       FuzzExecutionArn);
}

TEST(FuzzTest, FunctionReferences) {
  Fuzz({"orders", "orders:live", "orders:$LATEST", "123456789012:function:orders",
        "eu-west-1:123456789012:function:orders:7", FunctionArn(Location(), "orders", "7")},
       FuzzFunctionReference);
}

TEST(FuzzTest, TokensAndCallbackIds) {
  CountingIdSource ids;
  const std::string id = NewExecutionId(ids, 42);
  Fuzz({EncodeCheckpointToken({id, 7, NewSecret(ids)}), EncodeCallbackId({id, 3, NewSecret(ids)})},
       FuzzToken);
}

TEST(FuzzTest, Markers) {
  const absl::Time now = absl::UnixEpoch();
  Fuzz({EncodeMarker({Marker::Kind::kState, now, 3, 0, ""}),
        EncodeMarker({Marker::Kind::kState, now, 3, 2, ""}),
        EncodeMarker({Marker::Kind::kHistory, now, 101, 0, ""}),
        EncodeMarker({Marker::Kind::kReverseHistory, now, 17, 0, ""}),
        EncodeMarker({Marker::Kind::kExecutions, now, 17, 4, "key"})},
       FuzzMarker);
}

}  // namespace
}  // namespace rehearse
