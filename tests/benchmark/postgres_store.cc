// What it costs to keep executions in a PostgreSQL of this machine's: checkpoints of the shipped
// binary, by one server and by two that share the database, in turns with single-row commits to the
// same PostgreSQL.
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "service/store/postgres/connection.h"
#include "service/store/postgres/postgres_server.h"
#include "tests/benchmark/checkpoint_load.h"
#include "tests/benchmark/figures.h"
#include "tests/benchmark/measuring.h"
#include "tests/benchmark/remote_service.h"

namespace rehearse::benchmark {
namespace {

constexpr int kConcurrent = 64;

// One row in each transaction.
class RawCommits {
 public:
  explicit RawCommits(const std::string& url)
      : connection_(Require(postgres::Connection::Open(url))) {
    const absl::Status made = connection_->Execute("CREATE TABLE t (x TEXT, y BYTEA)");
    Require(made.ok(), made.message());
  }

  // Commits per second.
  double Run(int count) {
    return count / Microseconds([&] {
             for (int i = 0; i < count; ++i) {
               Require(connection_->Run({{&kInsert, {std::string(200, '\x5a')}}}));
             }
           }) *
           1e6;
  }

 private:
  static constexpr postgres::Statement kInsert = {
      "insert", "INSERT INTO t VALUES ('0123456789abcdef01234567', $1::bytea)"};

  const std::unique_ptr<postgres::Connection> connection_;
};

}  // namespace

Values MeasurePostgres(const Options& options) {
  // /tmp may be in memory, and is where tests may write.
  PostgresServer server(PostgresServer::Sync::kOn, options.quick ? "/tmp" : "/var/tmp");
  RawCommits raw(server.NewDatabase());
  RemoteService alone(ServerProcess::RehearseUp("real", server.NewDatabase()));
  const std::string shared = server.NewDatabase();
  RemoteService first(ServerProcess::RehearseUp("real", shared));
  RemoteService second(ServerProcess::RehearseUp("real", shared));
  const int steps = options.Repeat(200, 5);
  CheckpointLoad one_replica({&alone}, kConcurrent, steps);
  CheckpointLoad two_replicas({&first, &second}, kConcurrent, steps);
  std::vector<double> one_rates;
  std::vector<double> two_rates;
  std::vector<double> one_ratios;
  std::vector<double> two_ratios;
  for (int i = 0; i < options.Repeat(9, 1); ++i) {
    const double raw_rate = raw.Run(options.Repeat(2000, 20));
    one_rates.push_back(one_replica.Run());
    one_ratios.push_back(one_rates.back() / raw_rate);
    two_rates.push_back(two_replicas.Run());
    two_ratios.push_back(two_rates.back() / raw_rate);
  }
  return {{"postgres_checkpoints_per_s_64", Median(one_rates)},
          {"postgres_checkpoints_per_s_64_vs_raw_commits", Median(one_ratios)},
          {"postgres_checkpoints_per_s_64_2_replicas", Median(two_rates)},
          {"postgres_checkpoints_per_s_64_2_replicas_vs_raw_commits", Median(two_ratios)}};
}

}  // namespace rehearse::benchmark
