// rehearse: `up` is the service, every other subcommand is a client of it.

#include <algorithm>
#include <string>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/synchronization/mutex.h"
#include "service/cli/client_commands.h"
#include "service/cli/run.h"
#include "service/cli/up.h"

namespace {

constexpr char kVersion[] = "rehearse 0.1.0";

// Exit codes are documented in the help.
constexpr int kUsageError = 2;

std::string UsageMessage(const CLI::App* app, const CLI::Error& error) {
  std::string command = app->get_name();
  const std::vector<std::string> unknown = app->remaining();
  if (app->get_subcommands().empty() && !unknown.empty()) {
    return command + ": unknown subcommand or option '" + unknown.front() + "'\nRun '" + command +
           " --help' for usage.\n";
  }
  while (!app->get_subcommands().empty()) {
    app = app->get_subcommands().front();
    // A group of options has no name.
    if (!app->get_name().empty()) command += " " + app->get_name();
  }
  return command + ": " + error.what() + "\nRun '" + command + " --help' for usage.\n";
}

// Cuts what follows "--" off the arguments of `run`: it is not ours to parse.
std::vector<std::string> TakeCommand(int& argc, char** argv) {
  if (argc < 2 || std::string(argv[1]) != "run") return {};
  char** const end = argv + argc;
  char** const mark = std::find(argv, end, std::string("--"));
  if (mark == end) return {};
  argc = static_cast<int>(mark - argv);
  return {mark + 1, end};
}

}  // namespace

int main(int argc, char** argv) {
  // Debian's Abseil has its lock-order detector on in optimized programs, too.
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);

  const std::vector<std::string> command = TakeCommand(argc, argv);
  CLI::App app(
      "A local, exact backend for AWS Lambda durable functions.\n"
      "Start it, point a durable function's worker at it, and see what happens - "
      "with time skipped, stopped or real.",
      "rehearse");
  app.footer(
      "Example:\n"
      "  rehearse up --grpc-address=127.0.0.1:9013 --time=skip\n"
      "  rehearse run --function=orders -- python3 -m awslambdaric app.handler\n"
      "  rehearse invoke orders --payload='{\"id\": 17}'\n\n"
      "Exit codes: 0 success, 1 failure, 2 wrong usage.");
  app.set_version_flag("--version", kVersion);
  app.require_subcommand(1);
  app.failure_message(UsageMessage);

  int exit_code = 0;
  rehearse::AddUpCommand(app, exit_code);
  rehearse::AddRunCommand(app, command, exit_code);
  rehearse::AddInvokeCommand(app, exit_code);
  rehearse::AddInspectCommands(app, exit_code);
  rehearse::AddControlCommands(app, exit_code);
  rehearse::AddCallbackCommand(app, exit_code);
  rehearse::AddTimeCommand(app, exit_code);
  rehearse::AddCompletionCommand(app);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : kUsageError;
  }
  return exit_code;
}
