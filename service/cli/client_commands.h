// The subcommands that are clients of a service.
//
//   CLI::App app;
//   int exit_code = 0;
//   AddInvokeCommand(app, exit_code);
//   app.parse(argc, argv);
//
// Parsing a subcommand runs it; `exit_code` is then as client.h says.
#ifndef REHEARSE_SERVICE_CLI_CLIENT_COMMANDS_H_
#define REHEARSE_SERVICE_CLI_CLIENT_COMMANDS_H_

#include "CLI/App.hpp"

namespace rehearse {

void AddInvokeCommand(CLI::App& app, int& exit_code);
// list, show, history, watch
void AddInspectCommands(CLI::App& app, int& exit_code);
// stop, pause, resume, delete
void AddControlCommands(CLI::App& app, int& exit_code);
void AddCallbackCommand(CLI::App& app, int& exit_code);
void AddTimeCommand(CLI::App& app, int& exit_code);
// Prints what a shell needs to complete the subcommands and options that `app` has when it runs.
void AddCompletionCommand(CLI::App& app);

}  // namespace rehearse

#endif  // REHEARSE_SERVICE_CLI_CLIENT_COMMANDS_H_
