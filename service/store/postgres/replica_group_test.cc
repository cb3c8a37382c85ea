// PostgresStore as a ReplicaGroup: who owns which tree of executions.
#include "service/store/replica_group.h"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/any_invocable.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "service/base/errors.h"
#include "service/store/postgres/connection.h"
#include "service/store/postgres/postgres_store.h"
#include "service/store/postgres/store_testing.h"

namespace rehearse {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;
using testing::UnorderedElementsAre;

// Any that have come.
const absl::Time kAtOnce = absl::UnixEpoch();

const FunctionKey& Orders() {
  static const auto* const key = new FunctionKey{"default", "orders"};
  return *key;
}

// Notes what it is told.
class FakeReplica : public Replica {
 public:
  std::vector<Place> Places() override {
    absl::MutexLock lock(&mutex_);
    ++looks_begun_;
    return places_;
  }
  // Each tree takes a place of the first function that has one.
  void OnClaimed(std::vector<std::string> root_ids) override {
    absl::MutexLock lock(&mutex_);
    for (std::string& id : root_ids) {
      if (!claimed_.insert(std::move(id)).second) continue;
      const auto free = std::find_if(places_.begin(), places_.end(),
                                     [](const Place& place) { return place.free > 0; });
      if (free != places_.end()) --free->free;
    }
  }
  void OnSessionsChanged() override {}
  bool OnRound() override {
    absl::MutexLock lock(&mutex_);
    looks_ended_ = looks_begun_;
    return false;
  }

  void Serve(const FunctionKey& function, int free) {
    absl::MutexLock lock(&mutex_);
    places_ = {{function, free}};
  }
  void ServeNothing() {
    absl::MutexLock lock(&mutex_);
    places_.clear();
  }

  // Until the tree has been claimed.
  void AwaitClaimed(const std::string& id) {
    absl::MutexLock lock(&mutex_);
    const auto told = [&]()
                          ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return claimed_.count(id) > 0; };
    mutex_.Await(absl::Condition(&told));
  }
  // Until the store has looked for work once more, from beginning to end.
  void AwaitLook(ReplicaGroup& group) {
    group.LookForWork();
    absl::MutexLock lock(&mutex_);
    const int64_t next = looks_begun_ + 1;
    const auto looked = [&]()
                            ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return looks_ended_ >= next; };
    mutex_.Await(absl::Condition(&looked));
  }
  std::vector<std::string> claimed() {
    absl::MutexLock lock(&mutex_);
    return {claimed_.begin(), claimed_.end()};
  }

 private:
  absl::Mutex mutex_;
  std::vector<Place> places_ ABSL_GUARDED_BY(mutex_);
  std::set<std::string> claimed_ ABSL_GUARDED_BY(mutex_);
  int64_t looks_begun_ ABSL_GUARDED_BY(mutex_) = 0;
  int64_t looks_ended_ ABSL_GUARDED_BY(mutex_) = 0;
};

// A store that has joined at `address`.
class Member {
 public:
  Member(const std::string& url, const std::string& address, absl::Duration lease = absl::Hours(1),
         absl::AnyInvocable<void(absl::Status)> lost = nullptr)
      : store_(*OpenStore(url, lease, std::move(lost))) {
    Join(address);
  }
  Member(std::unique_ptr<PostgresStore> store, const std::string& address)
      : store_(std::move(store)) {
    Join(address);
  }
  ~Member() { store_->Leave(); }

  PostgresStore& store() { return *store_; }
  FakeReplica& replica() { return replica_; }

 private:
  void Join(const std::string& address) {
    EXPECT_EQ(store_->Join(address, replica_), absl::OkStatus());
  }

  FakeReplica replica_;
  const std::unique_ptr<PostgresStore> store_;
};

absl::Status Release(PostgresStore& store, const std::string& id, absl::Time wake,
                     std::vector<FunctionKey> awaited = {}) {
  Answers answers;
  store.ReleaseTree({id, wake, std::move(awaited)}, answers.Add());
  return answers.Await()[0];
}

