#include "service/store/postgres/postgres_store.h"

#include <memory>
#include <string>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "service/base/errors.h"
#include "service/store/execution_store_contract.h"
#include "service/store/postgres/connection.h"
#include "service/store/postgres/cutting_proxy.h"
#include "service/store/postgres/postgres_server.h"
#include "service/store/postgres/schema.h"
#include "service/store/postgres/store_testing.h"

namespace rehearse {
namespace {

using postgres::Connection;
using postgres::CuttingProxy;
using postgres::LibPq;
using postgres::MigrateSchema;

class PostgresFixture : public StoreFixture {
 public:
  PostgresFixture() { Open(); }
  ExecutionStore& store() override { return *store_; }
  void Reopen() override {
    store_.reset();
    Open();
  }

 private:
  void Open() {
    absl::StatusOr<std::unique_ptr<PostgresStore>> store = OpenStore(url_);
    if (!store.ok()) ADD_FAILURE() << store.status();
    store_ = *std::move(store);
  }

  const std::string url_ = SharedPostgresServer().NewDatabase();
  std::unique_ptr<PostgresStore> store_;
};

std::unique_ptr<StoreFixture> MakePostgresFixture() { return std::make_unique<PostgresFixture>(); }

INSTANTIATE_TEST_SUITE_P(Postgres, ExecutionStoreContractTest,
                         testing::Values(MakePostgresFixture));

using testing::HasSubstr;

TEST(LibPqTest, WhatIsMissingIsNamed) {
  const absl::Status missing = LibPq::LoadFrom("libpq-of-nobody.so.5").status();
  EXPECT_EQ(missing.code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(missing.message(),
              HasSubstr("PostgreSQL's client library libpq-of-nobody.so.5 is missing (Debian: "
                        "apt-get install libpq5): "));
  EXPECT_EQ(LibPq::LoadFrom("libm.so.6").status().message(),
            "PostgreSQL's client library libm.so.6 lacks PQclear: it must be of version 14 or "
            "newer");
}

TEST(PostgresStoreTest, BadUrlsAreRefused) {
  for (const auto& [url, message] : std::vector<std::pair<std::string, std::string>>{
           {"postgres://[::1/d",
            "bad PostgreSQL URL: end of string reached when looking for matching \"]\""},
           {"postgres:///d?colour=red",
            "bad PostgreSQL URL: invalid URI query parameter: \"colour\""},
       }) {
    const absl::Status status = OpenStore(url).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << status;
    EXPECT_THAT(status.message(), HasSubstr(message));
  }
}

TEST(PostgresStoreTest, AnAddressIsAUrlOfLibPqWithALease) {
  for (const auto& [address, url, seconds] : std::vector<std::tuple<std::string, std::string, int>>{
           {"postgres://h/d", "postgres://h/d", 10},
           {"postgres://h/d?lease_seconds=1", "postgres://h/d", 1},
           {"postgres://h/d?user=u&lease_seconds=3600&port=1", "postgres://h/d?user=u&port=1",
            3600},
       }) {
    const auto options = ParsePostgresAddress(address);
    ASSERT_TRUE(options.ok()) << options.status();
    EXPECT_EQ(options->url, url);
    EXPECT_EQ(options->lease, absl::Seconds(seconds));
  }
  for (const auto& [address, message] : std::vector<std::pair<std::string, std::string>>{
           {"postgres:d", "bad store 'postgres:d': expected postgres://HOST/DATABASE"},
           {"postgres:///d?lease_seconds=0", "bad lease_seconds '0': expected 1 to 3600"},
           {"postgres:///d?lease_seconds=3601", "bad lease_seconds '3601': expected 1 to 3600"},
           {"postgres:///d?lease_seconds=ten", "bad lease_seconds 'ten': expected 1 to 3600"},
       }) {
    const absl::Status status = ParsePostgresAddress(address).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_EQ(status.message(), message);
  }
}

TEST(PostgresStoreTest, AServerThatIsNotThereIsAnError) {
  const absl::Status status = OpenStore("postgres:///d?host=/nowhere").status();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(status.message(), HasSubstr("/nowhere/.s.PGSQL.5432\" failed: No such file"));
}

TEST(PostgresStoreTest, ADatabaseOfANewerVersionIsRefused) {
  const std::string url = SharedPostgresServer().NewDatabase();
  ASSERT_TRUE(OpenStore(url).ok());
  Execute(url, {"UPDATE rehearse.schema_version SET version = version + 1"});
  const absl::Status status = OpenStore(url).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(status.message(),
            "the database has schema version 2, this program knows versions up to 1; use a newer "
            "program");
}

TEST(PostgresStoreTest, SeveralServersMayMakeTheTablesAtOnce) {
  const std::string url = SharedPostgresServer().NewDatabase();
  std::vector<std::thread> servers;
  for (int i = 0; i < 4; ++i) {
    servers.emplace_back([&] {
      const auto connection = Connection::Open(url);
      EXPECT_EQ(MigrateSchema(**connection), absl::OkStatus());
    });
  }
  for (std::thread& server : servers) server.join();
  EXPECT_TRUE(OpenStore(url).ok());
}

TEST(PostgresStoreTest, CutConnectionsAreReplaced) {
  const std::string url = SharedPostgresServer().NewDatabase();
  auto store = OpenStore(url);
  ASSERT_EQ(Commit(**store, Started("a")), absl::OkStatus());
  for (int64_t step = 1; step <= 5; ++step) {
    EXPECT_GT(SharedPostgresServer().CutConnections(url), 0);
    ASSERT_EQ(Commit(**store, StepAdded("a", step)), absl::OkStatus());
    EXPECT_GT(SharedPostgresServer().CutConnections(url), 0);
    ExpectWhole(**store, "a", step + 1);
  }
}

TEST(PostgresStoreTest, WhileTheServerIsAwayCallsFailAndNothingHalfDoneIsLeft) {
  PostgresServer server;
  auto store = OpenStore(server.NewDatabase());
  ASSERT_TRUE(store.ok());
  ASSERT_EQ(Commit(**store, Started("a")), absl::OkStatus());
  server.Stop();
  const absl::Status away = Commit(**store, StepAdded("a", 1));
  EXPECT_EQ(away.code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(ErrorNameOf(away), "ServiceException");
  EXPECT_THAT(away.message(), HasSubstr("PostgreSQL: "));
  EXPECT_EQ((*store)->Load("a").status().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ((*store)->Delete({"a"}).code(), absl::StatusCode::kUnavailable);
  server.Start();
  // It is asked again after a while.
  absl::Status back;
  do {
    back = Commit(**store, StepAdded("a", 1));
  } while (absl::IsUnavailable(back));
  ASSERT_EQ(back, absl::OkStatus());
  ExpectWhole(**store, "a", 2);
}

// The answer to COMMIT is lost, with and without the COMMIT.
TEST(PostgresStoreTest, ACommitOfUnknownOutcomeIsWrittenOnce) {
  for (const auto moment : {CuttingProxy::Moment::kBefore, CuttingProxy::Moment::kAfter}) {
    CuttingProxy proxy(SharedPostgresServer().folder());
    const std::string url = SharedPostgresServer().NewDatabase();
    auto store = OpenStore(ThroughProxy(url, proxy));
    ASSERT_TRUE(store.ok()) << store.status();
    proxy.CutAtCommit(moment);
    ASSERT_EQ(Commit(**store, Started("a")), absl::OkStatus());
    proxy.AwaitCut();
    for (int64_t step = 1; step <= 3; ++step) {
      proxy.CutAtCommit(moment);
      ExecutionDelta delta = StepAdded("a", step);
      delta.reply.emplace().set_client_token(absl::StrCat("token-", step));
      ASSERT_EQ(Commit(**store, delta), absl::OkStatus());
      proxy.AwaitCut();
    }
    ExpectWhole(**store, "a", 4);
    EXPECT_EQ((*(*store)->Load("a"))->replies().size(), 3u);
    // What is there twice is refused as ever.
    EXPECT_EQ(ErrorNameOf(Commit(**store, Started("a"))), "ServiceException");
    proxy.CutAtCommit(moment);
    EXPECT_EQ((*store)->Delete({"a"}), absl::OkStatus());
    EXPECT_EQ((*store)->Load("a").status(), errors::ExecutionNotFound("a"));
  }
}

// A statement of ours fails in the way that `condition` says, in PL/pgSQL, with the SQLSTATE.
void FailEvents(const std::string& url, const std::string& condition, const std::string& state) {
  Execute(url, {"CREATE SEQUENCE tries",
                absl::StrCat("CREATE FUNCTION fail() RETURNS trigger AS $$ BEGIN IF ", condition,
                             " THEN RAISE EXCEPTION 'on demand' USING ERRCODE = '", state,
                             "'; END IF; RETURN NEW; END $$ LANGUAGE plpgsql"),
                "CREATE TRIGGER fail BEFORE INSERT ON rehearse.event"
                " FOR EACH ROW EXECUTE FUNCTION fail()"});
}

TEST(PostgresStoreTest, SerializationFailuresAreTriedAgain) {
  const std::string url = SharedPostgresServer().NewDatabase();
  auto store = OpenStore(url);
  FailEvents(url, "nextval('tries') <= 3", "40001");
  EXPECT_EQ(Commit(**store, Started("a")), absl::OkStatus());
  ExpectWhole(**store, "a", 1);
}

TEST(PostgresStoreTest, SerializationFailuresWithoutEndAreAnError) {
  const std::string url = SharedPostgresServer().NewDatabase();
  auto store = OpenStore(url);
  FailEvents(url, "NEW.event_id = 2", "40P01");
  EXPECT_EQ(Commit(**store, Started("a")), absl::OkStatus());
  const absl::Status status = Commit(**store, StepAdded("a", 1));
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(status.message(), HasSubstr("PostgreSQL: ERROR:  on demand"));
  ExpectWhole(**store, "a", 1);
}

TEST(PostgresStoreTest, AFullDiskFailsOnlyWhatDoesNotFit) {
  const std::string url = SharedPostgresServer().NewDatabase();
  auto store = OpenStore(url);
  FailEvents(url, "NEW.id = 'large'", "53100");
  constexpr int kCommits = 600;  // More than go into one transaction.
  std::vector<ExecutionDelta> deltas;
  for (int i = 0; i < kCommits; ++i) {
    deltas.push_back(Started(i == 300 ? "large" : absl::StrCat("a", i)));
  }
  Answers answers;
  for (const ExecutionDelta& delta : deltas) (*store)->Commit({&delta}, answers.Add());
  const std::vector<absl::Status> statuses = answers.Await();
  for (int i = 0; i < kCommits; ++i) {
    EXPECT_EQ(statuses[i].code(),
              i == 300 ? absl::StatusCode::kUnavailable : absl::StatusCode::kOk);
  }
  EXPECT_EQ((*store)->Load("large").status(), errors::ExecutionNotFound("large"));
  ExpectWhole(**store, "a599", 1);
}

TEST(PostgresStoreTest, ARefusedCommitLeavesItsGroupAlone) {
  auto store = OpenStore(SharedPostgresServer().NewDatabase());
  std::vector<ExecutionDelta> deltas;
  for (int i = 0; i < 100; ++i) {
    deltas.push_back(i % 10 == 3 ? StepAdded(absl::StrCat("unknown", i), 1)
                                 : Started(absl::StrCat("a", i)));
  }
  Answers answers;
  for (const ExecutionDelta& delta : deltas) (*store)->Commit({&delta}, answers.Add());
  const std::vector<absl::Status> statuses = answers.Await();
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(statuses[i],
              i % 10 == 3 ? errors::ExecutionNotFound(deltas[i].arn) : absl::OkStatus());
  }
}

TEST(PostgresStoreTest, OldRepliesDoNotPileUp) {
  const std::string url = SharedPostgresServer().NewDatabase();
  auto store = OpenStore(url);
  ASSERT_EQ(Commit(**store, Started("a")), absl::OkStatus());
  for (int64_t step = 1; step <= 100; ++step) {
    ExecutionDelta delta = StepAdded("a", step);
    delta.reply.emplace().set_client_token(absl::StrCat("token-", step));
    ASSERT_EQ(Commit(**store, delta), absl::OkStatus());
  }
  EXPECT_LT(Count(url, "SELECT count(*) FROM rehearse.reply"), 32);
  const auto execution = (*store)->Load("a");
  EXPECT_EQ((*execution)->replies().front().client_token(), "token-85");
  EXPECT_EQ((*execution)->replies().back().client_token(), "token-100");
}

}  // namespace
}  // namespace rehearse
