// RuntimeApi: the Lambda Runtime API (2018-06-01) of one runtime process, without its socket.
//
//   RuntimeApi api;
//   HttpServer::Start(options, [&api](HttpRequest request, HttpServer::Responder respond) {
//     api.Handle(std::move(request), std::move(respond));
//   });
//   api.Invoke(invocation, [](v1::ServeRequest::Outcome outcome) { ... });
//
// The runtime asks for the next invocation, gets one, and answers it with a response or an error;
// before its first question it may report that it could not start. Thread-safe.
#ifndef REHEARSE_SERVICE_LAMBDA_HOST_RUNTIME_API_H_
#define REHEARSE_SERVICE_LAMBDA_HOST_RUNTIME_API_H_

#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/functional/any_invocable.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/types/optional.h"
#include "rehearse/v1/function_host.pb.h"
#include "service/http/http_server.h"

namespace rehearse::lambda_host {

// Lambda's: 6 MiB and 100 bytes.
inline constexpr size_t kMaxResponseBytes = 6 * 1024 * 1024 + 100;

class RuntimeApi {
 public:
  // Called once, on any thread.
  using Done = absl::AnyInvocable<void(v1::ServeRequest::Outcome)>;

  void Handle(HttpRequest request, HttpServer::Responder respond) ABSL_LOCKS_EXCLUDED(mutex_);

  // Hands out `invocation` as soon as the runtime asks for one. At most one at a time. After the
  // end `done` is called at once.
  void Invoke(const v1::ServeResponse::Invocation& invocation, Done done)
      ABSL_LOCKS_EXCLUDED(mutex_);

  // The process has ended: the invocation that is there fails with `error`. Later calls do nothing.
  void End(v1::ErrorObject error) ABSL_LOCKS_EXCLUDED(mutex_);

  // No more invocations are of use: the runtime could not start, or has ended.
  bool ended() const ABSL_LOCKS_EXCLUDED(mutex_);
  // Whether the runtime has asked for an invocation.
  bool initialized() const ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  // kInvoked: the invocation has been handed out.
  enum class State { kStarting, kReady, kInvoked, kEnded };

  struct Invocation {
    std::string request_id;
    HttpResponse next;
    Done done;
  };

  void Next(HttpServer::Responder respond) ABSL_LOCKS_EXCLUDED(mutex_);
  void InitError(const HttpRequest& request, HttpServer::Responder respond)
      ABSL_LOCKS_EXCLUDED(mutex_);
  void Answer(absl::string_view request_id, v1::ServeRequest::Outcome outcome,
              HttpServer::Responder respond) ABSL_LOCKS_EXCLUDED(mutex_);
  void Response(absl::string_view request_id, HttpRequest request, HttpServer::Responder respond);
  // Returns the invocation that is there, for its failure.
  absl::optional<Invocation> Close(const v1::ErrorObject& error)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  HttpResponse TransitionRefused(absl::string_view target) const ABSL_SHARED_LOCKS_REQUIRED(mutex_);

  mutable absl::Mutex mutex_;
  State state_ ABSL_GUARDED_BY(mutex_) = State::kStarting;
  bool initialized_ ABSL_GUARDED_BY(mutex_) = false;
  // There only while the runtime waits for an invocation.
  HttpServer::Responder next_ ABSL_GUARDED_BY(mutex_);
  absl::optional<Invocation> invocation_ ABSL_GUARDED_BY(mutex_);
  // Once ended.
  v1::ErrorObject error_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace rehearse::lambda_host

#endif  // REHEARSE_SERVICE_LAMBDA_HOST_RUNTIME_API_H_
