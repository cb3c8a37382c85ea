// `rehearse up`: runs the service until it is told to stop.
//
//   CLI::App app;
//   int exit_code = 0;
//   AddUpCommand(app, exit_code);
//   app.parse(argc, argv);
#ifndef REHEARSE_SERVICE_CLI_UP_H_
#define REHEARSE_SERVICE_CLI_UP_H_

#include "CLI/App.hpp"

namespace rehearse {

// Parsing `up` runs it; `exit_code` is then 0 after a stop that was asked for, 1 when the service
// could not start.
void AddUpCommand(CLI::App& app, int& exit_code);

}  // namespace rehearse

#endif  // REHEARSE_SERVICE_CLI_UP_H_
