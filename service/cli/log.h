// The program's log, on standard error.
//
//   SetUpLog("info");
//   spdlog::info("serving gRPC on {}", address);
#ifndef REHEARSE_SERVICE_CLI_LOG_H_
#define REHEARSE_SERVICE_CLI_LOG_H_

#include <string>

namespace rehearse {

// One line per event. What gRPC logs is for who looks into gRPC: it is of level debug.
void SetUpLog(const std::string& level);

}  // namespace rehearse

#endif  // REHEARSE_SERVICE_CLI_LOG_H_
