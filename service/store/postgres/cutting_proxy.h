// CuttingProxy: stands between a client and a PostgreSQL server in tests, and breaks connections
// at the moment that hurts most: when a transaction is committed.
//
//   CuttingProxy proxy(server.folder());
//   proxy.CutAtCommit(CuttingProxy::Moment::kAfter);
//   Connection::Open(absl::StrCat("postgres:///d1?host=", proxy.folder(), "&user=postgres"));
//
// Thread-safe.
#ifndef REHEARSE_SERVICE_STORE_POSTGRES_CUTTING_PROXY_H_
#define REHEARSE_SERVICE_STORE_POSTGRES_CUTTING_PROXY_H_

#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"

namespace rehearse::postgres {

class CuttingProxy {
 public:
  enum class Moment {
    // The server does not hear of the COMMIT.
    kBefore,
    // The server has committed; the client does not hear of it.
    kAfter,
    // The server hears of nothing any more, until Resume: as if the client had been stopped.
    kStall,
  };

  // Between itself and the server's Unix socket in the folder `server`.
  explicit CuttingProxy(std::string server);
  // Breaks all connections.
  ~CuttingProxy();

  // In which its own Unix socket is.
  const std::string& folder() const { return folder_; }

  // Breaks the connection over which the next COMMIT comes, or stalls all.
  void CutAtCommit(Moment moment);
  // Until that has happened.
  void AwaitCut();
  // Passes on what comes, except for the COMMIT. Once.
  void Resume();

 private:
  void Accept();
  void Serve(int client);
  bool stalled() const;
  // Passes on what has come. False: the connection ends.
  bool PassToServer(int client, int server);

  const std::string server_;
  std::string folder_;
  int listener_ = -1;
  // Writing to it ends all threads.
  int stop_[2] = {-1, -1};
  // Its second end is closed by Resume.
  int resume_[2] = {-1, -1};
  mutable absl::Mutex mutex_;
  bool armed_ ABSL_GUARDED_BY(mutex_) = false;
  bool cut_ ABSL_GUARDED_BY(mutex_) = false;
  bool stalled_ ABSL_GUARDED_BY(mutex_) = false;
  Moment moment_ ABSL_GUARDED_BY(mutex_) = Moment::kBefore;
  std::vector<std::thread> serving_ ABSL_GUARDED_BY(mutex_);
  std::thread accepting_;
};

}  // namespace rehearse::postgres

#endif  // REHEARSE_SERVICE_STORE_POSTGRES_CUTTING_PROXY_H_
