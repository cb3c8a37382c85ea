// `rehearse run`: hosts functions in Lambda runtimes until it is told to stop.
//
//   AddRunCommand(app, {"python3", "-m", "awslambdaric", "app.handler"}, exit_code);
#ifndef REHEARSE_SERVICE_CLI_RUN_H_
#define REHEARSE_SERVICE_CLI_RUN_H_

#include <string>
#include <vector>

#include "CLI/App.hpp"

namespace rehearse {

// `command` is what follows "--" on the command line. Parsing `run` runs it; `exit_code` is then 0
// after a stop that was asked for, 1 when it could not start or the service refused it.
void AddRunCommand(CLI::App& app, const std::vector<std::string>& command, int& exit_code);

}  // namespace rehearse

#endif  // REHEARSE_SERVICE_CLI_RUN_H_
