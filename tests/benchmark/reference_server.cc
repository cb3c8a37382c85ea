// The service and a bare one in one process, each on a port of its own, so that a ratio of the two
// compares nothing else.
//
//   reference_server --ready-file=PATH       # writes {"grpc": "host:port", "bare": "host:port"};
//   ends with its standard input
#include <cstdio>
#include <fstream>
#include <iostream>
#include <memory>
#include <string>

#include "CLI/CLI.hpp"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "grpcpp/grpcpp.h"
#include "nlohmann/json.hpp"
#include "service/server/server.h"
#include "tests/benchmark/bare_service.h"

namespace rehearse::benchmark {
namespace {

// Whole or not at all: readers poll for it.
void WriteReadyFile(const std::string& path, const nlohmann::json& addresses) {
  const std::string unfinished = absl::StrCat(path, ".new");
  std::ofstream(unfinished) << addresses;
  std::rename(unfinished.c_str(), path.c_str());
}

void WaitForEndOfInput() {
  while (std::cin.get() != EOF) continue;
}

int Main(int argc, char** argv) {
  CLI::App app("The service and a bare gRPC service, side by side.");
  std::string ready_file;
  app.add_option("--ready-file", ready_file)->required();
  CLI11_PARSE(app, argc, argv);

  Server::Options options;
  options.grpc_address = "127.0.0.1:0";
  absl::StatusOr<std::unique_ptr<Server>> server = Server::Start(std::move(options));
  if (!server.ok()) {
    std::cerr << server.status() << std::endl;
    return 1;
  }
  BareServiceImpl bare_service;
  int bare_port = 0;
  grpc::ServerBuilder builder;
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &bare_port);
  builder.RegisterService(&bare_service);
  const std::unique_ptr<grpc::Server> bare = builder.BuildAndStart();
  WriteReadyFile(ready_file, {{"grpc", absl::StrCat("127.0.0.1:", (*server)->port())},
                              {"bare", absl::StrCat("127.0.0.1:", bare_port)}});
  WaitForEndOfInput();
  bare->Shutdown(std::chrono::system_clock::now());
  return 0;
}

}  // namespace
}  // namespace rehearse::benchmark

int main(int argc, char** argv) {
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  return rehearse::benchmark::Main(argc, argv);
}
