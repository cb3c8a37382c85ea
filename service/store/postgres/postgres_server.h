// PostgresServer: a real PostgreSQL server for tests, from Debian's package `postgresql`, in a
// folder of its own and on a Unix socket there. Nothing is left of it.
//
//   PostgresServer server;
//   const std::string url = server.NewDatabase();      // postgres:///d1?host=...&user=postgres
//   server.Stop();                                     // as in a crash
//   server.Start();
//
// Failing to start ends the process with what the server said. Not thread-safe.
#ifndef REHEARSE_SERVICE_STORE_POSTGRES_POSTGRES_SERVER_H_
#define REHEARSE_SERVICE_STORE_POSTGRES_POSTGRES_SERVER_H_

#include <sys/types.h>

#include <string>
#include <thread>
#include <vector>

#include "absl/strings/string_view.h"

namespace rehearse {

class PostgresServer {
 public:
  // Whether a commit is on the disk when it is answered, at the price that has. What the server
  // has answered survives Stop either way: only a crash of the machine makes the difference.
  enum class Sync { kOff, kOn };

  // A new, running server, in a folder that it makes in `parent`.
  explicit PostgresServer(Sync sync = Sync::kOff, const std::string& parent = "/tmp");
  ~PostgresServer();
  PostgresServer(const PostgresServer&) = delete;
  PostgresServer& operator=(const PostgresServer&) = delete;

  // Creates an empty database. Its URL goes on being good after Stop and Start.
  std::string NewDatabase();

  // Where its Unix socket is.
  const std::string& folder() const { return folder_; }

  // Ends the server at once, without a checkpoint: it recovers when it starts again.
  void Stop();
  void Start();

  // Ends the connections to a database, as a broken network would. Returns how many there were.
  int CutConnections(absl::string_view url);

 private:
  std::string UrlOf(absl::string_view database) const;
  // Runs a program of PostgreSQL's as a user that is not root, and returns its process id. What it
  // says goes to `output`.
  pid_t Run(std::vector<std::string> command, int output) const;

  const Sync sync_;
  std::string binaries_;
  std::string folder_;
  pid_t pid_ = 0;
  int databases_ = 0;
  // Reads what the server says.
  std::thread reader_;
};

// One for all tests of the process, started when it is first asked for and gone when they are
// through.
PostgresServer& SharedPostgresServer();

}  // namespace rehearse

#endif  // REHEARSE_SERVICE_STORE_POSTGRES_POSTGRES_SERVER_H_