void StartAndRelease(PostgresStore& store, const std::string& id, absl::Time wake,
                     std::vector<FunctionKey> awaited = {}) {
  ASSERT_EQ(Commit(store, Started(id)), absl::OkStatus());
  ASSERT_EQ(Release(store, id, wake, std::move(awaited)), absl::OkStatus());
}

// Ends without a word, as far as the others can see.
void EndTime(const std::string& url, int64_t token) {
  Execute(url, {absl::StrCat("UPDATE rehearse.replica SET lease_until = now() - INTERVAL '1 second'"
                             " WHERE token = ",
                             token)});
}

int64_t OwnerOf(const std::string& url, const std::string& id) {
  return Count(url, absl::StrCat("SELECT owner FROM rehearse.tree WHERE id = '", id, "'"));
}

std::vector<std::string> ArnsOf(const absl::StatusOr<TreeClaim>& claim) {
  std::vector<std::string> arns;
  if (!claim.ok()) return arns;
  for (const RecoveredExecution& execution : claim->executions) {
    arns.push_back(execution.record.arn());
  }
  return arns;
}

class ReplicaGroupTest : public testing::Test {
 protected:
  const std::string url_ = SharedPostgresServer().NewDatabase();
};

TEST_F(ReplicaGroupTest, WhatAReplicaHasStartedIsItsOwn) {
  Member one(url_, "one:1");
  Member two(url_, "two:2");
  ASSERT_EQ(Commit(one.store(), Started("a")), absl::OkStatus());
  const auto own = one.store().ClaimTree("a");
  ASSERT_TRUE(own.ok()) << own.status();
  EXPECT_EQ(own->owner, "");
  EXPECT_THAT(ArnsOf(own), ElementsAre("a"));
  const auto others = two.store().ClaimTree("a");
  ASSERT_TRUE(others.ok()) << others.status();
  EXPECT_EQ(others->owner, "one:1");
  EXPECT_THAT(others->executions, IsEmpty());
}

TEST_F(ReplicaGroupTest, ATreeThatIsNotThereIsNobodys) {
  Member one(url_, "one:1");
  EXPECT_EQ(one.store().ClaimTree("a").status(), errors::ExecutionNotFound("a"));
}

TEST_F(ReplicaGroupTest, AnOwnerThatIsNotReachedYetIsTriedAgainLater) {
  auto one = OpenStore(url_);
  ASSERT_EQ(Commit(**one, Started("a")), absl::OkStatus());
  Member two(url_, "two:2");
  EXPECT_EQ(two.store().ClaimTree("a").status(),
            errors::StoreUnavailable("the replica that works on the execution is changing"));
}

TEST_F(ReplicaGroupTest, WhatIsReleasedIsWhosAsksFirst) {
  Member one(url_, "one:1");
  Member two(url_, "two:2");
  ExecutionDelta pending = StepAdded("a", 1);
  pending.operations[0].mutable_operation()->set_type(v1::OPERATION_TYPE_WAIT);
  pending.operations[0].mutable_operation()->set_status(v1::OPERATION_STATUS_STARTED);
  ASSERT_EQ(Commit(one.store(), Started("a")), absl::OkStatus());
  ASSERT_EQ(Commit(one.store(), pending), absl::OkStatus());
  ASSERT_EQ(Release(one.store(), "a", absl::InfiniteFuture()), absl::OkStatus());
  const auto claim = two.store().ClaimTree("a");
  ASSERT_TRUE(claim.ok()) << claim.status();
  EXPECT_EQ(claim->owner, "");
  ASSERT_THAT(ArnsOf(claim), ElementsAre("a"));
  EXPECT_EQ(claim->executions[0].progress.event_count(), 2);
  ASSERT_THAT(claim->executions[0].pending, SizeIs(1));
  EXPECT_EQ(claim->executions[0].pending[0].operation().id(), "step-1");
  EXPECT_EQ(one.store().ClaimTree("a")->owner, "two:2");
}

