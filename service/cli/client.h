// Client: what every subcommand that calls a service shares.
//
//   auto flags = std::make_shared<ClientFlags>();
//   AddClientFlags(command, *flags);
//   command.callback([flags, &exit_code] {
//     Client client(*flags);
//     absl::StatusOr<v1::GetSessionResponse> session =
//         client.Call(&v1::TestSessions::Stub::GetSession, request);
//     exit_code = ExitCodeOf("rehearse show", session.status());
//   });
#ifndef REHEARSE_SERVICE_CLI_CLIENT_H_
#define REHEARSE_SERVICE_CLI_CLIENT_H_

#include <memory>
#include <string>
#include <tuple>

#include "CLI/App.hpp"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "google/protobuf/message.h"
#include "grpcpp/grpcpp.h"
#include "rehearse/v1/durable_executions.grpc.pb.h"
#include "rehearse/v1/function_host.grpc.pb.h"
#include "rehearse/v1/test_sessions.grpc.pb.h"
#include "service/worker/status.h"

namespace rehearse {

inline constexpr char kDefaultServer[] = "127.0.0.1:9013";

// A client's exit codes; the help names them.
inline constexpr int kSuccess = 0;
inline constexpr int kFailure = 1;
// The service did as it was asked, and the function or execution failed.
inline constexpr int kFunctionFailed = 3;

struct ClientFlags {
  std::string server = kDefaultServer;
  std::string session;
  bool json = false;
};

// --server and --session.
void AddServerFlags(CLI::App& command, ClientFlags& flags);
// These and --json.
void AddClientFlags(CLI::App& command, ClientFlags& flags);

// --error-type, --error-message and --error-data.
void AddErrorFlags(CLI::App& command, v1::ErrorObject& error);

class Client {
 public:
  explicit Client(const ClientFlags& flags);

  const ClientFlags& flags() const { return flags_; }

  // UNAVAILABLE says which service does not answer. A call lasts at most `limit` of wall time.
  template <typename Stub, typename Request, typename Response>
  absl::StatusOr<Response> Call(grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&,
                                                             Response*),
                                const Request& request, absl::Duration limit = kCallLimit) {
    grpc::ClientContext context;
    context.set_deadline(absl::ToChronoTime(absl::Now() + limit));
    Response response;
    const grpc::Status status =
        (std::get<std::unique_ptr<Stub>>(stubs_).get()->*method)(&context, request, &response);
    if (!status.ok()) return ErrorOf(status);
    return response;
  }

  v1::DurableExecutions::Stub& executions() {
    return *std::get<std::unique_ptr<v1::DurableExecutions::Stub>>(stubs_);
  }

  absl::Status ErrorOf(const grpc::Status& status) const;

  // The ARN of an execution that is given by its ARN or, within the session, by its name.
  absl::StatusOr<std::string> ArnOf(const std::string& execution);

 private:
  static constexpr absl::Duration kCallLimit = absl::Seconds(60);

  const ClientFlags flags_;
  std::tuple<std::unique_ptr<v1::DurableExecutions::Stub>, std::unique_ptr<v1::FunctionHost::Stub>,
             std::unique_ptr<v1::TestSessions::Stub>>
      stubs_;
};

// On standard output, as protobuf maps it.
void PrintJson(const google::protobuf::Message& message);
// The same without line breaks, and one at the end.
void PrintJsonLine(const google::protobuf::Message& message);

// "TYPE: message" of an error, on one line of at most `max_characters`.
std::string ErrorText(const v1::ErrorObject& error, size_t max_characters);

// 0; or 1 after one line on standard error: "rehearse show: ResourceNotFoundException: ...".
int ExitCodeOf(absl::string_view command, const absl::Status& status);

}  // namespace rehearse

#endif  // REHEARSE_SERVICE_CLI_CLIENT_H_
