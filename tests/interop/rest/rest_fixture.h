// RestFixture: a server with its AWS face, driven over HTTP alone. Its functions are endpoints of
// the test: a test sees each invocation as the request it is, and answers it when it likes.
//
//   TEST_F(RestFixture, ...) {
//     const HttpResponse started = Invoke("durable", "{}", {{"X-Amz-Invocation-Type", "Event"}});
//     Invocation invocation = NextInvocation();
//     invocation.Answer(R"({"Status": "SUCCEEDED"})");
//   }
#ifndef REHEARSE_TESTS_INTEROP_REST_REST_FIXTURE_H_
#define REHEARSE_TESTS_INTEROP_REST_REST_FIXTURE_H_

#include <deque>
#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "service/http/http_client.h"
#include "service/http/http_server.h"
#include "service/server/server.h"

namespace rehearse {

// One invocation of a function, as its endpoint got it.
struct Invocation {
  HttpRequest request;
  HttpServer::Responder respond;

  nlohmann::json payload() const { return nlohmann::json::parse(request.body); }
  std::string arn() const { return payload()["DurableExecutionArn"].get<std::string>(); }
  std::string token() const { return payload()["CheckpointToken"].get<std::string>(); }

  void Answer(std::string body) {
    HttpResponse response(200);
    response.body = std::move(body);
    respond(std::move(response));
  }
};

class RestFixture : public ::testing::Test {
 protected:
  // Functions `durable`, `timed` (execution timeout 60 s) and `plain`.
  RestFixture();
  ~RestFixture() override;

  HttpResponse Send(const std::string& method, const std::string& path,
                    const std::string& body = "", HttpHeaders headers = {});
  // POST /2015-03-31/functions/FUNCTION/invocations.
  HttpResponse Invoke(const std::string& function, const std::string& payload,
                      HttpHeaders headers = {});
  // Starts an execution of `durable` and returns its first invocation.
  Invocation StartDurable();
  // The next invocation of any function, in order.
  Invocation NextInvocation();

  // The path of an execution, percent-encoded.
  static std::string ExecutionPath(const std::string& arn, absl::string_view suffix = "");
  static std::string CallbackPath(const std::string& id, absl::string_view suffix);

  int http_port() const { return server_->http_port(); }
  int endpoint_port() const { return endpoint_->port(); }

 private:
  absl::Mutex mutex_;
  std::deque<Invocation> invocations_ ABSL_GUARDED_BY(mutex_);
  std::unique_ptr<HttpServer> endpoint_;
  std::unique_ptr<Server> server_;
  HttpClient client_;
};

}  // namespace rehearse

#endif  // REHEARSE_TESTS_INTEROP_REST_REST_FIXTURE_H_
