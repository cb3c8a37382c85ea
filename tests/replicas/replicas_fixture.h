// ReplicasTest: services that share a database of a real PostgreSQL server, each on a loopback
// port.
//
//   TEST_F(ReplicasTest, AnyReplicaEndsWhatAnyHasStarted) {
//     ScriptedWorker worker(b().functions());
//     worker.Register("default", {"orders"});
//     const std::string arn = a().Start("default", "orders");
//     ...
//   }
#ifndef REHEARSE_TESTS_REPLICAS_REPLICAS_FIXTURE_H_
#define REHEARSE_TESTS_REPLICAS_REPLICAS_FIXTURE_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "gtest/gtest.h"
#include "rehearse/v1/durable_executions.grpc.pb.h"
#include "rehearse/v1/function_host.grpc.pb.h"
#include "rehearse/v1/test_sessions.grpc.pb.h"
#include "service/rpc/scripted_worker.h"
#include "service/rpc/test_client.h"
#include "service/server/server.h"
#include "tests/e2e/served.h"

namespace rehearse {

using Executions = v1::DurableExecutions::Stub;
using Functions = v1::FunctionHost::Stub;
using Sessions = v1::TestSessions::Stub;

inline constexpr char kSucceeded[] = R"({"Status":"SUCCEEDED","Result":"17"})";
inline constexpr char kPending[] = R"({"Status":"PENDING"})";

// A request for the execution.
template <typename Request>
Request Of(const std::string& arn) {
  Request request;
  request.set_durable_execution_arn(arn);
  return request;
}

// The text of what the call answers.
template <typename Method, typename Request>
std::string Try(TestClient& client, Method method, const Request& request) {
  return TextOf(client.Call(method, request));
}

std::string NoExecution(const std::string& arn);
std::string NoSession(const std::string& name);
std::string Conflict(absl::string_view message);
std::string Invalid(absl::string_view message);

// The operation of this id, which is there.
v1::Operation OperationOf(const v1::InspectExecutionResponse& execution, const std::string& id);

class ReplicasTest : public ::testing::Test {
 protected:
  // Two replicas.
  ReplicasTest() : ReplicasTest(Server::Options()) {}
  explicit ReplicasTest(const Server::Options& options);

  // One more replica.
  std::unique_ptr<Served> StartReplica(Server::Options options = {}) const;
  // The replicas' --store=. What a killed one worked on is everybody's after the lease, which must
  // be more than a busy machine may keep a living one from renewing it.
  std::string store(int lease_seconds = 60) const;

  TestClient& a() { return a_->client(); }
  TestClient& b() { return b_->client(); }

  const std::string database_;
  std::unique_ptr<Served> a_;
  std::unique_ptr<Served> b_;
};

}  // namespace rehearse

#endif  // REHEARSE_TESTS_REPLICAS_REPLICAS_FIXTURE_H_
