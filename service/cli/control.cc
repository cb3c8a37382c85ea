#include <iostream>
#include <memory>
#include <string>

#include "CLI/CLI.hpp"
#include "absl/status/status.h"
#include "service/cli/client.h"
#include "service/cli/client_commands.h"
#include "service/cli/text_table.h"

namespace rehearse {
namespace {

constexpr char kExitCodes[] = "Exit codes: 0 success, 1 the service cannot do it, 2 wrong usage.";

struct ControlFlags {
  ClientFlags client;
  std::string execution;
  v1::ErrorObject error;
  std::string reason;
  bool timeout_runs = false;
};

// Calls `method` and says what it did, in one line or as JSON.
template <typename Stub, typename Request, typename Response>
absl::Status Perform(const ControlFlags& flags, Request request,
                     grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Response*),
                     const std::string& done) {
  Client client(flags.client);
  const absl::StatusOr<std::string> arn = client.ArnOf(flags.execution);
  if (!arn.ok()) return arn.status();
  request.set_durable_execution_arn(*arn);
  const absl::StatusOr<Response> response = client.Call(method, request);
  if (!response.ok()) return response.status();
  if (flags.client.json) {
    PrintJson(*response);
  } else {
    std::cout << done << " " << *arn << "\n";
  }
  return absl::OkStatus();
}

absl::Status Stop(const ControlFlags& flags) {
  v1::StopExecutionRequest request;
  if (flags.error.ByteSizeLong() > 0) *request.mutable_error() = flags.error;
  return Perform(flags, std::move(request), &v1::DurableExecutions::Stub::StopExecution, "stopped");
}

absl::Status Pause(const ControlFlags& flags) {
  v1::PauseExecutionRequest request;
  if (!flags.reason.empty()) request.set_reason(flags.reason);
  if (flags.timeout_runs) request.set_execution_timeout_paused(false);
  return Perform(flags, std::move(request), &v1::DurableExecutions::Stub::PauseExecution, "paused");
}

absl::Status Resume(const ControlFlags& flags) {
  v1::ResumeExecutionRequest request;
  if (!flags.reason.empty()) request.set_reason(flags.reason);
  return Perform(flags, std::move(request), &v1::DurableExecutions::Stub::ResumeExecution,
                 "resumed");
}

absl::Status Delete(const ControlFlags& flags) {
  return Perform(flags, v1::DeleteExecutionRequest(), &v1::DurableExecutions::Stub::DeleteExecution,
                 "deleted");
}

using Action = absl::Status (*)(const ControlFlags&);

CLI::App& AddCommand(CLI::App& app, const std::string& name, const std::string& description,
                     Action action, const std::shared_ptr<ControlFlags>& flags, int& exit_code) {
  CLI::App& command = *app.add_subcommand(name, description);
  command.footer(kExitCodes);
  command.add_option("execution", flags->execution, "ARN, or name within the session")
      ->type_name("EXECUTION")
      ->required();
  AddClientFlags(command, flags->client);
  command.callback([name, action, flags, &exit_code] {
    exit_code = ExitCodeOf("rehearse " + name, action(*flags));
  });
  return command;
}

void AddReason(CLI::App& command, ControlFlags& flags) {
  command.add_option("--reason", flags.reason, "Recorded in the history")->type_name("TEXT");
}

}  // namespace

void AddControlCommands(CLI::App& app, int& exit_code) {
  auto flags = std::make_shared<ControlFlags>();
  AddErrorFlags(AddCommand(app, "stop", "Stop an execution.", Stop, flags, exit_code),
                flags->error);

  flags = std::make_shared<ControlFlags>();
  CLI::App& pause =
      AddCommand(app, "pause",
                 "Pause an execution: its timers and callbacks go on, its function is not invoked.",
                 Pause, flags, exit_code);
  AddReason(pause, *flags);
  pause.add_flag("--timeout-runs", flags->timeout_runs,
                 "The execution timeout does not move out by the time spent paused");

  flags = std::make_shared<ControlFlags>();
  AddReason(AddCommand(app, "resume", "Resume a paused execution.", Resume, flags, exit_code),
            *flags);

  flags = std::make_shared<ControlFlags>();
  AddCommand(app, "delete", "Delete a closed execution with its history.", Delete, flags,
             exit_code);
}

}  // namespace rehearse