TEST_F(ReplicaGroupTest, OnlyTheOwnerReleases) {
  Member one(url_, "one:1");
  Member two(url_, "two:2");
  ASSERT_EQ(Commit(one.store(), Started("a")), absl::OkStatus());
  EXPECT_EQ(Release(two.store(), "a", kAtOnce, {Orders()}), absl::OkStatus());
  EXPECT_EQ(two.store().ClaimTree("a")->owner, "one:1");
  EXPECT_EQ(Count(url_, "SELECT count(*) FROM rehearse.pending_invocation"), 0);
}

TEST_F(ReplicaGroupTest, ChildrenAreInTheTreeOfTheirParent) {
  Member one(url_, "one:1");
  Member two(url_, "two:2");
  ASSERT_EQ(Commit(one.store(), Started("a")), absl::OkStatus());
  ASSERT_EQ(Commit(one.store(), Started("child", "a")), absl::OkStatus());
  EXPECT_EQ(two.store().ClaimTree("child")->owner, "one:1");
  ASSERT_EQ(Release(one.store(), "a", absl::InfiniteFuture()), absl::OkStatus());
  EXPECT_THAT(ArnsOf(two.store().ClaimTree("child")), ElementsAre("a", "child"));
  EXPECT_EQ(one.store().ClaimTree("a")->owner, "two:2");
}

TEST_F(ReplicaGroupTest, WhatIsDueIsClaimedAndNothingElse) {
  const auto releasing = OpenStore(url_);
  StartAndRelease(**releasing, "never", absl::InfiniteFuture());
  StartAndRelease(**releasing, "in an hour", absl::Now() + absl::Hours(1));
  StartAndRelease(**releasing, "in a moment", absl::Now() + absl::Milliseconds(700));
  StartAndRelease(**releasing, "long ago", kAtOnce);
  Member one(url_, "one:1");
  one.replica().AwaitClaimed("long ago");
  one.replica().AwaitClaimed("in a moment");
  one.replica().AwaitLook(one.store());
  EXPECT_THAT(one.replica().claimed(), UnorderedElementsAre("long ago", "in a moment"));
  EXPECT_EQ((*releasing)->ClaimTree("in a moment")->owner, "one:1");
}

TEST_F(ReplicaGroupTest, WhatAwaitsAPlaceIsClaimedByAFreeOne) {
  const auto releasing = OpenStore(url_);
  for (const char* id : {"a", "b", "c"}) {
    StartAndRelease(**releasing, id, absl::InfiniteFuture(), {Orders()});
  }
  StartAndRelease(**releasing, "bills", absl::InfiniteFuture(), {{"default", "bills"}});
  StartAndRelease(**releasing, "elsewhere", absl::InfiniteFuture(), {{"other", "orders"}});
  Member busy(url_, "busy:1");
  busy.replica().Serve(Orders(), 0);
  Member idle(url_, "idle:2");
  idle.replica().Serve(Orders(), 2);
  busy.replica().AwaitLook(busy.store());
  idle.replica().AwaitLook(idle.store());
  idle.replica().AwaitLook(idle.store());
  EXPECT_THAT(busy.replica().claimed(), IsEmpty());
  EXPECT_EQ(idle.replica().claimed().size(), 2u);

  busy.replica().Serve(Orders(), 5);
  busy.replica().AwaitLook(busy.store());
  EXPECT_EQ(busy.replica().claimed().size(), 1u);
  // Who has been claimed awaits nothing.
  EXPECT_EQ(Count(url_, "SELECT count(*) FROM rehearse.pending_invocation"), 2);
}

