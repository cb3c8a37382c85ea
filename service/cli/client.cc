#include "service/cli/client.h"

#include <functional>
#include <iostream>
#include <utility>

#include "CLI/CLI.hpp"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "google/protobuf/util/json_util.h"
#include "service/cli/text_table.h"
#include "service/worker/channel.h"

namespace rehearse {
namespace {

std::string ToJson(const google::protobuf::Message& message,
                   const google::protobuf::util::JsonPrintOptions& options) {
  std::string json;
  // Fails only for timestamps and durations out of range; the error then stands in.
  const auto written = google::protobuf::util::MessageToJsonString(message, &json, options);
  return written.ok() ? json : written.ToString();
}

}  // namespace

void AddServerFlags(CLI::App& command, ClientFlags& flags) {
  command.add_option("--server", flags.server, "The service, as HOST:PORT of its gRPC address")
      ->envname("REHEARSE_SERVER")
      ->type_name("HOST:PORT")
      ->capture_default_str();
  command.add_option("--session", flags.session, "The session [default]")->type_name("NAME");
}

void AddClientFlags(CLI::App& command, ClientFlags& flags) {
  AddServerFlags(command, flags);
  command.add_flag("--json", flags.json, "Write JSON, as protobuf maps the answer to it");
}

void AddErrorFlags(CLI::App& command, v1::ErrorObject& error) {
  const auto add = [&command](const std::string& name, const std::string& description,
                              std::function<void(const std::string&)> set) {
    command.add_option_function<std::string>(name, std::move(set), description)->type_name("TEXT");
  };
  add("--error-type", "The error's type",
      [&error](const std::string& text) { error.set_error_type(text); });
  add("--error-message", "The error's message",
      [&error](const std::string& text) { error.set_error_message(text); });
  add("--error-data", "The error's data",
      [&error](const std::string& text) { error.set_error_data(text); });
}

Client::Client(const ClientFlags& flags) : flags_(flags) {
  const std::shared_ptr<grpc::Channel> channel = worker::CreateChannel(flags.server);
  stubs_ = {v1::DurableExecutions::NewStub(channel), v1::FunctionHost::NewStub(channel),
            v1::TestSessions::NewStub(channel)};
}

absl::Status Client::ErrorOf(const grpc::Status& status) const {
  absl::Status error = worker::FromGrpcStatus(status);
  if (!absl::IsUnavailable(error) || !worker::ErrorReason(error).empty()) return error;
  return absl::UnavailableError(absl::StrCat("no service answers at ", flags_.server,
                                             "; start one with 'rehearse up', or name another "
                                             "with --server"));
}

absl::StatusOr<std::string> Client::ArnOf(const std::string& execution) {
  if (absl::StartsWith(execution, "arn:")) return execution;
  v1::ListExecutionsRequest request;
  request.set_session(flags_.session);
  request.set_durable_execution_name(execution);
  request.set_max_items(2);
  const absl::StatusOr<v1::ListExecutionsResponse> found =
      Call(&v1::DurableExecutions::Stub::ListExecutions, request);
  if (!found.ok()) return found.status();
  if (found->durable_executions().empty()) {
    return absl::NotFoundError(absl::StrCat("there is no execution '", execution, "'"));
  }
  if (found->durable_executions_size() > 1) {
    return absl::InvalidArgumentError(
        absl::StrCat("there are several executions '", execution, "'; give the ARN of one"));
  }
  return found->durable_executions(0).durable_execution_arn();
}

void PrintJson(const google::protobuf::Message& message) {
  google::protobuf::util::JsonPrintOptions options;
  options.add_whitespace = true;
  std::cout << ToJson(message, options);
}

void PrintJsonLine(const google::protobuf::Message& message) {
  std::cout << ToJson(message, {}) << std::endl;
}

std::string ErrorText(const v1::ErrorObject& error, size_t max_characters) {
  const bool has_both = !error.error_type().empty() && !error.error_message().empty();
  return OneLine(absl::StrCat(error.error_type(), has_both ? ": " : "", error.error_message()),
                 max_characters);
}

int ExitCodeOf(absl::string_view command, const absl::Status& status) {
  if (status.ok()) return kSuccess;
  const std::string reason = worker::ErrorReason(status);
  std::cerr << command << ": " << reason << (reason.empty() ? "" : ": ") << status.message()
            << "\n";
  return kFailure;
}

}  // namespace rehearse
