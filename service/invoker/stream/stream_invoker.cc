#include "service/invoker/stream/stream_invoker.h"

#include <algorithm>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "service/base/errors.h"

namespace rehearse {
namespace {

InvocationEnd Crashed(absl::string_view function_name, absl::string_view request_id) {
  InvocationEnd end;
  end.kind = InvocationEnd::Kind::kCrashed;
  end.error.set_error_type("Runtime.ExitError");
  end.error.set_error_message(absl::StrCat(
      "RequestId: ", request_id, " Error: the stream of the worker broke while it ran \"",
      function_name, "\"; its process has probably exited, see its output"));
  return end;
}

}  // namespace

struct StreamInvoker::Function {
  struct Request {
    int64_t number;
    Ready ready;
  };

  std::string name;
  // Oldest first. Not empty only while no slot of the function is free.
  std::deque<Request> queue;
  // Those that serve it.
  std::vector<Pool*> pools;
  int running = 0;
};

// Slots that serve the same functions.
struct StreamInvoker::Pool {
  std::string session;
  // Key in Session::pools.
  std::string signature;
  std::vector<std::shared_ptr<Function>> functions;
  int slot_count = 0;
  absl::btree_set<SlotId> free;
  // Number of the oldest request of each function that has one.
  absl::btree_set<std::pair<int64_t, Function*>> waiting;
};

struct StreamInvoker::Slot {
  SlotId id;
  std::shared_ptr<Pool> pool;
  std::shared_ptr<WorkerSlot> worker;
  // 0: free.
  int64_t lease = 0;
  bool running = false;
  // While leased.
  std::shared_ptr<Function> function;
  // While running; nullptr when nobody listens any more.
  InvocationLease::Ended ended;
  std::string request_id;
};

struct StreamInvoker::Session {
  absl::flat_hash_map<std::string, std::shared_ptr<Function>> functions;
  // Those that new slots may join.
  absl::flat_hash_map<std::string, std::shared_ptr<Pool>> pools;
  absl::flat_hash_set<SlotId> slots;
};

class StreamInvoker::Lease final : public InvocationLease {
 public:
  Lease(StreamInvoker& invoker, SlotId slot, int64_t number)
      : invoker_(invoker), slot_(slot), number_(number) {}

  ~Lease() override {
    if (started_) {
      invoker_.AbandonInvocation(slot_, number_);
    } else {
      invoker_.ReturnLease(slot_);
    }
  }

  void Start(v1::ServeResponse::Invocation invocation, Ended ended) override {
    started_ = true;
    invoker_.StartLease(slot_, std::move(invocation), std::move(ended));
  }

  void Abort(v1::ServeResponse::Abort::Reason reason) override {
    invoker_.AbortLease(slot_, number_, reason);
  }