TEST_F(ReplicaGroupTest, ATreeThatAwaitsSeveralPlacesIsClaimedOnce) {
  const auto releasing = OpenStore(url_);
  StartAndRelease(**releasing, "a", absl::InfiniteFuture(), {Orders(), {"default", "bills"}});
  Member one(url_, "one:1");
  one.replica().Serve({"default", "bills"}, 1);
  one.replica().AwaitClaimed("a");
  Member two(url_, "two:2");
  two.replica().Serve(Orders(), 1);
  two.replica().AwaitLook(two.store());
  two.replica().AwaitLook(two.store());
  EXPECT_THAT(two.replica().claimed(), IsEmpty());
}

TEST_F(ReplicaGroupTest, NoTreeIsClaimedTwice) {
  // More than are claimed at once.
  constexpr int kTrees = 700;
  const auto releasing = OpenStore(url_);
  Member one(url_, "one:1");
  Member two(url_, "two:2");
  std::vector<ExecutionDelta> deltas;
  std::set<std::string> ids;
  for (int i = 0; i < kTrees; ++i) {
    ids.insert(absl::StrCat("tree-", i));
    deltas.push_back(Started(absl::StrCat("tree-", i)));
  }
  Answers started;
  for (const ExecutionDelta& delta : deltas) (*releasing)->Commit({&delta}, started.Add());
  for (const absl::Status& status : started.Await()) ASSERT_EQ(status, absl::OkStatus());
  one.replica().Serve(Orders(), kTrees);
  two.replica().Serve(Orders(), kTrees);
  Answers released;
  int next = 0;
  for (const std::string& id : ids) {
    const bool due = ++next % 2 == 0;
    (*releasing)
        ->ReleaseTree({id, due ? kAtOnce : absl::InfiniteFuture(), {Orders()}}, released.Add());
  }
  for (const absl::Status& status : released.Await()) ASSERT_EQ(status, absl::OkStatus());

  std::set<std::string> claimed;
  size_t claims = 0;
  while (claimed.size() < ids.size()) {
    claimed.clear();
    claims = 0;
    for (Member* member : {&one, &two}) {
      member->replica().AwaitLook(member->store());
      const std::vector<std::string> own = member->replica().claimed();
      claims += own.size();
      claimed.insert(own.begin(), own.end());
    }
  }
  EXPECT_EQ(claimed, ids);
  EXPECT_EQ(claims, ids.size());
  EXPECT_EQ(Count(url_, "SELECT count(*) FROM rehearse.pending_invocation"), 0);
}

TEST_F(ReplicaGroupTest, WhatAwaitsAPlaceMayBeWoken) {
  Member one(url_, "one:1");
  Member two(url_, "two:2");
  StartAndRelease(one.store(), "a", absl::InfiniteFuture(), {Orders()});
  StartAndRelease(one.store(), "bills", absl::InfiniteFuture(), {{"default", "bills"}});
  one.replica().AwaitLook(one.store());
  two.replica().AwaitLook(two.store());
  EXPECT_THAT(one.replica().claimed(), IsEmpty());
  EXPECT_THAT(two.replica().claimed(), IsEmpty());
  ASSERT_EQ(two.store().WakeAwaiting(Orders()), absl::OkStatus());
  one.replica().AwaitLook(one.store());
  two.replica().AwaitLook(two.store());
  std::vector<std::string> claimed = one.replica().claimed();
  for (std::string& id : two.replica().claimed()) claimed.push_back(std::move(id));
  EXPECT_THAT(claimed, ElementsAre("a"));
}

