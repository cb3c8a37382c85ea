#include "service/invoker/stream/stream_invoker.h"

#include <algorithm>
#include <atomic>
#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "rapidcheck/gtest.h"
#include "service/base/errors.h"

namespace rehearse {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using SlotId = StreamInvoker::SlotId;
using Reason = v1::ServeResponse::Abort::Reason;

class FakeSlot : public WorkerSlot {
 public:
  void StartInvocation(v1::ServeResponse::Invocation invocation) override {
    started.push_back(invocation.request_id());
  }
  void AbortInvocation(Reason reason) override { aborted.push_back(reason); }

  std::vector<std::string> started;
  std::vector<Reason> aborted;
};

FunctionKey Key(const std::string& function) { return {"default", function}; }

v1::ServeResponse::Invocation Invocation(const std::string& request_id) {
  v1::ServeResponse::Invocation invocation;
  invocation.set_request_id(request_id);
  invocation.set_function_name("orders");
  return invocation;
}

InvocationEnd Answer(const std::string& payload) {
  return {InvocationEnd::Kind::kAnswered, payload, {}};
}

class StreamInvokerTest : public testing::Test {
 protected:
  // Acquires and keeps the lease, under `name`.
  void Acquire(const std::string& function, const std::string& name) {
    invoker_.Acquire(Key(function), [this, name](auto lease) {
      order_.push_back(name);
      if (lease.ok()) {
        leases_[name] = *std::move(lease);
      } else {
        errors_[name] = lease.status();
      }
    });
  }
  void Start(const std::string& name) {
    leases_[name]->Start(Invocation(name),
                         [this, name](InvocationEnd end) { ends_[name] = std::move(end); });
  }

