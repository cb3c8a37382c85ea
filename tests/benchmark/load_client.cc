#include "tests/benchmark/load_client.h"

#include <utility>

#include "tests/benchmark/measuring.h"

namespace rehearse::benchmark {

LoadClient::LoadClient(v1::DurableExecutions::Stub& executions, v1::TestSessions::Stub& sessions,
                       Options options, Continue go_on)
    : executions_(executions),
      sessions_(sessions),
      options_(std::move(options)),
      go_on_(std::move(go_on)) {
  start_.set_session(options_.session);
  start_.set_function_name(options_.function);
  start_.set_input("{\"id\": 17}");
  Start();
}

LoadClient::~LoadClient() { stopped_.WaitForNotification(); }

void LoadClient::Start() {
  if (!go_on_()) return stopped_.Notify();
  context_.emplace();
  executions_.async()->StartExecution(&*context_, &start_, &started_, [this](grpc::Status status) {
    Require(status);
    options_.wait_for_end ? WaitForEnd() : Start();
  });
}

void LoadClient::WaitForEnd() {
  wait_.set_durable_execution_arn(started_.durable_execution_arn());
  context_.emplace();
  sessions_.async()->WaitForExecution(&*context_, &wait_, &ended_, [this](grpc::Status status) {
    Require(status);
    Require(ended_.execution().status() == v1::EXECUTION_STATUS_SUCCEEDED,
            "an execution did not succeed");
    Start();
  });
}

}  // namespace rehearse::benchmark
