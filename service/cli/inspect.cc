#include <algorithm>
#include <iostream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "service/aws_json/aws_json.h"
#include "service/cli/client.h"
#include "service/cli/client_commands.h"
#include "service/cli/event_rows.h"
#include "service/cli/text_table.h"

namespace rehearse {
namespace {

constexpr int kMaxPageItems = 1000;
constexpr size_t kMaxShown = 60;
constexpr char kExitCodes[] = "Exit codes: 0 success, 1 the service cannot do it, 2 wrong usage.";
// Of the columns of a history that is not known to its end.
const std::vector<size_t>& WatchWidths() {
  static const auto& widths = *new std::vector<size_t>{4, 10, 24, 24, 0};
  return widths;
}

struct InspectFlags {
  ClientFlags client;
  std::string execution;
  std::string function;
  std::vector<std::string> statuses;
  int limit = 100;
  bool reverse = false;
  int64_t after = 0;
};

std::string StatusName(v1::ExecutionStatus status) {
  return AwsEnumName(*v1::ExecutionStatus_descriptor()->FindValueByNumber(status));
}

Cell StatusCell(const std::string& name) { return Cell(name, ColourOf(name)); }

absl::Time ToTime(const google::protobuf::Timestamp& time) {
  return absl::FromUnixSeconds(time.seconds()) + absl::Nanoseconds(time.nanos());
}

// "orders:$LATEST" of a function's ARN.
std::string ShortFunction(const std::string& arn) {
  const size_t mark = arn.find(":function:");
  return mark == std::string::npos ? arn : arn.substr(mark + 10);
}

std::string DurationOf(const v1::Execution& execution) {
  if (!execution.has_end_timestamp()) return "";
  return absl::FormatDuration(
      absl::Trunc(ToTime(execution.end_timestamp()) - ToTime(execution.start_timestamp()),
                  absl::Milliseconds(1)));
}

absl::Status List(const InspectFlags& flags) {
  Client client(flags.client);
  v1::ListExecutionsRequest request;
  request.set_session(flags.client.session);
  request.set_function_name(flags.function);
  request.set_reverse_order(flags.reverse);
  for (const std::string& name : flags.statuses) {
    request.add_statuses(
        static_cast<v1::ExecutionStatus>(*AwsEnumValue(*v1::ExecutionStatus_descriptor(), name)));
  }
  v1::ListExecutionsResponse all;
  do {
    request.set_max_items(std::min(kMaxPageItems, flags.limit - all.durable_executions_size()));
    absl::StatusOr<v1::ListExecutionsResponse> page =
        client.Call(&v1::DurableExecutions::Stub::ListExecutions, request);
    if (!page.ok()) return page.status();
    request.set_marker(page->next_marker());
    all.clear_next_marker();
    all.MergeFrom(*page);
  } while (all.has_next_marker() && all.durable_executions_size() < flags.limit);
  if (flags.client.json) {
    PrintJson(all);
    return absl::OkStatus();
  }
  TextTable table({"name", "function", "status", "started", "took"});
  for (const v1::Execution& execution : all.durable_executions()) {
    table.Add({execution.durable_execution_name(), ShortFunction(execution.function_arn()),
               StatusCell(StatusName(execution.status())), FormatTime(execution.start_timestamp()),
               DurationOf(execution)});
  }
  std::cout << table.ToString();
  if (all.durable_executions().empty()) std::cout << "no executions\n";
  if (all.has_next_marker()) {
    std::cout << "and more: see --limit\n";
  }
  return absl::OkStatus();
}

// Result, error, and what somebody outside needs to go on.
std::string Recorded(const v1::Operation& operation) {
  const auto text = [](bool has_error, const v1::ErrorObject& error, const std::string& result) {
    return has_error ? ErrorText(error, kMaxShown) : OneLine(result, kMaxShown);
  };
  switch (operation.details_case()) {
    case v1::Operation::kContextDetails:
      return text(operation.context_details().has_error(), operation.context_details().error(),
                  operation.context_details().result());
    case v1::Operation::kStepDetails: {
      const v1::StepDetails& step = operation.step_details();
      const std::string ended = text(step.has_error(), step.error(), step.result());
      return step.attempt() <= 1
                 ? ended
                 : absl::StrCat("attempt ", step.attempt(), ended.empty() ? "" : ", ", ended);
    }
    case v1::Operation::kWaitDetails:
      return absl::StrCat("until ", FormatTime(operation.wait_details().scheduled_end_timestamp()));
    case v1::Operation::kCallbackDetails: {
      const v1::CallbackDetails& callback = operation.callback_details();
      // In full: it is there to be copied.
      if (!operation.has_end_timestamp()) return absl::StrCat("id ", callback.callback_id());
      return text(callback.has_error(), callback.error(), callback.result());
    }
    case v1::Operation::kChainedInvokeDetails:
      return text(operation.chained_invoke_details().has_error(),
                  operation.chained_invoke_details().error(),
                  operation.chained_invoke_details().result());
    default:
      return "";
  }
}

void PrintOperations(const v1::InspectExecutionResponse& inspected) {
  TextTable table({"operation", "type", "status", "started", "recorded"});
  absl::flat_hash_map<std::string, size_t> depth_by_id;
  for (const v1::Operation& operation : inspected.operations()) {
    if (operation.type() == v1::OPERATION_TYPE_EXECUTION) continue;
    const auto parent = depth_by_id.find(operation.parent_id());
    const size_t depth = parent == depth_by_id.end() ? 0 : parent->second + 1;
    depth_by_id[operation.id()] = depth;
    const std::string status =
        AwsEnumName(*v1::OperationStatus_descriptor()->FindValueByNumber(operation.status()));
    table.Add({std::string(2 * depth, ' ') +
                   OneLine(operation.has_name() ? operation.name() : operation.id(), kMaxShown),
               AwsEnumName(*v1::OperationType_descriptor()->FindValueByNumber(operation.type())),
               StatusCell(status), FormatTime(operation.start_timestamp()), Recorded(operation)});
  }
  const std::string text = table.ToString();
  if (!text.empty()) std::cout << "\n" << text;
}

void PrintExecution(const v1::InspectExecutionResponse& inspected) {
  const v1::Execution& execution = inspected.execution();
  const std::string status = StatusName(execution.status());
  TextTable table({"name", execution.durable_execution_name()});
  table.Add({"arn", execution.durable_execution_arn()});
  table.Add({"session", inspected.session()});
  table.Add({"status", StatusCell(status)});
  table.Add({"started", FormatTime(execution.start_timestamp())});
  if (execution.has_end_timestamp()) {
    table.Add({"ended", FormatTime(execution.end_timestamp())});
  } else {
    table.Add({"now", FormatTime(inspected.now())});
  }
  if (execution.has_input_payload()) {
    table.Add({"input", OneLine(execution.input_payload(), kMaxShown)});
  }
  if (execution.has_result()) table.Add({"result", OneLine(execution.result(), kMaxShown)});
  if (execution.has_error()) table.Add({"error", ErrorText(execution.error(), kMaxShown)});
  table.Add({"invocations", absl::StrCat(inspected.invocation_count())});
  for (const v1::WaitingFor& reason : inspected.waiting_for()) {
    table.Add({"waits for", OneLine(reason.text(), 1000)});
  }
  std::cout << table.ToString();
}

absl::Status Show(const InspectFlags& flags) {
  Client client(flags.client);
  const absl::StatusOr<std::string> arn = client.ArnOf(flags.execution);
  if (!arn.ok()) return arn.status();
  v1::InspectExecutionRequest request;
  request.set_durable_execution_arn(*arn);
  request.set_max_items(kMaxPageItems);
  v1::InspectExecutionResponse all;
  do {
    absl::StatusOr<v1::InspectExecutionResponse> page =
        client.Call(&v1::TestSessions::Stub::InspectExecution, request);
    if (!page.ok()) return page.status();
    request.set_marker(page->next_marker());
    // The newest page speaks for the execution, each for its operations.
    page->mutable_operations()->Swap(all.mutable_operations());
    page->mutable_operations()->MergeFrom(all.operations());
    all.Swap(&*page);
  } while (all.has_next_marker());
  if (flags.client.json) {
    PrintJson(all);
    return absl::OkStatus();
  }
  PrintExecution(all);
  PrintOperations(all);
  return absl::OkStatus();
}

absl::Status History(const InspectFlags& flags) {
  Client client(flags.client);
  const absl::StatusOr<std::string> arn = client.ArnOf(flags.execution);
  if (!arn.ok()) return arn.status();
  v1::GetExecutionHistoryRequest request;
  request.set_durable_execution_arn(*arn);
  request.set_max_items(kMaxPageItems);
  v1::GetExecutionHistoryResponse all;
  do {
    absl::StatusOr<v1::GetExecutionHistoryResponse> page =
        client.Call(&v1::DurableExecutions::Stub::GetExecutionHistory, request);
    if (!page.ok()) return page.status();
    request.set_marker(page->next_marker());
    all.clear_next_marker();
    all.MergeFrom(*page);
  } while (all.has_next_marker());
  if (flags.client.json) {
    PrintJson(all);
    return absl::OkStatus();
  }
  EventRows rows;
  TextTable table(EventRows::Header());
  for (const v1::Event& event : all.events()) table.Add(rows.Next(event));
  std::cout << table.ToString();
  return absl::OkStatus();
}

absl::Status Watch(const InspectFlags& flags) {
  Client client(flags.client);
  const absl::StatusOr<std::string> arn = client.ArnOf(flags.execution);
  if (!arn.ok()) return arn.status();
  grpc::ClientContext context;
  v1::WatchExecutionRequest request;
  request.set_durable_execution_arn(*arn);
  request.set_after_event_id(flags.after);
  const std::unique_ptr<grpc::ClientReader<v1::WatchExecutionResponse>> stream =
      client.executions().WatchExecution(&context, request);
  EventRows rows;
  v1::WatchExecutionResponse response;
  while (stream->Read(&response)) {
    if (flags.client.json) {
      PrintJsonLine(response.event());
    } else {
      std::cout << FormatRow(rows.Next(response.event()), WatchWidths(), OutputHasColours())
                << std::flush;
    }
  }
  const grpc::Status end = stream->Finish();
  return end.ok() ? absl::OkStatus() : client.ErrorOf(end);
}

using Action = absl::Status (*)(const InspectFlags&);

// A subcommand with the shared flags.
CLI::App& AddCommand(CLI::App& app, const std::string& name, const std::string& description,
                     Action action, const std::shared_ptr<InspectFlags>& flags, int& exit_code) {
  CLI::App& command = *app.add_subcommand(name, description);
  command.footer(kExitCodes);
  AddClientFlags(command, flags->client);
  command.callback([name, action, flags, &exit_code] {
    exit_code = ExitCodeOf("rehearse " + name, action(*flags));
  });
  return command;
}

void AddExecutionArgument(CLI::App& command, InspectFlags& flags) {
  command.add_option("execution", flags.execution, "ARN, or name within the session")
      ->type_name("EXECUTION")
      ->required();
}

}  // namespace

void AddInspectCommands(CLI::App& app, int& exit_code) {
  auto flags = std::make_shared<InspectFlags>();
  CLI::App& list =
      AddCommand(app, "list", "List executions, newest first.", List, flags, exit_code);
  list.add_option("--function", flags->function, "Of this function only")->type_name("NAME");
  list.add_option("--status", flags->statuses, "In this status only; may be given several times")
      ->check(CLI::IsMember(
          {"RUNNING", "PAUSING", "PAUSED", "SUCCEEDED", "FAILED", "TIMED_OUT", "STOPPED"}));
  list.add_option("--limit", flags->limit, "At most so many")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
  list.add_flag("--oldest-first", flags->reverse, "Oldest first");

  flags = std::make_shared<InspectFlags>();
  AddExecutionArgument(AddCommand(app, "show",
                                  "Show an execution: its state, its operations, and what it "
                                  "waits for.",
                                  Show, flags, exit_code),
                       *flags);

  flags = std::make_shared<InspectFlags>();
  AddExecutionArgument(
      AddCommand(app, "history", "Print the events of an execution.", History, flags, exit_code),
      *flags);

  flags = std::make_shared<InspectFlags>();
  CLI::App& watch =
      AddCommand(app, "watch",
                 "Print the events of an execution as they happen, until it ends; with --json, "
                 "one per line.",
                 Watch, flags, exit_code);
  AddExecutionArgument(watch, *flags);
  watch.add_option("--after", flags->after, "Begin behind the event of this id")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
}

}  // namespace rehearse