  StreamInvoker invoker_;
  std::shared_ptr<FakeSlot> slot_ = std::make_shared<FakeSlot>();
  // Names in the order in which their requests were answered.
  std::vector<std::string> order_;
  std::map<std::string, std::unique_ptr<InvocationLease>> leases_;
  std::map<std::string, absl::Status> errors_;
  std::map<std::string, InvocationEnd> ends_;
};

TEST_F(StreamInvokerTest, AFreeSlotServesARequestAtOnce) {
  const SlotId id = invoker_.AddSlot("default", {"orders"}, slot_);
  Acquire("orders", "a");
  ASSERT_THAT(order_, ElementsAre("a"));
  EXPECT_THAT(slot_->started, IsEmpty());
  Start("a");
  EXPECT_THAT(slot_->started, ElementsAre("a"));
  EXPECT_EQ(invoker_.Load(Key("orders")).running, 1);
  invoker_.EndInvocation(id, Answer("42"));
  ASSERT_EQ(ends_.count("a"), 1u);
  EXPECT_EQ(ends_["a"].kind, InvocationEnd::Kind::kAnswered);
  EXPECT_EQ(ends_["a"].payload, "42");
  EXPECT_EQ(invoker_.Load(Key("orders")).running, 0);
}

TEST_F(StreamInvokerTest, RequestsOfAFunctionAreServedInOrder) {
  for (const char* name : {"a", "b", "c"}) Acquire("orders", name);
  EXPECT_FALSE(invoker_.HasPlace(Key("orders")));
  EXPECT_EQ(invoker_.Load(Key("orders")).queued, 3);
  const SlotId id = invoker_.AddSlot("default", {"orders"}, slot_);
  EXPECT_TRUE(invoker_.HasPlace(Key("orders")));
  EXPECT_THAT(order_, ElementsAre("a"));
  Start("a");
  invoker_.EndInvocation(id, Answer(""));
  EXPECT_THAT(order_, ElementsAre("a", "b"));
  leases_["b"].reset();
  EXPECT_THAT(order_, ElementsAre("a", "b", "c"));
  EXPECT_EQ(invoker_.Load(Key("orders")).queued, 0);
  EXPECT_EQ(invoker_.Load(Key("orders")).slots, 1);
}

TEST_F(StreamInvokerTest, ASlotTakesTheOldestRequestAmongItsFunctions) {
  Acquire("orders", "a");
  Acquire("bills", "b");
  Acquire("orders", "c");
  Acquire("mails", "x");
  invoker_.AddSlot("default", {"orders", "bills"}, slot_);
  while (leases_.size() < 3) {
    ASSERT_FALSE(order_.empty());
    const size_t before = order_.size();
    leases_[order_.back()].reset();
    if (order_.size() == before) break;
  }
  EXPECT_THAT(order_, ElementsAre("a", "b", "c"));
}

TEST_F(StreamInvokerTest, ARequestServedByOneWorkerIsGoneForTheOther) {
  Acquire("orders", "a");
  Acquire("orders", "b");
  auto other = std::make_shared<FakeSlot>();
  invoker_.AddSlot("default", {"orders", "bills"}, slot_);
  invoker_.AddSlot("default", {"orders"}, other);
  EXPECT_THAT(order_, ElementsAre("a", "b"));
  leases_.clear();
  EXPECT_EQ(order_.size(), 2u);
  EXPECT_EQ(invoker_.Load(Key("orders")).slots, 2);
  EXPECT_EQ(invoker_.Load(Key("bills")).slots, 1);
}

TEST_F(StreamInvokerTest, SessionsDoNotShareSlots) {
  invoker_.AddSlot("other", {"orders"}, slot_);
  Acquire("orders", "a");
  EXPECT_THAT(order_, IsEmpty());
  EXPECT_FALSE(invoker_.HasPlace(Key("orders")));
  EXPECT_TRUE(invoker_.HasPlace({"other", "orders"}));
}

TEST_F(StreamInvokerTest, ABrokenSlotCrashesItsInvocation) {
  const SlotId id = invoker_.AddSlot("default", {"orders"}, slot_);
  Acquire("orders", "a");
  Start("a");
  invoker_.RemoveSlot(id);
  ASSERT_EQ(ends_.count("a"), 1u);
  EXPECT_EQ(ends_["a"].kind, InvocationEnd::Kind::kCrashed);
  EXPECT_EQ(ends_["a"].error.error_type(), "Runtime.ExitError");
  EXPECT_EQ(ends_["a"].error.error_message(),
            "RequestId: a Error: the stream of the worker broke while it ran \"orders\"; "
            "its process has probably exited, see its output");
  EXPECT_FALSE(invoker_.HasPlace(Key("orders")));
  EXPECT_EQ(invoker_.Load(Key("orders")).running, 0);
  invoker_.EndInvocation(id, Answer("late"));
  invoker_.RemoveSlot(id);
  EXPECT_EQ(ends_["a"].kind, InvocationEnd::Kind::kCrashed);
}

TEST_F(StreamInvokerTest, AnInvocationStartedOnABrokenSlotHasCrashed) {
  const SlotId id = invoker_.AddSlot("default", {"orders"}, slot_);
  Acquire("orders", "a");
  invoker_.RemoveSlot(id);
  Start("a");
  EXPECT_EQ(ends_["a"].kind, InvocationEnd::Kind::kCrashed);
  EXPECT_THAT(slot_->started, IsEmpty());
  leases_["a"]->Abort(v1::ServeResponse::Abort::EXECUTION_STOPPED);
  EXPECT_THAT(slot_->aborted, IsEmpty());
}

TEST_F(StreamInvokerTest, AbortReachesTheRunningInvocationOnly) {
  const SlotId id = invoker_.AddSlot("default", {"orders"}, slot_);
  Acquire("orders", "a");
  leases_["a"]->Abort(v1::ServeResponse::Abort::EXECUTION_STOPPED);
  EXPECT_THAT(slot_->aborted, IsEmpty());
  Start("a");
  leases_["a"]->Abort(v1::ServeResponse::Abort::EXECUTION_TIMED_OUT);
  EXPECT_THAT(slot_->aborted, ElementsAre(v1::ServeResponse::Abort::EXECUTION_TIMED_OUT));
  invoker_.EndInvocation(id, Answer(""));
  Acquire("orders", "b");
  Start("b");
  leases_["a"]->Abort(v1::ServeResponse::Abort::EXECUTION_STOPPED);
  EXPECT_EQ(slot_->aborted.size(), 1u);
}

TEST_F(StreamInvokerTest, ALeaseDroppedWhileItRunsEndsUnheardAndFreesItsSlot) {
  const SlotId id = invoker_.AddSlot("default", {"orders"}, slot_);
  Acquire("orders", "a");
  Acquire("orders", "b");
  Start("a");
  leases_["a"].reset();
  EXPECT_THAT(order_, ElementsAre("a"));
  invoker_.EndInvocation(id, Answer("42"));
  EXPECT_EQ(ends_.count("a"), 0u);
  EXPECT_THAT(order_, ElementsAre("a", "b"));
}

TEST_F(StreamInvokerTest, DroppingAnEndedLeaseLeavesTheNextInvocationAlone) {
  const SlotId id = invoker_.AddSlot("default", {"orders"}, slot_);
  Acquire("orders", "a");
  Start("a");
  invoker_.EndInvocation(id, Answer("1"));
  Acquire("orders", "b");
  Start("b");
  leases_["a"].reset();
  invoker_.EndInvocation(id, Answer("2"));
  EXPECT_EQ(ends_["b"].payload, "2");
}

TEST_F(StreamInvokerTest, RemovingAFunctionFailsWhatIsQueuedAndLetsTheRestRun) {
  const SlotId id = invoker_.AddSlot("default", {"orders", "bills"}, slot_);
  Acquire("orders", "a");
  Start("a");
  Acquire("orders", "b");
  Acquire("bills", "c");
  invoker_.RemoveFunction(Key("orders"));
  ASSERT_EQ(errors_.count("b"), 1u);
  EXPECT_EQ(errors_["b"], errors::FunctionNotFound("orders"));
  EXPECT_FALSE(invoker_.HasPlace(Key("orders")));
  EXPECT_TRUE(invoker_.HasPlace(Key("bills")));
  invoker_.EndInvocation(id, Answer("42"));
  EXPECT_EQ(ends_["a"].payload, "42");
  EXPECT_THAT(order_, ElementsAre("a", "b", "c"));
}

TEST_F(StreamInvokerTest, AFunctionComesBackWithTheNextSlotThatServesIt) {
  invoker_.AddSlot("default", {"orders", "bills"}, slot_);
  invoker_.RemoveFunction(Key("orders"));
  Acquire("orders", "a");
  EXPECT_THAT(order_, IsEmpty());
  const SlotId again = invoker_.AddSlot("default", {"bills", "orders"}, slot_);
  EXPECT_THAT(order_, ElementsAre("a"));
  EXPECT_EQ(invoker_.Load(Key("orders")).slots, 1);
  EXPECT_EQ(invoker_.Load(Key("bills")).slots, 2);
  invoker_.RemoveSlot(again);
  EXPECT_FALSE(invoker_.HasPlace(Key("orders")));
  EXPECT_EQ(invoker_.Load(Key("bills")).slots, 1);
}

TEST_F(StreamInvokerTest, RemovingASessionAbortsAndFailsWhatIsInItOnly) {
  auto other = std::make_shared<FakeSlot>();
  const SlotId id = invoker_.AddSlot("default", {"orders"}, slot_);
  invoker_.AddSlot("other", {"orders"}, other);
  Acquire("orders", "a");
  Start("a");
  Acquire("orders", "b");
  Acquire("bills", "c");
  invoker_.RemoveSession("default");
  EXPECT_THAT(slot_->aborted, ElementsAre(v1::ServeResponse::Abort::SESSION_ENDED));
  EXPECT_THAT(other->aborted, IsEmpty());
  EXPECT_EQ(errors_["b"], errors::FunctionNotFound("orders"));
  EXPECT_EQ(errors_["c"], errors::FunctionNotFound("bills"));
  EXPECT_TRUE(invoker_.HasPlace({"other", "orders"}));
  // A session of the same name has nothing of the old one.
  Acquire("orders", "d");
  invoker_.EndInvocation(id, Answer("late"));
  EXPECT_EQ(ends_["a"].payload, "late");
  EXPECT_EQ(leases_.count("d"), 0u);
  invoker_.RemoveSlot(id);
  invoker_.RemoveSession("unknown");
}

TEST_F(StreamInvokerTest, AFunctionNamedTwiceByASlotIsServedOnce) {
  invoker_.AddSlot("default", {"orders", "orders"}, slot_);
  EXPECT_EQ(invoker_.Load(Key("orders")).slots, 1);
}

TEST(StreamInvokerQueueTest, ManyRequestsThatAreNoLongerWantedDoNotNest) {
  StreamInvoker invoker;
  int answered = 0;
  for (int i = 0; i < 200000; ++i) {
    invoker.Acquire(Key("orders"), [&](auto) { ++answered; });
  }
  invoker.AddSlot("default", {"orders"}, std::make_shared<FakeSlot>());
  EXPECT_EQ(answered, 200000);
}

// A plain statement of what the invoker promises, beside the invoker: requests in order, and what
// runs on which slot.
class ModelledInvoker {
 public:
  struct Slot {
    std::set<std::string> functions;
    std::shared_ptr<FakeSlot> worker;
    int running = -1;  // -1: free.
  };

