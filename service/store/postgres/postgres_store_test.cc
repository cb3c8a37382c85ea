#include "service/store/postgres/postgres_store.h"

#include <memory>
#include <string>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "service/base/errors.h"
#include "service/store/execution_store_contract.h"
#include "service/store/postgres/connection.h"
#include "service/store/postgres/cutting_proxy.h"
#include "service/store/postgres/postgres_server.h"
#include "service/store/postgres/schema.h"

namespace rehearse {
namespace {

using postgres::Connection;
using postgres::CuttingProxy;
using postgres::LibPq;
using postgres::MigrateSchema;
using postgres::Statement;

PostgresServer& Server() {
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
    PostgresStore::Options options;
    options.url = url_;
    absl::StatusOr<std::unique_ptr<PostgresStore>> store = PostgresStore::Open(std::move(options));
    if (!store.ok()) ADD_FAILURE() << store.status();
    store_ = *std::move(store);
  }

  const std::string url_ = Server().NewDatabase();
  std::unique_ptr<PostgresStore> store_;
};

std::unique_ptr<StoreFixture> MakePostgresFixture() { return std::make_unique<PostgresFixture>(); }

INSTANTIATE_TEST_SUITE_P(Postgres, ExecutionStoreContractTest,
                         testing::Values(MakePostgresFixture));

using testing::HasSubstr;

absl::StatusOr<std::unique_ptr<PostgresStore>> OpenStore(
    const std::string& url, absl::Duration lease = absl::Hours(1),
    absl::AnyInvocable<void(absl::Status)> lost = nullptr) {
  PostgresStore::Options options;
  options.url = url;
  options.lease = lease;
  options.lost = std::move(lost);
  return PostgresStore::Open(std::move(options));
}

std::string ThroughProxy(const std::string& url, const CuttingProxy& proxy) {
  return absl::StrCat(url.substr(0, url.find('?')), "?host=", proxy.folder(), "&user=postgres");
}

void Execute(const std::string& url, const std::vector<std::string>& statements) {
  const auto connection = Connection::Open(url);
  ASSERT_TRUE(connection.ok()) << connection.status();
  for (const std::string& sql : statements)
    ASSERT_EQ((*connection)->Execute(sql), absl::OkStatus());
}

ExecutionDelta Started(const std::string& arn) {
  ExecutionDelta delta;
  delta.arn = arn;
  record::ExecutionRecord& record = delta.created.emplace();
  record.set_arn(arn);
  record.set_name(arn);
  record.set_session("default");
  record.set_function_name("orders");
  delta.progress.set_status(v1::EXECUTION_STATUS_RUNNING);
  delta.progress.set_event_count(1);
  delta.operations.emplace_back().mutable_operation()->set_id("execution");
  delta.events.emplace_back().set_event_id(1);
  return delta;
}

ExecutionDelta StepAdded(const std::string& arn, int64_t step) {
  ExecutionDelta delta;
  delta.arn = arn;
  delta.progress.set_status(v1::EXECUTION_STATUS_RUNNING);
  delta.progress.set_event_count(step + 1);
  delta.progress.set_token_sequence(step);
  record::OperationRecord& operation = delta.operations.emplace_back();
  operation.set_index(step);
  operation.mutable_operation()->set_id(absl::StrCat("step-", step));
  delta.events.emplace_back().set_event_id(step + 1);
  return delta;
}

// Answers of commits, in whatever order they come.
class Answers {
 public:
  ExecutionStore::Committed Add() {
    absl::MutexLock lock(&mutex_);
    const size_t place = answers_.size();
    answers_.emplace_back();
    return [this, place](absl::Status status) {
      absl::MutexLock lock(&mutex_);
      EXPECT_FALSE(answers_[place].has_value());
      answers_[place] = std::move(status);
    };
  }

  // In the order of Add, when all have come.
  std::vector<absl::Status> Await() {
    absl::MutexLock lock(&mutex_);
    const auto all = [this] {
      for (const auto& answer : answers_) {
        if (!answer.has_value()) return false;
      }
      return true;
    };
    mutex_.Await(absl::Condition(&all));
    std::vector<absl::Status> answers;
    for (const auto& answer : answers_) answers.push_back(*answer);
    return answers;
  }

