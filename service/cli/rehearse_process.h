// The program in processes of its own, for tests.
//
//   Up up({"--time=skip"});                                       // `rehearse up` on free ports
//   const Finished list = RunToEnd({"list", "--server=" + up.address()});
//   EXPECT_EQ(list.status, 0);
#ifndef REHEARSE_SERVICE_CLI_REHEARSE_PROCESS_H_
#define REHEARSE_SERVICE_CLI_REHEARSE_PROCESS_H_

#include <memory>
#include <string>
#include <vector>

#include "grpcpp/grpcpp.h"
#include "service/cli/child_process.h"
#include "service/rpc/test_client.h"

namespace rehearse {

// The command line of the program with these arguments.
std::vector<std::string> Rehearse(const std::vector<std::string>& arguments);

struct Finished {
  int status;
  std::string out;
  std::string err;
};

Finished RunToEnd(const std::vector<std::string>& arguments);

// A folder in which a file is waited for.
class WatchedFolder {
 public:
  WatchedFolder();
  ~WatchedFolder();

  std::string file() const { return path_ + "/ready.json"; }
  // What is in the file.
  std::string content() const;

  // False after a minute in which nothing has come.
  bool AwaitFile();

 private:
  std::string path_;
  int inotify_;
};

// A running `rehearse up` on free ports.
class Up {
 public:
  explicit Up(std::vector<std::string> flags = {});

  ChildProcess& process() { return process_; }
  TestClient& client() { return client_; }
  const std::string& address() const { return address_; }
  const std::string& http_address() const { return http_address_; }
  std::string ready_file_path() const { return folder_.file(); }
  std::string ready_file() const { return folder_.content(); }
  bool ready_file_exists() const;

 private:
  std::vector<std::string> CommandOf(std::vector<std::string> flags) const;
  std::shared_ptr<grpc::Channel> Connect();

  WatchedFolder folder_;
  ChildProcess process_;
  std::string address_;
  std::string http_address_;
  TestClient client_;
};

}  // namespace rehearse

#endif  // REHEARSE_SERVICE_CLI_REHEARSE_PROCESS_H_