  void Acquire(const std::string& function) {
    const int number = next_++;
    queue_.emplace_back(number, function);
    invoker_.Acquire(Key(function), [this, number](auto lease) {
      answered_.push_back(number);
      if (lease.ok()) leases_[number] = *std::move(lease);
    });
    Settle();
  }

  void AddSlot(const std::set<std::string>& functions) {
    const int oldest = OldestOf(functions);
    auto worker = std::make_shared<FakeSlot>();
    const SlotId id = invoker_.AddSlot("default", {functions.begin(), functions.end()}, worker);
    slots_[id] = {functions, worker};
    RC_ASSERT((answered_.empty() ? -1 : answered_.front()) == oldest);
    Settle();
  }

  void EndInvocation(SlotId id) {
    Slot& slot = slots_[id];
    const int number = slot.running;
    if (number == -1) return;
    slot.running = -1;
    const int oldest = OldestOf(slot.functions);
    const bool heard = leases_.count(number) > 0;
    invoker_.EndInvocation(id, Answer(""));
    RC_ASSERT(ends_[number] == (heard ? 1 : 0));
    leases_.erase(number);
    RC_ASSERT((answered_.empty() ? -1 : answered_.front()) == oldest);
    Settle();
  }

  void DropLease(SlotId id) {
    leases_.erase(slots_[id].running);
    RC_ASSERT(answered_.empty());
  }