TEST_F(ReplicaGroupTest, APlaceIsFoundWhereTheFunctionIsServed) {
  auto one = std::make_unique<Member>(url_, "one:1");
  Member two(url_, "two:2");
  EXPECT_EQ(*two.store().FindPlace(Orders()), "");
  one->replica().Serve(Orders(), 0);
  one->replica().AwaitLook(one->store());
  EXPECT_EQ(*two.store().FindPlace(Orders()), "one:1");
  EXPECT_EQ(*two.store().FindPlace({"default", "bills"}), "");
  EXPECT_EQ(*two.store().FindPlace({"other", "orders"}), "");
  // It knows itself.
  EXPECT_EQ(*one->store().FindPlace(Orders()), "");
  one->replica().ServeNothing();
  one->replica().AwaitLook(one->store());
  EXPECT_EQ(*two.store().FindPlace(Orders()), "");
  one->replica().Serve(Orders(), 1);
  one->replica().AwaitLook(one->store());
  EXPECT_EQ(*two.store().FindPlace(Orders()), "one:1");
  one.reset();
  EXPECT_EQ(*two.store().FindPlace(Orders()), "");
}

TEST_F(ReplicaGroupTest, ATreeGoesWithItsLastExecution) {
  Member one(url_, "one:1");
  ASSERT_EQ(Commit(one.store(), Started("a")), absl::OkStatus());
  ASSERT_EQ(Commit(one.store(), Started("child", "a")), absl::OkStatus());
  StartAndRelease(one.store(), "other", absl::InfiniteFuture(), {Orders()});
  ASSERT_EQ(Release(one.store(), "a", absl::InfiniteFuture(), {Orders()}), absl::OkStatus());
  ASSERT_EQ(one.store().Delete({"a"}), absl::OkStatus());
  EXPECT_EQ(Count(url_, "SELECT count(*) FROM rehearse.tree"), 2);
  EXPECT_THAT(ArnsOf(one.store().ClaimTree("child")), ElementsAre("child"));
  ASSERT_EQ(one.store().Delete({"child"}), absl::OkStatus());
  EXPECT_EQ(one.store().ClaimTree("child").status(), errors::ExecutionNotFound("child"));
  EXPECT_EQ(Count(url_, "SELECT count(*) FROM rehearse.tree"), 1);
  EXPECT_EQ(Count(url_, "SELECT count(*) FROM rehearse.pending_invocation"), 1);
  // Also where it goes with its session.
  ASSERT_EQ(one.store().DeleteSession("default"), absl::OkStatus());
  for (const char* table : {"tree", "pending_invocation", "execution", "operation", "event"}) {
    EXPECT_EQ(Count(url_, absl::StrCat("SELECT count(*) FROM rehearse.", table)), 0) << table;
  }
}

TEST_F(ReplicaGroupTest, OfTwoChangesOfASessionTheSecondIsRefused) {
  const auto one = OpenStore(url_);
  const auto two = OpenStore(url_);
  record::SessionRecord session;
  session.set_name("s");
  session.set_revision(1);
  const absl::Status aborted = absl::AbortedError("Another replica has changed session 's'.");
  EXPECT_EQ((*one)->PutSession(session), absl::OkStatus());
  EXPECT_EQ((*two)->PutSession(session), aborted);
  session.set_revision(2);
  EXPECT_EQ((*two)->PutSession(session), absl::OkStatus());
  EXPECT_EQ((*one)->PutSession(session), aborted);
  session.set_revision(4);
  EXPECT_EQ((*one)->PutSession(session), aborted);
  EXPECT_EQ((*one)->Sessions()->at(0).revision(), 2);
  // A session that has been deleted does not come back.
  ASSERT_EQ((*one)->DeleteSession(session.name()), absl::OkStatus());
  session.set_revision(3);
  EXPECT_EQ((*two)->PutSession(session), aborted);
  EXPECT_TRUE((*two)->Sessions()->empty());
}

