#include <fstream>
#include <iostream>
#include <iterator>
#include <memory>
#include <string>

#include "CLI/CLI.hpp"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "service/aws_json/aws_json.h"
#include "service/base/arn.h"
#include "service/cli/client.h"
#include "service/cli/client_commands.h"

namespace rehearse {
namespace {

constexpr char kCommand[] = "rehearse invoke";
// A wait lasts as long as it is told to; its call has this much more.
constexpr absl::Duration kCallGrace = absl::Seconds(10);
constexpr size_t kMaxErrorCharacters = 1000;

struct InvokeFlags {
  ClientFlags client;
  std::string function;
  std::string qualifier;
  std::string payload;
  std::string payload_file;
  std::string execution_name;
  std::string tenant_id;
  bool event = false;
  int timeout_s = 60;
};

absl::StatusOr<std::string> PayloadOf(const InvokeFlags& flags) {
  if (flags.payload_file.empty()) return flags.payload;
  std::ifstream file;
  if (flags.payload_file != "-") file.open(flags.payload_file);
  std::istream& in = flags.payload_file == "-" ? std::cin : file;
  if (!in) return absl::NotFoundError(absl::StrCat("cannot read ", flags.payload_file));
  return std::string(std::istreambuf_iterator<char>(in), {});
}

// Of a name, name:qualifier or ARN; whatever is none of them has no function.
std::string BareName(const std::string& function) {
  const absl::StatusOr<FunctionReference> reference = FunctionReference::Parse(function);
  return reference.ok() ? reference->name : function;
}

// False for a function that is not there: starting an execution then says so.
absl::StatusOr<bool> IsPlain(Client& client, const std::string& function) {
  const std::string name = BareName(function);
  v1::ListFunctionsRequest request;
  request.set_session(client.flags().session);
  request.set_max_items(1000);
  while (true) {
    absl::StatusOr<v1::ListFunctionsResponse> page =
        client.Call(&v1::FunctionHost::Stub::ListFunctions, request);
    if (!page.ok()) return page.status();
    for (const v1::FunctionState& state : page->functions()) {
      if (BareName(state.function().function_name()) == name) return !state.function().durable();
    }
    if (!page->has_next_marker()) return false;
    request.set_marker(page->next_marker());
  }
}

// Fills in what both kinds of invocation share.
template <typename Request>
Request RequestOf(const InvokeFlags& flags) {
  Request request;
  request.set_session(flags.client.session);
  request.set_function_name(flags.function);
  if (!flags.qualifier.empty()) request.set_qualifier(flags.qualifier);
  if (!flags.tenant_id.empty()) request.set_tenant_id(flags.tenant_id);
  request.set_invocation_type(flags.event ? v1::INVOCATION_TYPE_EVENT
                                          : v1::INVOCATION_TYPE_REQUEST_RESPONSE);
  return request;
}

absl::StatusOr<int> InvokePlain(Client& client, const InvokeFlags& flags, std::string payload) {
  auto request = RequestOf<v1::InvokeFunctionRequest>(flags);
  request.set_payload(std::move(payload));
  const absl::StatusOr<v1::InvokeFunctionResponse> response =
      client.Call(&v1::DurableExecutions::Stub::InvokeFunction, request,
                  absl::Seconds(flags.timeout_s) + kCallGrace);
  if (!response.ok()) return response.status();
  if (flags.client.json) {
    PrintJson(*response);
  } else if (response->has_error()) {
    std::cerr << kCommand
              << ": the function failed: " << ErrorText(response->error(), kMaxErrorCharacters)
              << "\n";
  } else if (!flags.event) {
    std::cout << response->payload() << "\n";
  }
  return response->has_error() ? kFunctionFailed : kSuccess;
}

int ReportEnd(const v1::Execution& execution, bool json) {
  const bool succeeded = execution.status() == v1::EXECUTION_STATUS_SUCCEEDED;
  if (json) {
    PrintJson(execution);
  } else if (succeeded) {
    std::cout << execution.result() << "\n";
  } else {
    const std::string status =
        AwsEnumName(*v1::ExecutionStatus_descriptor()->FindValueByNumber(execution.status()));
    const std::string error = ErrorText(execution.error(), kMaxErrorCharacters);
    std::cerr << kCommand << ": the execution is " << status << (error.empty() ? "" : ": ") << error
              << "\n";
  }
  return succeeded ? kSuccess : kFunctionFailed;
}

absl::StatusOr<int> InvokeDurable(Client& client, const InvokeFlags& flags, std::string payload) {
  auto request = RequestOf<v1::StartExecutionRequest>(flags);
  if (!flags.execution_name.empty()) request.set_durable_execution_name(flags.execution_name);
  if (!payload.empty()) request.set_input(std::move(payload));
  const absl::StatusOr<v1::StartExecutionResponse> started =
      client.Call(&v1::DurableExecutions::Stub::StartExecution, request);
  if (!started.ok()) return started.status();
  if (flags.event) {
    if (flags.client.json) {
      PrintJson(*started);
    } else {
      std::cout << started->durable_execution_arn() << "\n";
    }
    return kSuccess;
  }
  std::cerr << started->durable_execution_arn() << "\n";
  v1::WaitForExecutionRequest wait;
  wait.set_durable_execution_arn(started->durable_execution_arn());
  wait.mutable_timeout()->set_seconds(flags.timeout_s);
  const absl::StatusOr<v1::WaitForExecutionResponse> ended = client.Call(
      &v1::TestSessions::Stub::WaitForExecution, wait, absl::Seconds(flags.timeout_s) + kCallGrace);
  if (!ended.ok()) return ended.status();
  return ReportEnd(ended->execution(), flags.client.json);
}

absl::StatusOr<int> Invoke(const InvokeFlags& flags) {
  absl::StatusOr<std::string> payload = PayloadOf(flags);
  if (!payload.ok()) return payload.status();
  Client client(flags.client);
  const absl::StatusOr<bool> is_plain = IsPlain(client, flags.function);
  if (!is_plain.ok()) return is_plain.status();
  return *is_plain ? InvokePlain(client, flags, *std::move(payload))
                   : InvokeDurable(client, flags, *std::move(payload));
}

}  // namespace

void AddInvokeCommand(CLI::App& app, int& exit_code) {
  CLI::App& invoke =
      *app.add_subcommand("invoke", "Invoke a function, durable or plain, and print its result.");
  invoke.footer(
      "The ARN of the execution goes to standard error, the result to standard output.\n\n"
      "Example:\n"
      "  rehearse invoke orders --payload='{\"id\": 17}'\n\n"
      "Exit codes: 0 success, 1 the service cannot do it or the time is up, 2 wrong usage, 3 the "
      "function or execution failed.");
  auto flags = std::make_shared<InvokeFlags>();
  invoke.add_option("function", flags->function, "Name, name:qualifier or ARN")
      ->type_name("FUNCTION")
      ->required();
  AddClientFlags(invoke, flags->client);
  CLI::Option* payload =
      invoke.add_option("--payload", flags->payload, "What the function is given; JSON by custom")
          ->type_name("TEXT");
  invoke
      .add_option("--payload-file", flags->payload_file, "The same from a file; -: standard input")
      ->type_name("PATH")
      ->excludes(payload);
  invoke
      .add_option("--execution-name", flags->execution_name,
                  "Name of the execution, which makes starting it idempotent [generated]")
      ->type_name("NAME");
  invoke.add_option("--qualifier", flags->qualifier, "Version")->type_name("VERSION");
  invoke.add_option("--tenant-id", flags->tenant_id, "Tenant id")->type_name("ID");
  invoke.add_flag("--event", flags->event,
                  "Do not wait for the end; print the execution's ARN at once");
  invoke
      .add_option("--timeout", flags->timeout_s,
                  "Seconds to wait for the end; the execution goes on afterwards")
      ->check(CLI::Range(1, 31'622'400))
      ->capture_default_str();
  invoke.callback([flags, &exit_code] {
    const absl::StatusOr<int> result = Invoke(*flags);
    exit_code = result.ok() ? *result : ExitCodeOf(kCommand, result.status());
  });
}

}  // namespace rehearse
