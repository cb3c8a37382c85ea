// HttpServer: HTTP/1.1 with keep-alive, for handlers that answer when they can.
//
//   absl::StatusOr<std::unique_ptr<HttpServer>> server = HttpServer::Start(
//       options, [](HttpRequest request, HttpServer::Responder respond) {
//         HttpResponse response(200);
//         response.body = std::move(request.body);
//         respond(std::move(response));
//       });
//
// A slow or rude client costs nobody else anything: each phase of a request has a deadline, bodies
// and headers have bounds, and a client that goes away while its request is handled frees its
// connection. Connections over the bound wait in the kernel's queue.
#ifndef REHEARSE_SERVICE_HTTP_HTTP_SERVER_H_
#define REHEARSE_SERVICE_HTTP_HTTP_SERVER_H_

#include <functional>
#include <memory>
#include <string>

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "service/http/message.h"

namespace rehearse {

class HttpServer {
 public:
  // Answers one request; called at most once, on any thread. Destroyed without a call: the
  // connection is closed.
  using Responder = absl::AnyInvocable<void(HttpResponse)>;
  // Called on the server's threads; must not block.
  using Handler = std::function<void(HttpRequest request, Responder respond)>;

  struct Options {
    std::string host = "127.0.0.1";
    // 0 takes a free one.
    int port = 0;
    int threads = 2;
    // A longer body is answered with 413 and drained.
    size_t max_body_bytes = 16 * 1024 * 1024;
    // Request line and headers; more is answered with 431.
    size_t max_header_bytes = 64 * 1024;
    int max_connections = 1000;
    // Between requests.
    absl::Duration idle_limit = absl::Seconds(75);
    // From the first byte of a request to the end of its headers.
    absl::Duration header_limit = absl::Seconds(10);
    // For the body, and for a client to take an answer.
    absl::Duration transfer_limit = absl::Seconds(60);
    // What a request that never reaches the handler is answered with: 400, 413 or 431. Unset: the
    // message as plain text.
    std::function<HttpResponse(int status, absl::string_view message)> refuse;
  };

  // Serves when it returns. AlreadyExists for an address in use, Unavailable for one that cannot be
  // listened on for another reason.
  static absl::StatusOr<std::unique_ptr<HttpServer>> Start(Options options, Handler handler);
  // Shuts down.
  ~HttpServer();

  int port() const;

  // Takes no new requests, lets those under way be answered within `limit` of wall time, closes all
  // connections and joins the threads. A responder may outlive the server; its answer goes nowhere.
  // Later calls do nothing.
  void Shutdown(absl::Duration limit = absl::ZeroDuration());

 private:
  class Impl;
  explicit HttpServer(std::shared_ptr<Impl> impl);

  const std::shared_ptr<Impl> impl_;
};

}  // namespace rehearse

#endif  // REHEARSE_SERVICE_HTTP_HTTP_SERVER_H_
