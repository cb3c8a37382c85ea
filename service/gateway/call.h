// Call: one request to the AWS face, taken apart, with the way to answer it.
//
//   v1::CheckpointRequest request;
//   absl::Status read = call.ReadBody(request);
//   if (!read.ok()) return call.Fail(read);
//   executor.Checkpoint(std::move(request), spelling,
//                       std::move(call).Answer<v1::CheckpointResponse>(200));
#ifndef REHEARSE_SERVICE_GATEWAY_CALL_H_
#define REHEARSE_SERVICE_GATEWAY_CALL_H_

#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "google/protobuf/message.h"
#include "service/aws_json/aws_json.h"
#include "service/executor/executor.h"
#include "service/gateway/error_response.h"
#include "service/gateway/routes.h"
#include "service/http/http_server.h"
#include "service/http/url.h"

namespace rehearse {

class Call {
 public:
  Call(RouteMatch match, HttpQuery query, HttpRequest request, HttpServer::Responder respond,
       ErrorTypeMember type_member)
      : match_(std::move(match)),
        query_(std::move(query)),
        headers_(std::move(request.headers)),
        body_(std::move(request.body)),
        respond_(std::move(respond)),
        type_member_(type_member) {}

  const std::string& session() const { return match_.session; }
  const std::string& label() const { return match_.label; }
  std::string& body() { return body_; }
  absl::optional<std::string> Header(absl::string_view name) const;
  absl::optional<std::string> Query(absl::string_view key) const;

  // An empty body has no members. InvalidParameter.
  absl::Status ReadBody(google::protobuf::Message& message) const;
  absl::Status ReadQuery(google::protobuf::Message& message) const;

  // Answer once, with one of these.
  void Fail(const absl::Status& status);
  void Reply(HttpResponse response) { respond_(std::move(response)); }
  // A JSON body.
  void Reply(int http_status, std::string json);
  // For the executor: replies with what it answers, or fails.
  template <typename Response>
  Executor::Done<Response> Answer(int http_status) && {
    return [call = std::move(*this), http_status](absl::StatusOr<Response> response) mutable {
      if (!response.ok()) return call.Fail(response.status());
      call.Reply(http_status, ToAwsJson(*response));
    };
  }

 private:
  RouteMatch match_;
  HttpQuery query_;
  HttpHeaders headers_;
  std::string body_;
  HttpServer::Responder respond_;
  ErrorTypeMember type_member_;
};

}  // namespace rehearse

#endif  // REHEARSE_SERVICE_GATEWAY_CALL_H_
