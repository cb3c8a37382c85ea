// Served: a service of its own on a loopback port, and a client of it.
//
//   Served served;
//   const std::string arn = served.client().Start("default", "orders");
#ifndef REHEARSE_TESTS_E2E_SERVED_H_
#define REHEARSE_TESTS_E2E_SERVED_H_

#include <memory>
#include <string>

#include "grpcpp/grpcpp.h"
#include "service/rpc/test_client.h"
#include "service/server/server.h"
#include "service/worker/worker_pool.h"

namespace rehearse {

class Served {
 public:
  explicit Served(Server::Options options = {});

  Server& server() { return *server_; }
  std::string address() const;
  std::shared_ptr<grpc::Channel> channel() const { return channel_; }
  TestClient& client() { return client_; }

  // Serves the durable function `name` and returns when it does.
  std::unique_ptr<worker::WorkerPool> Serve(const std::string& session, const std::string& name,
                                            int slots, worker::WorkerPool::Function function);
  std::unique_ptr<worker::WorkerPool> Serve(const std::string& session, v1::FunctionSpec spec,
                                            int slots, worker::WorkerPool::Function function);

 private:
  const std::unique_ptr<Server> server_;
  const std::shared_ptr<grpc::Channel> channel_;
  TestClient client_;
};

// The function succeeds with `result`, as JSON text.
v1::ServeRequest::Outcome Succeed(const std::string& result);
// ... or waits for what it has recorded.
v1::ServeRequest::Outcome Pend();

}  // namespace rehearse

#endif  // REHEARSE_TESTS_E2E_SERVED_H_
