#include "tests/e2e/served.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "service/worker/channel.h"

namespace rehearse {
namespace {

std::unique_ptr<Server> StartServer(Server::Options options) {
  if (options.grpc_address.empty()) options.grpc_address = "127.0.0.1:0";
  absl::StatusOr<std::unique_ptr<Server>> server = Server::Start(std::move(options));
  EXPECT_EQ(TextOf(server), "OK");
  return *std::move(server);
}

}  // namespace

Served::Served(Server::Options options)
    : server_(StartServer(std::move(options))),
      channel_(worker::CreateChannel(address())),
      client_(channel_) {}

std::string Served::address() const { return absl::StrCat("127.0.0.1:", server_->port()); }

std::unique_ptr<worker::WorkerPool> Served::Serve(const std::string& session,
                                                  const std::string& name, int slots,
                                                  worker::WorkerPool::Function function) {
  v1::FunctionSpec spec;
  spec.set_function_name(name);
  spec.set_durable(true);
  return Serve(session, std::move(spec), slots, std::move(function));
}

std::unique_ptr<worker::WorkerPool> Served::Serve(const std::string& session, v1::FunctionSpec spec,
                                                  int slots,
                                                  worker::WorkerPool::Function function) {
  worker::WorkerOptions options;
  options.session = session;
  options.slots = slots;
  options.functions.push_back(std::move(spec));
  auto pool =
      std::make_unique<worker::WorkerPool>(channel_, std::move(options), std::move(function));
  EXPECT_EQ(TextOf(pool->WaitUntilServing(kTestTimeout)), "OK");
  return pool;
}

v1::ServeRequest::Outcome Succeed(const std::string& result) {
  v1::ServeRequest::Outcome outcome;
  outcome.set_payload(absl::StrCat(R"({"Status":"SUCCEEDED","Result":)", result, "}"));
  return outcome;
}

v1::ServeRequest::Outcome Pend() {
  v1::ServeRequest::Outcome outcome;
  outcome.set_payload(R"({"Status":"PENDING"})");
  return outcome;
}

}  // namespace rehearse