 private:
  absl::Mutex mutex_;
  std::vector<absl::optional<absl::Status>> answers_;
};

absl::Status Commit(ExecutionStore& store, const ExecutionDelta& delta) {
  Answers answers;
  store.Commit({&delta}, answers.Add());
  return answers.Await()[0];
}

// Everything of the execution is there once: so many operations and events.
void ExpectWhole(ExecutionStore& store, const std::string& arn, int64_t count) {
  const auto execution = store.Load(arn);
  ASSERT_TRUE(execution.ok()) << execution.status();
  EXPECT_EQ((*execution)->operation_count(), count);
  EXPECT_EQ((*execution)->progress().event_count(), count);
  const auto events = store.ReadEvents(arn, 1, 1000);
  ASSERT_EQ(events->size(), static_cast<size_t>(count));
  for (int64_t i = 0; i < count; ++i) EXPECT_EQ((*events)[i].event_id(), i + 1);
}

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
  const std::string url = Server().NewDatabase();
  ASSERT_TRUE(OpenStore(url).ok());
  Execute(url, {"UPDATE rehearse.schema_version SET version = version + 1"});
  const absl::Status status = OpenStore(url).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(status.message(),
            "the database has schema version 2, this program knows versions up to 1; use a newer "
            "program");
}

TEST(PostgresStoreTest, SeveralServersMayMakeTheTablesAtOnce) {
  const std::string url = Server().NewDatabase();
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

TEST(PostgresStoreTest, ASecondServerIsRefusedUntilTheFirstEnds) {
  const std::string url = Server().NewDatabase();
  auto first = OpenStore(url, absl::Seconds(1));
  ASSERT_TRUE(first.ok());
  const absl::Status refused = OpenStore(url).status();
  EXPECT_EQ(refused.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(refused.message(), HasSubstr("the database is in use by another server (process "));
  EXPECT_THAT(refused.message(), HasSubstr("; stop that one, or use another database"));
  first->reset();
  EXPECT_TRUE(OpenStore(url).ok());
}

TEST(PostgresStoreTest, AServerThatWasSilentTooLongIsFenced) {
  const std::string url = Server().NewDatabase();
  std::vector<absl::Status> lost;
  auto sleeper = OpenStore(url, absl::Hours(1), [&](absl::Status s) { lost.push_back(s); });
  ASSERT_TRUE(sleeper.ok());
  ASSERT_EQ(Commit(**sleeper, Started("a")), absl::OkStatus());
  // It sleeps beyond the end of its lease.
  Execute(url, {"UPDATE rehearse.replica SET lease_until = now() - INTERVAL '1 second'"});
  auto successor = OpenStore(url);
  ASSERT_TRUE(successor.ok()) << successor.status();
  ASSERT_EQ(Commit(**successor, StepAdded("a", 1)), absl::OkStatus());

  const absl::Status fenced = Commit(**sleeper, StepAdded("a", 1));
  EXPECT_EQ(fenced, errors::StoreUnavailable("another server has taken over the database"));
  EXPECT_EQ((*sleeper)->Delete({"a"}), fenced);
  EXPECT_EQ((*sleeper)->DeleteSession("default"), fenced);
  record::SessionRecord session;
  session.set_name("late");
  EXPECT_EQ((*sleeper)->PutSession(session), fenced);
  EXPECT_EQ(Commit(**sleeper, Started("b")), fenced);
  ASSERT_EQ(lost.size(), 1u);
  EXPECT_EQ(lost[0].message(),
            "another server has taken over the database: this one was silent for longer than its "
            "lease");

  ASSERT_EQ(Commit(**successor, StepAdded("a", 2)), absl::OkStatus());
  ExpectWhole(**successor, "a", 3);
  EXPECT_FALSE((*successor)->Load("b").ok());
  EXPECT_TRUE((*successor)->Sessions()->empty());
  // Its lease is not given back in place of the successor's.
  sleeper->reset();
  EXPECT_EQ(Commit(**successor, StepAdded("a", 3)), absl::OkStatus());
}

// A server that stops in the middle of a transaction keeps its locks; not for ever.
TEST(PostgresStoreTest, AServerThatStopsBeforeItsCommitIsFenced) {
  CuttingProxy proxy(Server().folder());
  const std::string url = Server().NewDatabase();
  PostgresStore::Options options;
  options.url = ThroughProxy(url, proxy);
  options.lease = absl::Hours(1);
  options.stall_limit = absl::Milliseconds(200);
  auto sleeper = PostgresStore::Open(std::move(options));
  ASSERT_TRUE(sleeper.ok()) << sleeper.status();
  ASSERT_EQ(Commit(**sleeper, Started("a")), absl::OkStatus());
  proxy.CutAtCommit(CuttingProxy::Moment::kStall);
  const ExecutionDelta stalled = StepAdded("a", 1);
  Answers answers;
  (*sleeper)->Commit({&stalled}, answers.Add());
  proxy.AwaitCut();
  Execute(url, {"UPDATE rehearse.replica SET lease_until = now() - INTERVAL '1 second'"});
  auto successor = OpenStore(url);
  ASSERT_TRUE(successor.ok()) << successor.status();
  proxy.Resume();
  EXPECT_EQ(answers.Await()[0],
            errors::StoreUnavailable("another server has taken over the database"));
  ExpectWhole(**successor, "a", 1);
  EXPECT_EQ(Commit(**successor, StepAdded("a", 1)), absl::OkStatus());
}

TEST(PostgresStoreTest, CutConnectionsAreReplaced) {
  const std::string url = Server().NewDatabase();
  auto store = OpenStore(url);
  ASSERT_EQ(Commit(**store, Started("a")), absl::OkStatus());
  for (int64_t step = 1; step <= 5; ++step) {
    EXPECT_GT(Server().CutConnections(url), 0);
    ASSERT_EQ(Commit(**store, StepAdded("a", step)), absl::OkStatus());
    EXPECT_GT(Server().CutConnections(url), 0);
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
    CuttingProxy proxy(Server().folder());
    const std::string url = Server().NewDatabase();
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
  const std::string url = Server().NewDatabase();
  auto store = OpenStore(url);
  FailEvents(url, "nextval('tries') <= 3", "40001");
  EXPECT_EQ(Commit(**store, Started("a")), absl::OkStatus());
  ExpectWhole(**store, "a", 1);
}

TEST(PostgresStoreTest, SerializationFailuresWithoutEndAreAnError) {
  const std::string url = Server().NewDatabase();
  auto store = OpenStore(url);
  FailEvents(url, "NEW.event_id = 2", "40P01");
  EXPECT_EQ(Commit(**store, Started("a")), absl::OkStatus());
  const absl::Status status = Commit(**store, StepAdded("a", 1));
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(status.message(), HasSubstr("PostgreSQL: ERROR:  on demand"));
  ExpectWhole(**store, "a", 1);
}

TEST(PostgresStoreTest, AFullDiskFailsOnlyWhatDoesNotFit) {
  const std::string url = Server().NewDatabase();
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
  auto store = OpenStore(Server().NewDatabase());
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
  const std::string url = Server().NewDatabase();
  auto store = OpenStore(url);
  ASSERT_EQ(Commit(**store, Started("a")), absl::OkStatus());
  for (int64_t step = 1; step <= 100; ++step) {
    ExecutionDelta delta = StepAdded("a", step);
    delta.reply.emplace().set_client_token(absl::StrCat("token-", step));
    ASSERT_EQ(Commit(**store, delta), absl::OkStatus());
  }
  const auto connection = Connection::Open(url);
  const Statement count = {nullptr, "SELECT count(*) FROM rehearse.reply"};
  EXPECT_LT((*(*connection)->Run({{&count, {}}}))[0].Int(0, 0), 32);
  const auto execution = (*store)->Load("a");
  EXPECT_EQ((*execution)->replies().front().client_token(), "token-85");
  EXPECT_EQ((*execution)->replies().back().client_token(), "token-100");
}

}  // namespace
}  // namespace rehearse
