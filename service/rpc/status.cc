#include "service/rpc/status.h"

#include <string>

#include "absl/strings/cord.h"
#include "absl/strings/string_view.h"

namespace rehearse {

v1::Status ToStatusMessage(const absl::Status& status) {
  v1::Status message;
  message.set_code(static_cast<int>(status.code()));
  message.set_message(std::string(status.message()));
  status.ForEachPayload([&message](absl::string_view type_url, const absl::Cord& value) {
    google::protobuf::Any& detail = *message.add_details();
    detail.set_type_url(std::string(type_url));
    detail.set_value(std::string(value));
  });
  return message;
}

grpc::Status ToGrpcStatus(const absl::Status& status) {
  if (status.ok()) return grpc::Status::OK;
  const v1::Status message = ToStatusMessage(status);
  return grpc::Status(static_cast<grpc::StatusCode>(message.code()), message.message(),
                      message.SerializeAsString());
}

}  // namespace rehearse