TEST_F(ReplicaGroupTest, ASessionIsIdleSinceAnyReplicaHasUsedIt) {
  const auto one = OpenStore(url_);
  const auto two = OpenStore(url_);
  record::SessionRecord session;
  session.set_name("s");
  session.set_revision(1);
  ASSERT_EQ((*one)->PutSession(session), absl::OkStatus());
  EXPECT_LT(*(*two)->SessionIdleTime("s"), absl::Hours(1));
  Execute(url_, {"UPDATE rehearse.session SET last_use = now() - INTERVAL '1 hour'"});
  EXPECT_GE(*(*two)->SessionIdleTime("s"), absl::Hours(1));
  ASSERT_EQ((*two)->TouchSessions({"t", "s"}), absl::OkStatus());
  EXPECT_LT(*(*one)->SessionIdleTime("s"), absl::Hours(1));
  EXPECT_EQ((*one)->SessionIdleTime("t").status(), errors::SessionNotFound("t"));
}

TEST_F(ReplicaGroupTest, ReplicasTellEachOther) {
  const auto store = OpenStore(url_);
  const auto listener = *postgres::Connection::Open(url_);
  ASSERT_EQ(listener->Execute("LISTEN rehearse"), absl::OkStatus());
  const auto told = [&] { return *listener->AwaitNotices(-1, absl::Minutes(2)); };
  StartAndRelease(**store, "a", absl::InfiniteFuture(), {Orders()});
  EXPECT_THAT(told(), ElementsAre("w"));
  record::SessionRecord session;
  session.set_name("s");
  session.set_revision(1);
  ASSERT_EQ((*store)->PutSession(session), absl::OkStatus());
  EXPECT_THAT(told(), ElementsAre("s"));
  ASSERT_EQ((*store)->DeleteSession("s"), absl::OkStatus());
  EXPECT_THAT(told(), ElementsAre("s"));
  ASSERT_EQ((*store)->WakeAwaiting(Orders()), absl::OkStatus());
  EXPECT_THAT(told(), ElementsAre("w"));
}

TEST_F(ReplicaGroupTest, WithoutNotifyItIsAskedNowAndThen) {
  Execute(url_,
          {"CREATE ROLE silent LOGIN",
           "REVOKE EXECUTE ON FUNCTION pg_catalog.pg_notify(text, text) FROM PUBLIC",
           "DO $$ BEGIN EXECUTE 'GRANT ALL ON DATABASE ' || current_database() || ' TO silent';"
           " END $$"});
  const std::string url = absl::StrCat(url_.substr(0, url_.rfind("user=")), "user=silent");
  Member one(url, "one:1");
  Member two(url, "two:2");
  two.replica().Serve(Orders(), 1);
  StartAndRelease(one.store(), "a", absl::InfiniteFuture(), {Orders()});
  two.replica().AwaitClaimed("a");
  record::SessionRecord session;
  session.set_name("s");
  session.set_revision(1);
  EXPECT_EQ(one.store().PutSession(session), absl::OkStatus());
}

TEST_F(ReplicaGroupTest, AReplicaThatEndsGivesEverythingBackAtOnce) {
  auto one = std::make_unique<Member>(url_, "one:1");
  Member two(url_, "two:2");
  ASSERT_EQ(Commit(one->store(), Started("a")), absl::OkStatus());
  one.reset();
  two.replica().AwaitClaimed("a");
  EXPECT_EQ(Commit(two.store(), StepAdded("a", 1)), absl::OkStatus());
  EXPECT_EQ(Count(url_, "SELECT count(*) FROM rehearse.replica"), 1);
}

TEST_F(ReplicaGroupTest, ALeaseRunsWhileItIsRenewed) {
  PostgresServer server;
  const auto store = OpenStore(server.NewDatabase(), absl::Seconds(1));
  EXPECT_TRUE((*store)->HoldsLease());
  server.Stop();
  while ((*store)->HoldsLease()) {
    EXPECT_EQ((*store)->ClaimTree("a").status().code(), absl::StatusCode::kUnavailable);
  }
  // Nobody has ended it meanwhile.
  server.Start();
  while (!(*store)->HoldsLease()) (void)(*store)->ClaimTree("a");
  EXPECT_EQ(Commit(**store, Started("a")), absl::OkStatus());
}