  void RemoveSlot(SlotId id) {
    const int number = slots_[id].running;
    const bool heard = leases_.count(number) > 0;
    invoker_.RemoveSlot(id);
    slots_.erase(id);
    if (number != -1) RC_ASSERT(ends_[number] == (heard ? 1 : 0));
    leases_.erase(number);
    Settle();
  }

  void RemoveFunction(const std::string& function) {
    std::vector<int> queued;
    for (const auto& [number, name] : queue_) {
      if (name == function) queued.push_back(number);
    }
    for (auto& slot : slots_) slot.second.functions.erase(function);
    invoker_.RemoveFunction(Key(function));
    RC_ASSERT((std::vector<int>(answered_.begin(), answered_.end()) == queued));
    RC_ASSERT(!invoker_.HasPlace(Key(function)));
    Settle();
  }

  std::vector<SlotId> SlotIds() const {
    std::vector<SlotId> ids;
    for (const auto& slot : slots_) ids.push_back(slot.first);
    return ids;
  }

 private:
  int OldestOf(const std::set<std::string>& functions) const {
    for (const auto& [number, function] : queue_) {
      if (functions.count(function) > 0) return number;
    }
    return -1;
  }

  // Starts or drops each new lease, until there is none.
  void Settle() {
    while (!answered_.empty()) {
      const int number = answered_.front();
      answered_.pop_front();
      const auto queued = std::find_if(queue_.begin(), queue_.end(),
                                       [&](const auto& r) { return r.first == number; });
      RC_ASSERT((queued != queue_.end()));
      RC_ASSERT(OldestOf({queued->second}) == number);
      const std::string function = queued->second;
      queue_.erase(queued);
      const auto lease = leases_.find(number);
      if (lease == leases_.end()) continue;
      if (*rc::gen::inRange(0, 4) == 0) {
        leases_.erase(lease);
      } else {
        lease->second->Start(Invocation(absl::StrCat(number)),
                             [this, number](InvocationEnd) { ++ends_[number]; });
        MarkRunning(number, function);
      }
    }
    for (const auto& slot : slots_) {
      if (slot.second.running == -1) RC_ASSERT(OldestOf(slot.second.functions) == -1);
    }
  }

  void MarkRunning(int number, const std::string& function) {
    for (auto& entry : slots_) {
      Slot& slot = entry.second;
      if (slot.worker->started.empty() || slot.worker->started.back() != absl::StrCat(number)) {
        continue;
      }
      RC_ASSERT(slot.running == -1);
      RC_ASSERT(slot.functions.count(function) == 1u);
      slot.running = number;
      return;
    }
    RC_FAIL("started on no slot");
  }

