// HttpClient: HTTP/1.1 requests, with keep-alive and, for https, TLS verified against the system's
// certificates.
//
//   HttpClient client;
//   absl::StatusOr<HttpUrl> url = ParseHttpUrl("https://lambda.us-east-1.amazonaws.com");
//   HttpRequest request{"GET", "/health", {}, ""};
//   absl::StatusOr<HttpResponse> response = client.Send(*url, std::move(request),
//   absl::Seconds(5));
//
// Thread-safe.
#ifndef REHEARSE_SERVICE_HTTP_HTTP_CLIENT_H_
#define REHEARSE_SERVICE_HTTP_HTTP_CLIENT_H_

#include <memory>
#include <string>

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "service/http/message.h"

namespace rehearse {

// Where a server is.
struct HttpUrl {
  bool tls = false;
  std::string host;
  int port = 80;
  // Encoded, without a slash at its end; empty for the root.
  std::string path;
};

// http://HOST[:PORT][/PATH] or https://...; InvalidArgument says what is wrong.
absl::StatusOr<HttpUrl> ParseHttpUrl(absl::string_view text);

class HttpClient {
 public:
  // DeadlineExceeded after the limit, Cancelled after Cancel or Shutdown, Unavailable when there
  // was no answer for another reason.
  using Done = absl::AnyInvocable<void(absl::StatusOr<HttpResponse>)>;

  // One request under way; may be dropped.
  class Call {
   public:
    virtual ~Call() = default;
    // Any thread; does nothing once the call has ended.
    virtual void Cancel() = 0;
  };

  struct Options {
    // A longer answer fails the call.
    size_t max_body_bytes = 16 * 1024 * 1024;
    // Per server; more than that are closed after their use.
    size_t max_idle_connections = 8;
    // Trusted besides the system's certificates, in PEM; for tests.
    std::string trusted_certificates;
  };

  HttpClient() : HttpClient(Options()) {}
  explicit HttpClient(Options options);
  // Shuts down.
  ~HttpClient();

  // Sends `request`, whose target is taken as it is, without `server.path`. `Host`,
  // `Content-Length` and `Connection` are added. `limit` is wall time for all of it. `done` is
  // called once, on the client's thread; it must not block. A request that fails on a connection
  // that had been idle, as when the server closed it meanwhile, is sent again on a new one.
  std::shared_ptr<Call> Send(const HttpUrl& server, HttpRequest request, absl::Duration limit,
                             Done done);
  // As above, and waits. Not to be called on the client's thread.
  absl::StatusOr<HttpResponse> Send(const HttpUrl& server, HttpRequest request,
                                    absl::Duration limit);

  // Cancels what is under way. Later calls do nothing, later requests are cancelled.
  void Shutdown();

 private:
  class Impl;
  const std::shared_ptr<Impl> impl_;
};

}  // namespace rehearse

#endif  // REHEARSE_SERVICE_HTTP_HTTP_CLIENT_H_