TEST_F(ReplicaGroupTest, AReplicaThatWasSilentTooLongIsFenced) {
  std::vector<absl::Status> lost;
  auto sleeper = std::make_unique<Member>(url_, "sleeper:1", absl::Hours(1),
                                          [&](absl::Status s) { lost.push_back(s); });
  ASSERT_EQ(Commit(sleeper->store(), Started("a")), absl::OkStatus());
  Member successor(url_, "successor:2", absl::Seconds(1));
  EndTime(url_, OwnerOf(url_, "a"));
  successor.replica().AwaitClaimed("a");
  ASSERT_EQ(Commit(successor.store(), StepAdded("a", 1)), absl::OkStatus());

  const absl::Status fenced = Commit(sleeper->store(), StepAdded("a", 1));
  EXPECT_EQ(fenced, errors::StoreUnavailable("another server has taken over"));
  EXPECT_FALSE(sleeper->store().HoldsLease());
  EXPECT_EQ(sleeper->store().Delete({"a"}), fenced);
  EXPECT_EQ(sleeper->store().DeleteSession("default"), fenced);
  record::SessionRecord session;
  session.set_name("late");
  session.set_revision(1);
  EXPECT_EQ(sleeper->store().PutSession(session), fenced);
  EXPECT_EQ(sleeper->store().TouchSessions({"late"}), fenced);
  EXPECT_EQ(sleeper->store().WakeAwaiting(Orders()), fenced);
  EXPECT_EQ(Release(sleeper->store(), "a", kAtOnce), fenced);
  EXPECT_EQ(Commit(sleeper->store(), Started("b")), fenced);
  ASSERT_EQ(lost.size(), 1u);
  EXPECT_EQ(lost[0].message(),
            "another server has taken over: this one was silent for longer than its lease");

  ASSERT_EQ(Commit(successor.store(), StepAdded("a", 2)), absl::OkStatus());
  ExpectWhole(successor.store(), "a", 3);
  EXPECT_EQ(successor.store().Load("b").status(), errors::ExecutionNotFound("b"));
  EXPECT_TRUE(successor.store().Sessions()->empty());
  // What it gives back in the end is not the successor's.
  sleeper.reset();
  EXPECT_EQ(Commit(successor.store(), StepAdded("a", 3)), absl::OkStatus());
  EXPECT_THAT(ArnsOf(successor.store().ClaimTree("a")), ElementsAre("a"));
}

// A replica that stops in the middle of a transaction keeps its locks; not for ever.
TEST_F(ReplicaGroupTest, AReplicaThatStopsBeforeItsCommitIsFenced) {
  postgres::CuttingProxy proxy(SharedPostgresServer().folder());
  PostgresStore::Options options;
  options.url = ThroughProxy(url_, proxy);
  options.lease = absl::Hours(1);
  options.stall_limit = absl::Milliseconds(200);
  auto opened = PostgresStore::Open(std::move(options));
  ASSERT_TRUE(opened.ok()) << opened.status();
  const std::unique_ptr<PostgresStore> sleeper = *std::move(opened);
  ASSERT_EQ(Commit(*sleeper, Started("a")), absl::OkStatus());
  proxy.CutAtCommit(postgres::CuttingProxy::Moment::kStall);
  const ExecutionDelta stalled = StepAdded("a", 1);
  Answers answers;
  sleeper->Commit({&stalled}, answers.Add());
  proxy.AwaitCut();
  EndTime(url_, OwnerOf(url_, "a"));
  Member successor(url_, "successor:2", absl::Seconds(1));
  successor.replica().AwaitClaimed("a");
  proxy.Resume();
  EXPECT_EQ(answers.Await()[0], errors::StoreUnavailable("another server has taken over"));
  ExpectWhole(successor.store(), "a", 1);
  EXPECT_EQ(Commit(successor.store(), StepAdded("a", 1)), absl::OkStatus());
}

}  // namespace
}  // namespace rehearse
