#include "service/store/postgres/postgres_server.h"

#include <fcntl.h>
#include <glob.h>
#include <pwd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "absl/synchronization/notification.h"
#include "gtest/gtest.h"
#include "service/store/postgres/connection.h"

namespace rehearse {
namespace {

constexpr char kReady[] = "database system is ready to accept connections";
constexpr char kMaintenanceDatabase[] = "postgres";

[[noreturn]] void Fail(const std::string& message) {
  std::fprintf(stderr, "PostgresServer: %s\n", message.c_str());
  std::abort();
}

// The newest version that Debian has installed.
std::string FindBinaries() {
  glob_t found = {};
  std::string newest;
  int newest_version = 0;
  glob("/usr/lib/postgresql/*/bin/initdb", 0, nullptr, &found);
  for (size_t i = 0; i < found.gl_pathc; ++i) {
    const std::filesystem::path folder = std::filesystem::path(found.gl_pathv[i]).parent_path();
    int version = 0;
    if (!absl::SimpleAtoi(folder.parent_path().filename().string(), &version)) continue;
    if (version > newest_version) newest = folder.string();
    newest_version = std::max(newest_version, version);
  }
  globfree(&found);
  if (newest.empty()) Fail("Debian's package postgresql is missing; ./bazelw installs it");
  return newest;
}

pid_t Spawn(std::vector<std::string> command, const std::string& folder, int output) {
  std::vector<char*> arguments;
  for (std::string& argument : command) arguments.push_back(&argument[0]);
  arguments.push_back(nullptr);
  char* environment[] = {const_cast<char*>("LC_ALL=C"), const_cast<char*>("PATH=/usr/bin:/bin"),
                         nullptr};
  const pid_t pid = fork();
  if (pid != 0) return pid;
  if (chdir(folder.c_str()) != 0) _exit(127);
  dup2(output, STDOUT_FILENO);
  dup2(output, STDERR_FILENO);
  execve(arguments[0], arguments.data(), environment);
  _exit(127);
}

int Await(pid_t pid) {
  int status = -1;
  waitpid(pid, &status, 0);
  return status;
}

// What makes another user of root, which PostgreSQL refuses to be run by: in a user namespace we
// have another number, but all our rights; where there are no such namespaces, the user of Debian's
// package steps in.
const std::vector<std::string>& AsAnotherUser() {
  static const auto* const prefix = [] {
    if (geteuid() != 0) return new std::vector<std::string>;
    auto* namespaced = new std::vector<std::string>{"/usr/bin/unshare", "--user", "--map-user=1000",
                                                    "--map-group=1000", "--"};
    std::vector<std::string> probe = *namespaced;
    probe.push_back("/bin/true");
    if (Await(Spawn(probe, "/", STDERR_FILENO)) == 0) return namespaced;
    *namespaced = {"/usr/bin/setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups",
                   "--"};
    return namespaced;
  }();
  return *prefix;
}

}  // namespace

PostgresServer::PostgresServer(Sync sync, const std::string& parent)
    : sync_(sync), binaries_(FindBinaries()), folder_(parent + "/pg.XXXXXX") {
  if (mkdtemp(&folder_[0]) == nullptr) Fail("cannot make a folder in " + parent);
  const passwd* user = getpwnam("postgres");
  if (geteuid() == 0 && user != nullptr) (void)!chown(folder_.c_str(), user->pw_uid, user->pw_gid);
  // Whoever runs it.
  std::filesystem::permissions(folder_, std::filesystem::perms::all);
  std::FILE* log = std::tmpfile();
  const pid_t initdb = Run(
      {binaries_ + "/initdb", "--pgdata=" + folder_ + "/data", "--auth=trust",
       "--username=postgres", "--no-locale", "--encoding=UTF8", "--no-sync", "--no-instructions"},
      fileno(log));
  if (Await(initdb) != 0) {
    std::string said(4096, '\0');
    std::rewind(log);
    said.resize(std::fread(&said[0], 1, said.size(), log));
    std::filesystem::remove_all(folder_);
    Fail("initdb failed: " + said);
  }
  std::fclose(log);
  Start();
}

PostgresServer::~PostgresServer() {
  Stop();
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

pid_t PostgresServer::Run(std::vector<std::string> command, int output) const {
  // It ends with us.
  command.insert(command.begin(), {"/usr/bin/setpriv", "--pdeathsig=QUIT", "--"});
  command.insert(command.begin(), AsAnotherUser().begin(), AsAnotherUser().end());
  return Spawn(std::move(command), folder_, output);
}

void PostgresServer::Start() {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) Fail("cannot make a pipe");
  std::vector<std::string> command = {binaries_ + "/postgres",
                                      "-D",
                                      folder_ + "/data",
                                      "-k",
                                      folder_,
                                      "-c",
                                      "listen_addresses=",
                                      "-c",
                                      "max_connections=200",
                                      "-c",
                                      "log_min_messages=warning"};
  if (sync_ == Sync::kOff) command.insert(command.end(), {"-c", "fsync=off"});
  pid_ = Run(std::move(command), ends[1]);
  close(ends[1]);
  // Outlives this call in the reader.
  auto ready = std::make_shared<absl::Notification>();
  auto said = std::make_shared<std::string>();
  reader_ = std::thread([ready, said, input = ends[0]] {
    char buffer[4096];
    ssize_t size;
    while ((size = read(input, buffer, sizeof(buffer))) > 0) {
      if (ready->HasBeenNotified()) continue;
      said->append(buffer, static_cast<size_t>(size));
      if (absl::StrContains(*said, kReady)) ready->Notify();
    }
    close(input);
    if (!ready->HasBeenNotified()) ready->Notify();
  });
  ready->WaitForNotification();
  if (!absl::StrContains(*said, kReady)) Fail("the server did not start: " + *said);
}

void PostgresServer::Stop() {
  if (pid_ == 0) return;
  kill(pid_, SIGQUIT);
  (void)Await(pid_);
  pid_ = 0;
  reader_.join();
}

std::string PostgresServer::UrlOf(absl::string_view database) const {
  return absl::StrCat("postgres:///", database, "?host=", folder_, "&user=postgres");
}

std::string PostgresServer::NewDatabase() {
  auto connection = postgres::Connection::Open(UrlOf(kMaintenanceDatabase));
  if (!connection.ok()) Fail(connection.status().ToString());
  const std::string name = absl::StrCat("d", ++databases_);
  const absl::Status created = (*connection)->Execute(absl::StrCat("CREATE DATABASE ", name));
  if (!created.ok()) Fail(created.ToString());
  return UrlOf(name);
}

int PostgresServer::CutConnections(absl::string_view url) {
  auto connection = postgres::Connection::Open(UrlOf(kMaintenanceDatabase));
  if (!connection.ok()) Fail(connection.status().ToString());
  absl::ConsumePrefix(&url, "postgres:///");
  const postgres::Statement cut = {nullptr,
                                   "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                                   " WHERE datname = $1::text AND backend_type = 'client backend'"};
  const auto results =
      (*connection)->Run({{&cut, {postgres::TextParameter(url.substr(0, url.find('?')))}}});
  if (!results.ok()) Fail(results.status().ToString());
  return (*results)[0].rows();
}

PostgresServer& SharedPostgresServer() {
  static PostgresServer* server = nullptr;
  class Environment : public testing::Environment {
    void TearDown() override { delete server; }
  };
  if (server == nullptr) {
    server = new PostgresServer;
    testing::AddGlobalTestEnvironment(new Environment);
  }
  return *server;
}

}  // namespace rehearse
