#include "service/worker/status.h"

#include "absl/strings/ascii.h"
#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/types/optional.h"
#include "google/protobuf/any.pb.h"

namespace rehearse::worker {
namespace {

constexpr char kErrorInfoTypeUrl[] = "type.googleapis.com/google.rpc.ErrorInfo";
constexpr char kAbortTypeUrl[] = "type.googleapis.com/rehearse.v1.ServeResponse.Abort";

}  // namespace

absl::Status FromProtoStatus(const v1::Status& status) {
  absl::Status result(static_cast<absl::StatusCode>(status.code()), status.message());
  for (const google::protobuf::Any& detail : status.details()) {
    result.SetPayload(detail.type_url(), absl::Cord(detail.value()));
  }
  return result;
}

absl::Status FromGrpcStatus(const grpc::Status& status) {
  if (status.ok()) return absl::OkStatus();
  v1::Status details;
  details.ParseFromString(status.error_details());
  details.set_code(status.error_code());
  details.set_message(status.error_message());
  return FromProtoStatus(details);
}

std::string ErrorReason(const absl::Status& status) {
  const absl::optional<absl::Cord> payload = status.GetPayload(kErrorInfoTypeUrl);
  v1::ErrorInfo info;
  if (!payload.has_value() || !info.ParseFromString(std::string(*payload))) return "";
  return info.reason();
}

absl::Status FromAbort(const v1::ServeResponse::Abort& abort) {
  const std::string reason = v1::ServeResponse::Abort::Reason_Name(abort.reason());
  absl::Status status = absl::CancelledError(
      absl::StrCat("the invocation was aborted: ",
                   absl::StrReplaceAll(absl::AsciiStrToLower(reason), {{"_", " "}})));
  status.SetPayload(kAbortTypeUrl, absl::Cord(abort.SerializeAsString()));
  return status;
}

v1::ServeResponse::Abort::Reason AbortReason(const absl::Status& status) {
  const absl::optional<absl::Cord> payload = status.GetPayload(kAbortTypeUrl);
  v1::ServeResponse::Abort abort;
  if (payload.has_value()) abort.ParseFromString(std::string(*payload));
  return abort.reason();
}

}  // namespace rehearse::worker