  StreamInvoker invoker_;
  int next_ = 0;
  std::deque<std::pair<int, std::string>> queue_;
  std::map<SlotId, Slot> slots_;
  std::map<int, std::unique_ptr<InvocationLease>> leases_;
  std::map<int, int> ends_;
  std::deque<int> answered_;
};

RC_GTEST_PROP(StreamInvokerProperty, EveryRequestIsServedOnceInOrderAsSoonAsASlotIsFree, ()) {
  const std::vector<std::string> functions = {"f", "g", "h"};
  ModelledInvoker invoker;
  const int steps = *rc::gen::inRange(1, 100);
  for (int step = 0; step < steps; ++step) {
    const int action = *rc::gen::inRange(0, 12);
    const std::vector<SlotId> ids = invoker.SlotIds();
    if (action < 5) {
      invoker.Acquire(*rc::gen::elementOf(functions));
    } else if (action < 7) {
      const auto served =
          *rc::gen::container<std::vector<std::string>>(rc::gen::elementOf(functions));
      invoker.AddSlot({served.begin(), served.end()});
    } else if (ids.empty()) {
      continue;
    } else if (action < 10) {
      invoker.EndInvocation(*rc::gen::elementOf(ids));
    } else if (action == 10) {
      invoker.DropLease(*rc::gen::elementOf(ids));
    } else if (*rc::gen::arbitrary<bool>()) {
      invoker.RemoveSlot(*rc::gen::elementOf(ids));
    } else {
      invoker.RemoveFunction(*rc::gen::elementOf(functions));
    }
  }
}

// A worker that answers from a thread of its own.
class AnsweringSlot : public WorkerSlot {
 public:
  AnsweringSlot(StreamInvoker& invoker, std::atomic<int>& overlaps)
      : invoker_(invoker), overlaps_(overlaps) {}

  void StartInvocation(v1::ServeResponse::Invocation) override {
    if (running_.exchange(true)) ++overlaps_;
    absl::MutexLock lock(&mutex_);
    ++started_;
  }
  void AbortInvocation(Reason) override {}

  void Serve(SlotId id, const std::atomic<bool>& stop) {
    int served = 0;
    while (!stop) {
      {
        absl::MutexLock lock(&mutex_);
        const auto more = [&] { return started_ > served || stop; };
        if (!mutex_.AwaitWithTimeout(absl::Condition(&more), absl::Milliseconds(10))) continue;
        if (started_ == served) return;
      }
      ++served;
      running_ = false;
      invoker_.EndInvocation(id, Answer("done"));
    }
  }

 private:
  StreamInvoker& invoker_;
  std::atomic<int>& overlaps_;
  std::atomic<bool> running_{false};
  absl::Mutex mutex_;
  int started_ = 0;
};

TEST(StreamInvokerThreadsTest, ManyThreadsGetEachRequestAnsweredOnce) {
  constexpr int kCallers = 4;
  constexpr int kRequests = 500;
  StreamInvoker invoker;
  std::atomic<int> overlaps{0};
  std::atomic<int> ended{0};
  std::atomic<int> crashed{0};
  std::atomic<bool> stop{false};
  std::vector<SlotId> ids;
  std::vector<std::thread> workers;
  absl::Mutex leases_mutex;
  std::vector<std::unique_ptr<InvocationLease>> leases;
  for (int i = 0; i < 3; ++i) {
    auto slot = std::make_shared<AnsweringSlot>(invoker, overlaps);
    const SlotId id = invoker.AddSlot("default", {"orders", absl::StrCat("own", i)}, slot);
    ids.push_back(id);
    workers.emplace_back([slot, id, &stop] { slot->Serve(id, stop); });
  }
  std::vector<std::thread> callers;
  for (int caller = 0; caller < kCallers; ++caller) {
    callers.emplace_back([&, caller] {
      for (int i = 0; i < kRequests; ++i) {
        invoker.Acquire(Key(i % 2 == 0 ? "orders" : absl::StrCat("own", caller % 3)),
                        [&](auto lease) {
                          (*lease)->Start(Invocation("r"), [&](InvocationEnd end) {
                            if (end.kind == InvocationEnd::Kind::kCrashed) ++crashed;
                            ++ended;
                          });
                          absl::MutexLock lock(&leases_mutex);
                          leases.push_back(*std::move(lease));
                        });
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
  while (ended < kCallers * kRequests) std::this_thread::yield();
  stop = true;
  for (std::thread& worker : workers) worker.join();
  for (SlotId id : ids) invoker.RemoveSlot(id);
  EXPECT_EQ(ended, kCallers * kRequests);
  EXPECT_EQ(crashed, 0);
  EXPECT_EQ(overlaps, 0);
  leases.clear();
}

}  // namespace
}  // namespace rehearse