 private:
  StreamInvoker& invoker_;
  const SlotId slot_;
  const int64_t number_;
  bool started_ = false;
};

StreamInvoker::StreamInvoker() = default;
StreamInvoker::~StreamInvoker() = default;

void StreamInvoker::Acquire(const FunctionKey& key, Ready ready) {
  std::vector<Delivery> deliveries;
  {
    absl::MutexLock lock(&mutex_);
    const std::shared_ptr<Function>& function = FindOrAddFunction(key);
    const auto free_pool = std::find_if(function->pools.begin(), function->pools.end(),
                                        [](const Pool* pool) { return !pool->free.empty(); });
    if (free_pool == function->pools.end()) {
      const int64_t number = ++last_request_;
      if (function->queue.empty()) {
        for (Pool* pool : function->pools) pool->waiting.emplace(number, function.get());
      }
      function->queue.push_back({number, std::move(ready)});
      return;
    }
    Slot& slot = *slots_[*(*free_pool)->free.begin()];
    (*free_pool)->free.erase(slot.id);
    deliveries.push_back({std::move(ready), LeaseSlot(slot, function)});
  }
  Deliver(std::move(deliveries));
}

bool StreamInvoker::HasPlace(const FunctionKey& key) {
  absl::MutexLock lock(&mutex_);
  const Function* function = FindFunction(key);
  return function != nullptr && !function->pools.empty();
}

bool StreamInvoker::HasFreePlace(const FunctionKey& key) {
  absl::MutexLock lock(&mutex_);
  const Function* function = FindFunction(key);
  return function != nullptr && std::any_of(function->pools.begin(), function->pools.end(),
                                            [](const Pool* pool) { return !pool->free.empty(); });
}

std::vector<Invoker::ServedFunction> StreamInvoker::ServedFunctions() {
  absl::MutexLock lock(&mutex_);
  std::vector<ServedFunction> served;
  for (const auto& [session_name, session] : sessions_) {
    for (const auto& [name, function] : session->functions) {
      if (function->pools.empty()) continue;
      ServedFunction& entry = served.emplace_back();
      entry.function = {session_name, name};
      for (const Pool* pool : function->pools) entry.free += static_cast<int>(pool->free.size());
    }
  }
  return served;
}

void StreamInvoker::SetFreedListener(absl::AnyInvocable<void()> freed) {
  freed_ = std::move(freed);
}

StreamInvoker::SlotId StreamInvoker::AddSlot(absl::string_view session_name,
                                             const std::vector<std::string>& function_names,
                                             std::shared_ptr<WorkerSlot> worker) {
  const std::set<std::string> names(function_names.begin(), function_names.end());
  const std::string signature = absl::StrJoin(names, "\n");
  std::vector<Delivery> deliveries;
  SlotId id = 0;
  {
    absl::MutexLock lock(&mutex_);
    std::unique_ptr<Session>& session = sessions_[session_name];
    if (session == nullptr) session = std::make_unique<Session>();
    std::shared_ptr<Pool>& pool = session->pools[signature];
    if (pool == nullptr) {
      pool = std::make_shared<Pool>();
      pool->session = std::string(session_name);
      pool->signature = signature;
      for (const std::string& name : names) {
        const std::shared_ptr<Function>& function = FindOrAddFunction({pool->session, name});
        pool->functions.push_back(function);
        function->pools.push_back(pool.get());
        if (!function->queue.empty()) {
          pool->waiting.emplace(function->queue.front().number, function.get());
        }
      }
    }
    id = ++last_slot_;
    ++pool->slot_count;
    session->slots.insert(id);
    auto slot = std::make_unique<Slot>();
    slot->id = id;
    slot->pool = pool;
    slot->worker = std::move(worker);
    FreeSlot(*slot, deliveries);
    slots_.emplace(id, std::move(slot));
  }
  Deliver(std::move(deliveries));
  return id;
}

void StreamInvoker::EndInvocation(SlotId id, InvocationEnd end) {
  InvocationLease::Ended ended;
  std::vector<Delivery> deliveries;
  {
    absl::MutexLock lock(&mutex_);
    const auto found = slots_.find(id);
    if (found == slots_.end() || !found->second->running) return;
    Slot& slot = *found->second;
    ended = std::move(slot.ended);
    slot.running = false;
    --slot.function->running;
    FreeSlot(slot, deliveries);
  }
  if (ended != nullptr) ended(std::move(end));
  Deliver(std::move(deliveries));
}

void StreamInvoker::RemoveSlot(SlotId id) {
  std::unique_ptr<Slot> slot;
  {
    absl::MutexLock lock(&mutex_);
    const auto found = slots_.find(id);
    if (found == slots_.end()) return;
    slot = std::move(found->second);
    slots_.erase(found);
    if (slot->running) --slot->function->running;

    Pool& pool = *slot->pool;
    pool.free.erase(id);
    const bool last = --pool.slot_count == 0;
    if (last) {
      for (const std::shared_ptr<Function>& function : pool.functions) {
        auto& pools = function->pools;
        pools.erase(std::remove(pools.begin(), pools.end(), &pool), pools.end());
      }
    }
    const auto session = sessions_.find(pool.session);
    if (session != sessions_.end()) {
      session->second->slots.erase(id);
      const auto joinable = session->second->pools.find(pool.signature);
      if (last && joinable != session->second->pools.end() && joinable->second == slot->pool) {
        session->second->pools.erase(joinable);
      }
    }
  }
  if (slot->ended != nullptr) slot->ended(Crashed(slot->function->name, slot->request_id));
}

void StreamInvoker::RemoveFunction(const FunctionKey& key) {
  std::vector<Delivery> deliveries;
  {
    absl::MutexLock lock(&mutex_);
    const auto session = sessions_.find(key.session);
    if (session == sessions_.end()) return;
    const auto found = session->second->functions.find(key.function_name);
    if (found == session->second->functions.end()) return;
    DropFunction(*session->second, *found->second, deliveries);
    session->second->functions.erase(found);
  }
  Deliver(std::move(deliveries));
}

void StreamInvoker::RemoveSession(absl::string_view session_name) {
  std::vector<Delivery> deliveries;
  std::vector<std::shared_ptr<WorkerSlot>> running;
  {
    absl::MutexLock lock(&mutex_);
    const auto found = sessions_.find(session_name);
    if (found == sessions_.end()) return;
    Session& session = *found->second;
    for (const auto& [name, function] : session.functions) {
      DropFunction(session, *function, deliveries);
    }
    for (SlotId id : session.slots) {
      if (slots_[id]->running) running.push_back(slots_[id]->worker);
    }
    sessions_.erase(found);
  }
  for (const auto& worker : running) {
    worker->AbortInvocation(v1::ServeResponse::Abort::SESSION_ENDED);
  }
  Deliver(std::move(deliveries));
}

StreamInvoker::FunctionLoad StreamInvoker::Load(const FunctionKey& key) {
  absl::MutexLock lock(&mutex_);
  FunctionLoad load;
  const Function* function = FindFunction(key);
  if (function == nullptr) return load;
  for (const Pool* pool : function->pools) load.slots += pool->slot_count;
  load.queued = static_cast<int>(function->queue.size());
  load.running = function->running;
  return load;
}

void StreamInvoker::Deliver(std::vector<Delivery> deliveries) {
  // A callback may free a slot, which serves the next request: a loop instead of a recursion as
  // deep as the queue.
  thread_local std::deque<Delivery>* under_way = nullptr;
  std::deque<Delivery> own;
  std::deque<Delivery>& queue = under_way == nullptr ? own : *under_way;
  for (Delivery& delivery : deliveries) queue.push_back(std::move(delivery));
  if (under_way != nullptr) return;
  under_way = &own;
  while (!own.empty()) {
    Delivery delivery = std::move(own.front());
    own.pop_front();
    delivery.ready(std::move(delivery.lease));
  }
  under_way = nullptr;
}

void StreamInvoker::StartLease(SlotId id, v1::ServeResponse::Invocation invocation,
                               InvocationLease::Ended ended) {
  std::shared_ptr<WorkerSlot> worker;
  {
    absl::MutexLock lock(&mutex_);
    const auto found = slots_.find(id);
    if (found != slots_.end()) {
      Slot& slot = *found->second;
      slot.running = true;
      slot.ended = std::move(ended);
      slot.request_id = invocation.request_id();
      ++slot.function->running;
      worker = slot.worker;
    }
  }
  if (worker == nullptr) {
    ended(Crashed(invocation.function_name(), invocation.request_id()));
  } else {
    worker->StartInvocation(std::move(invocation));
  }
}

void StreamInvoker::AbortLease(SlotId id, int64_t lease, v1::ServeResponse::Abort::Reason reason) {
  std::shared_ptr<WorkerSlot> worker;
  {
    absl::MutexLock lock(&mutex_);
    const auto found = slots_.find(id);
    if (found == slots_.end() || found->second->lease != lease || !found->second->running) return;
    worker = found->second->worker;
  }
  worker->AbortInvocation(reason);
}

void StreamInvoker::ReturnLease(SlotId id) {
  std::vector<Delivery> deliveries;
  {
    absl::MutexLock lock(&mutex_);
    const auto found = slots_.find(id);
    if (found == slots_.end()) return;
    FreeSlot(*found->second, deliveries);
  }
  Deliver(std::move(deliveries));
}

void StreamInvoker::AbandonInvocation(SlotId id, int64_t lease) {
  InvocationLease::Ended unheard;  // Destroyed after the lock.
  absl::MutexLock lock(&mutex_);
  const auto found = slots_.find(id);
  if (found != slots_.end() && found->second->lease == lease) {
    unheard = std::move(found->second->ended);
    found->second->ended = nullptr;
  }
}

StreamInvoker::Function* StreamInvoker::FindFunction(const FunctionKey& key) {
  const auto session = sessions_.find(key.session);
  if (session == sessions_.end()) return nullptr;
  const auto found = session->second->functions.find(key.function_name);
  return found == session->second->functions.end() ? nullptr : found->second.get();
}

std::shared_ptr<StreamInvoker::Function>& StreamInvoker::FindOrAddFunction(const FunctionKey& key) {
  std::unique_ptr<Session>& session = sessions_[key.session];
  if (session == nullptr) session = std::make_unique<Session>();
  std::shared_ptr<Function>& function = session->functions[key.function_name];
  if (function == nullptr) {
    function = std::make_shared<Function>();
    function->name = key.function_name;
  }
  return function;
}

std::unique_ptr<InvocationLease> StreamInvoker::LeaseSlot(Slot& slot,
                                                          std::shared_ptr<Function> function) {
  slot.lease = ++last_lease_;
  slot.function = std::move(function);
  return std::make_unique<Lease>(*this, slot.id, slot.lease);
}

void StreamInvoker::FreeSlot(Slot& slot, std::vector<Delivery>& deliveries) {
  slot.lease = 0;
  slot.function = nullptr;
  Pool& pool = *slot.pool;
  if (pool.waiting.empty()) {
    pool.free.insert(slot.id);
    if (freed_ != nullptr) deliveries.push_back({[this](auto) { freed_(); }, nullptr});
    return;
  }
  Function* function = pool.waiting.begin()->second;
  Function::Request request = std::move(function->queue.front());
  function->queue.pop_front();
  for (Pool* serving : function->pools) {
    serving->waiting.erase({request.number, function});
    if (!function->queue.empty()) {
      serving->waiting.emplace(function->queue.front().number, function);
    }
  }
  const auto shared =
      std::find_if(pool.functions.begin(), pool.functions.end(),
                   [function](const auto& candidate) { return candidate.get() == function; });
  deliveries.push_back({std::move(request.ready), LeaseSlot(slot, *shared)});
}

void StreamInvoker::DropFunction(Session& session, Function& function,
                                 std::vector<Delivery>& deliveries) {
  for (Pool* pool : function.pools) {
    if (!function.queue.empty()) pool->waiting.erase({function.queue.front().number, &function});
    auto& functions = pool->functions;
    functions.erase(std::remove_if(functions.begin(), functions.end(),
                                   [&](const auto& other) { return other.get() == &function; }),
                    functions.end());
    // A later slot of the same functions serves this one again: it gets a pool of its own.
    session.pools.erase(pool->signature);
  }
  function.pools.clear();
  for (Function::Request& request : function.queue) {
    deliveries.push_back({std::move(request.ready), errors::FunctionNotFound(function.name)});
  }
  function.queue.clear();
}

}  // namespace rehearse
