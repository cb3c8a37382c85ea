#include "service/cli/rehearse_process.h"

#include <poll.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <fstream>
#include <sstream>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "gtest/gtest.h"
#include "service/worker/channel.h"

namespace rehearse {

std::vector<std::string> Rehearse(const std::vector<std::string>& arguments) {
  std::vector<std::string> command = {"service/cli/rehearse"};
  command.insert(command.end(), arguments.begin(), arguments.end());
  return command;
}

Finished RunToEnd(const std::vector<std::string>& arguments) {
  ChildProcess process(Rehearse(arguments));
  const int status = process.AwaitExit();
  return {status, process.out(), process.err()};
}

WatchedFolder::WatchedFolder() : path_(::testing::TempDir() + "/ready-XXXXXX") {
  EXPECT_NE(mkdtemp(path_.data()), nullptr);
  inotify_ = inotify_init1(IN_CLOEXEC);
  inotify_add_watch(inotify_, path_.c_str(), IN_MOVED_TO);
}

WatchedFolder::~WatchedFolder() { close(inotify_); }

std::string WatchedFolder::content() const {
  std::ifstream in(file());
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

bool WatchedFolder::AwaitFile() {
  pollfd event = {inotify_, POLLIN, 0};
  return poll(&event, 1, 60'000) == 1;
}

Up::Up(std::vector<std::string> flags)
    : process_(CommandOf(std::move(flags))), client_(Connect()) {}

bool Up::ready_file_exists() const { return access(folder_.file().c_str(), F_OK) == 0; }

std::vector<std::string> Up::CommandOf(std::vector<std::string> flags) const {
  flags.insert(flags.begin(),
               {"up", "--grpc-address=127.0.0.1:0", absl::StrCat("--ready-file=", folder_.file())});
  return Rehearse(flags);
}

std::shared_ptr<grpc::Channel> Up::Connect() {
  EXPECT_TRUE(folder_.AwaitFile()) << process_.err();
  const std::vector<std::string> parts = absl::StrSplit(ready_file(), '"');
  if (parts.size() > 7) {
    address_ = parts[3];
    http_address_ = parts[7];
  }
  return worker::CreateChannel(address_);
}

}  // namespace rehearse
