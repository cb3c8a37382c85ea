#include <iostream>
#include <memory>
#include <string>

#include "CLI/CLI.hpp"
#include "absl/status/status.h"
#include "service/cli/client.h"
#include "service/cli/client_commands.h"

namespace rehearse {
namespace {

constexpr char kExitCodes[] = "Exit codes: 0 success, 1 the service cannot do it, 2 wrong usage.";

struct CallbackFlags {
  ClientFlags client;
  std::string id;
  std::string result;
  v1::ErrorObject error;
};

template <typename Stub, typename Request, typename Response>
absl::Status Perform(const CallbackFlags& flags, Request request,
                     grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Response*),
                     const std::string& done) {
  request.set_callback_id(flags.id);
  if (!flags.client.session.empty()) request.set_session(flags.client.session);
  const absl::StatusOr<Response> response = Client(flags.client).Call(method, request);
  if (!response.ok()) return response.status();
  if (flags.client.json) {
    PrintJson(*response);
  } else {
    std::cout << done << "\n";
  }
  return absl::OkStatus();
}

absl::Status Succeed(const CallbackFlags& flags) {
  v1::SendCallbackSuccessRequest request;
  if (!flags.result.empty()) request.set_result(flags.result);
  return Perform(flags, std::move(request), &v1::DurableExecutions::Stub::SendCallbackSuccess,
                 "the callback succeeded");
}

absl::Status Fail(const CallbackFlags& flags) {
  v1::SendCallbackFailureRequest request;
  if (flags.error.ByteSizeLong() > 0) *request.mutable_error() = flags.error;
  return Perform(flags, std::move(request), &v1::DurableExecutions::Stub::SendCallbackFailure,
                 "the callback failed");
}

absl::Status Heartbeat(const CallbackFlags& flags) {
  return Perform(flags, v1::SendCallbackHeartbeatRequest(),
                 &v1::DurableExecutions::Stub::SendCallbackHeartbeat, "the heartbeat is recorded");
}

using Action = absl::Status (*)(const CallbackFlags&);

CLI::App& AddCommand(CLI::App& callback, const std::string& name, const std::string& description,
                     Action action, const std::shared_ptr<CallbackFlags>& flags, int& exit_code) {
  CLI::App& command = *callback.add_subcommand(name, description);
  command.footer(kExitCodes);
  command.add_option("id", flags->id, "The callback's id, as 'rehearse show' prints it")
      ->type_name("ID")
      ->required();
  AddClientFlags(command, flags->client);
  command.callback([name, action, flags, &exit_code] {
    exit_code = ExitCodeOf("rehearse callback " + name, action(*flags));
  });
  return command;
}

}  // namespace

void AddCallbackCommand(CLI::App& app, int& exit_code) {
  CLI::App& callback = *app.add_subcommand("callback", "Complete a callback, or keep it alive.");
  callback.require_subcommand(1);

  auto flags = std::make_shared<CallbackFlags>();
  AddCommand(callback, "succeed", "Complete a callback with a result.", Succeed, flags, exit_code)
      .add_option("--result", flags->result, "What the function gets; JSON by custom [none]")
      ->type_name("TEXT");

  flags = std::make_shared<CallbackFlags>();
  AddErrorFlags(
      AddCommand(callback, "fail", "Fail a callback with an error.", Fail, flags, exit_code),
      flags->error);

  flags = std::make_shared<CallbackFlags>();
  AddCommand(callback, "heartbeat", "Begin a callback's heartbeat timeout anew.", Heartbeat, flags,
             exit_code);
}

}  // namespace rehearse
