// What it costs to keep executions in a file: checkpoints of the shipped binary on SQLite, in turns
// with single-row commits on the same disk with the same settings, and with the memory store; and
// how long a start with many open executions takes.
#include <sqlite3.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/blocking_counter.h"
#include "tests/benchmark/checkpoint_load.h"
#include "tests/benchmark/checkpoint_rounds.h"
#include "tests/benchmark/figures.h"
#include "tests/benchmark/load_client.h"
#include "tests/benchmark/measuring.h"
#include "tests/benchmark/remote_service.h"

namespace rehearse::benchmark {
namespace {

constexpr int kConcurrent = 64;

// A folder on a disk, gone at the end. /tmp may be in memory.
class Folder {
 public:
  Folder() {
    const char* const test_folder = std::getenv("TEST_TMPDIR");
    path_ = absl::StrCat(test_folder == nullptr ? "/var/tmp" : test_folder,
                         "/rehearse-benchmark-XXXXXX");
    Require(mkdtemp(path_.data()) != nullptr, "mkdtemp failed");
  }
  ~Folder() {
    Require(std::system(absl::StrCat("rm -rf ", path_).c_str()) == 0, "a folder was left behind");
  }
  std::string file(const std::string& name) const { return absl::StrCat(path_, "/", name); }

 private:
  std::string path_;
};

// One row in each transaction, as durable as the service writes.
class RawCommits {
 public:
  explicit RawCommits(const std::string& path) {
    Require(sqlite3_open(path.c_str(), &database_) == SQLITE_OK, "cannot open a database");
    Run("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; CREATE TABLE t (x TEXT, y BLOB)");
    const std::string insert = "INSERT INTO t VALUES ('0123456789abcdef01234567', randomblob(200))";
    Require(sqlite3_prepare_v2(database_, insert.c_str(), -1, &insert_, nullptr) == SQLITE_OK,
            "cannot prepare");
  }
  ~RawCommits() {
    sqlite3_finalize(insert_);
    sqlite3_close(database_);
  }

  // Microseconds of each.
  std::vector<double> Commit(int count) {
    std::vector<double> samples;
    for (int i = 0; i < count; ++i) {
      samples.push_back(Microseconds([&] {
        Require(sqlite3_step(insert_) == SQLITE_DONE && sqlite3_reset(insert_) == SQLITE_OK,
                "cannot insert");
      }));
    }
    return samples;
  }

 private:
  void Run(const char* sql) {
    Require(sqlite3_exec(database_, sql, nullptr, nullptr, nullptr) == SQLITE_OK,
            sqlite3_errmsg(database_));
  }

  sqlite3* database_ = nullptr;
  sqlite3_stmt* insert_ = nullptr;
};

// The shipped binary, with its executions in this file.
std::vector<std::string> UpOn(const std::string& path) {
  return ServerProcess::RehearseUp("real", absl::StrCat("sqlite:", path));
}

// Executions that sleep for an hour, made by a service that ends.
void FillStore(const std::string& path, int count) {
  RemoteService service(UpOn(absl::StrCat(path, "?synchronous=NORMAL")));
  std::atomic<int> left{count};
  absl::BlockingCounter asleep(count);
  const Slots slots(service, kConcurrent, "", "sleeper", [&] {
    return [&](v1::ServeResponse& response) -> absl::optional<v1::ServeRequest> {
      if (response.has_registered()) return absl::nullopt;
      if (response.has_checkpoint()) {
        asleep.DecrementCount();
        return PendingOutcome();
      }
      return WaitCheckpoint(response.invocation().durable(), 3600);
    };
  });
  std::vector<std::unique_ptr<LoadClient>> clients;
  for (int i = 0; i < kConcurrent; ++i) {
    clients.push_back(std::make_unique<LoadClient>(
        service.executions, service.sessions,
        LoadClient::Options{"", "sleeper", /*wait_for_end=*/false}, [&] { return left-- > 0; }));
  }
  asleep.Wait();
}

double MeasureRecovery(const Options& options) {
  const Folder folder;
  const std::string path = folder.file("recovery.db");
  FillStore(path, options.Repeat(100000, 300));
  std::vector<double> starts;
  for (int i = 0; i < options.Repeat(5, 1); ++i) {
    std::unique_ptr<RemoteService> service;
    starts.push_back(Microseconds([&] { service = std::make_unique<RemoteService>(UpOn(path)); }) /
                     1e6);
  }
  return Median(starts);
}

}  // namespace

Values MeasureStores(const Options& options) {
  const Folder folder;
  RemoteService durable(UpOn(folder.file("store.db")));
  RemoteService in_memory;
  RawCommits raw(folder.file("raw.db"));
  const int steps = options.Repeat(200, 5);
  CheckpointLoad durable_load({&durable}, kConcurrent, steps);
  CheckpointLoad memory_load({&in_memory}, kConcurrent, steps);
  CheckpointRounds one(durable.executions, durable.host, options.Repeat(250, 10));
  std::vector<double> durable_rates;
  std::vector<double> memory_rates;
  std::vector<double> ratios;
  std::vector<double> raw_commits;
  for (int i = 0; i < options.Repeat(9, 1); ++i) {
    const int commits = options.Repeat(2000, 20);
    std::vector<double> samples;
    const double raw_rate = commits / Microseconds([&] { samples = raw.Commit(commits); }) * 1e6;
    raw_commits.insert(raw_commits.end(), samples.begin(), samples.end());
    durable_rates.push_back(durable_load.Run());
    ratios.push_back(durable_rates.back() / raw_rate);
    memory_rates.push_back(memory_load.Run());
    for (int round = 0; round < options.Repeat(4, 1); ++round) one.Run();
  }
  return {{"sqlite_checkpoints_per_s_64", Median(durable_rates)},
          {"memory_checkpoints_per_s_64", Median(memory_rates)},
          {"sqlite_checkpoints_per_s_64_vs_raw_commits", Median(ratios)},
          {"sqlite_checkpoint_p50_vs_raw_commit", one.P50() / Median(raw_commits)},
          {"recovery_100k_executions_s", MeasureRecovery(options)}};
}

}  // namespace rehearse::benchmark
