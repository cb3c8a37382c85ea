// Shows absl::Mutex to ThreadSanitizer.
//
// Debian's Abseil is not instrumented, so TSan sees neither its locks nor the order they make:
// every guarded field looks like a race. This file, linked into each program under --config=tsan,
// defines the public functions of Mutex, CondVar, Notification and BlockingCounter again; the
// shared libraries call these definitions too. Each tells TSan what happens and forwards to the
// library.
//
// Calls from our own code are reported as mutex operations, so lock-order inversions are found.
// Calls from libraries (gRPC above all) only make a happens-before edge: their lock order is
// theirs.
//
// Built without -fsanitize=thread itself.
#include <dlfcn.h>
#include <sanitizer/tsan_interface.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <typeinfo>

#include "absl/synchronization/blocking_counter.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "absl/time/time.h"

// The bounds of the program's own code, set by the linker.
extern "C" char __executable_start, etext;

// Ignores what libc functions do on behalf of a library that is not instrumented.
extern "C" const char* __tsan_default_options() {
  return "ignore_noninstrumented_modules=1:second_deadlock_stack=1";
}

namespace {

constexpr unsigned kWrite = 0;
constexpr unsigned kRead = __tsan_mutex_read_lock;

// The library's definition of the member function of `Class` whose mangled name ends in `member`.
// typeid gives the rest of that name, Abseil's inline namespace included.
template <typename Class, typename Function>
Function* Next(const char* member, const char* qualifiers = "N") {
  const std::string type = typeid(Class).name();  // "N...E"
  const std::string name = "_Z" + (qualifiers + type.substr(1, type.size() - 2)) + member;
  void* function = dlsym(RTLD_NEXT, name.c_str());
  if (function == nullptr) {
    std::fprintf(stderr, "absl_tsan: no library defines %s\n", name.c_str());
    std::abort();
  }
  return reinterpret_cast<Function*>(function);
}

// The mutexes this thread holds and has reported as locked. An unlock cannot be judged by its
// caller, since a library's destructor may end in a tail call from ours.
class ReportedMutexes {
 public:
  bool full() const { return size_ == mutexes_.size(); }
  void Add(absl::Mutex* mutex) { mutexes_[size_++] = mutex; }

  // Returns whether `mutex` was there.
  bool Remove(absl::Mutex* mutex) {
    const auto end = mutexes_.begin() + size_;
    const auto found = std::find(mutexes_.begin(), end, mutex);
    if (found == end) return false;
    *found = mutexes_[--size_];
    return true;
  }

 private:
  std::array<absl::Mutex*, 64> mutexes_;
  size_t size_ = 0;
};

thread_local ReportedMutexes reported_mutexes;

// How many forwarded lock calls this thread is in: some are made of others, and only the outermost
// is reported.
thread_local int lock_depth = 0;

bool IsOurs(const void* caller) { return caller >= &__executable_start && caller < &etext; }

bool IsReported(const void* caller) { return IsOurs(caller) && !reported_mutexes.full(); }

// Runs `lock`, which returns with `mutex` locked.
template <typename Lock>
auto Locking(absl::Mutex* mutex, const void* caller, unsigned flags, Lock lock) {
  struct Depth {
    Depth() { ++lock_depth; }
    ~Depth() { --lock_depth; }
  } depth;
  if (lock_depth > 1) return lock();
  struct Report {
    absl::Mutex* mutex;
    unsigned flags;
    bool reported;
    ~Report() {
      if (reported) {
        __tsan_mutex_post_lock(mutex, flags, 0);
        reported_mutexes.Add(mutex);
      } else {
        __tsan_acquire(mutex);
      }
    }
  } report{mutex, flags, IsReported(caller)};
  if (report.reported) __tsan_mutex_pre_lock(mutex, flags);
  return lock();
}

template <typename TryLock>
bool TryLocking(absl::Mutex* mutex, const void* caller, unsigned flags, TryLock try_lock) {
  flags |= __tsan_mutex_try_lock;
  const bool reported = IsReported(caller);
  if (reported) __tsan_mutex_pre_lock(mutex, flags);
  const bool locked = try_lock();
  if (reported) {
    __tsan_mutex_post_lock(mutex, locked ? flags : flags | __tsan_mutex_try_lock_failed, 0);
    if (locked) reported_mutexes.Add(mutex);
  } else if (locked) {
    __tsan_acquire(mutex);
  }
  return locked;
}

template <typename Unlock>
void Unlocking(absl::Mutex* mutex, unsigned flags, Unlock unlock) {
  const bool reported = reported_mutexes.Remove(mutex);
  if (reported) {
    __tsan_mutex_pre_unlock(mutex, flags);
  } else {
    __tsan_release(mutex);
  }
  unlock();
  if (reported) __tsan_mutex_post_unlock(mutex, flags);
}

// Runs `wait`, which unlocks `mutex` and returns with it locked again. Whether the mutex is held
// for reading is not known here; TSan does not mind.
template <typename Wait>
auto Waiting(absl::Mutex* mutex, const void* caller, Wait wait) {
  if (lock_depth == 0) Unlocking(mutex, kWrite, [] {});
  return Locking(mutex, caller, kWrite, wait);
}

// Debian's Abseil is built without NDEBUG, which turns its own deadlock detector on. TSan has one.
const bool detector_is_off = [] {
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  return true;
}();

}  // namespace

namespace absl {
ABSL_NAMESPACE_BEGIN

Mutex::~Mutex() {
  static auto* const next = Next<Mutex, void(Mutex*)>("D1Ev");
  next(this);
  if (IsOurs(__builtin_return_address(0))) __tsan_mutex_destroy(this, __tsan_mutex_not_static);
}

void Mutex::Lock() {
  static auto* const next = Next<Mutex, void(Mutex*)>("4LockEv");
  Locking(this, __builtin_return_address(0), kWrite, [&] { next(this); });
}

void Mutex::ReaderLock() {
  static auto* const next = Next<Mutex, void(Mutex*)>("10ReaderLockEv");
  Locking(this, __builtin_return_address(0), kRead, [&] { next(this); });
}

bool Mutex::TryLock() {
  static auto* const next = Next<Mutex, bool(Mutex*)>("7TryLockEv");
  return TryLocking(this, __builtin_return_address(0), kWrite, [&] { return next(this); });
}

bool Mutex::ReaderTryLock() {
  static auto* const next = Next<Mutex, bool(Mutex*)>("13ReaderTryLockEv");
  return TryLocking(this, __builtin_return_address(0), kRead, [&] { return next(this); });
}

void Mutex::Unlock() {
  static auto* const next = Next<Mutex, void(Mutex*)>("6UnlockEv");
  Unlocking(this, kWrite, [&] { next(this); });
}

void Mutex::ReaderUnlock() {
  static auto* const next = Next<Mutex, void(Mutex*)>("12ReaderUnlockEv");
  Unlocking(this, kRead, [&] { next(this); });
}

void Mutex::LockWhen(const Condition& condition) {
  static auto* const next =
      Next<Mutex, void(Mutex*, const Condition&)>("8LockWhenERKNS0_9ConditionE");
  Locking(this, __builtin_return_address(0), kWrite, [&] { next(this, condition); });
}

bool Mutex::LockWhenWithTimeout(const Condition& condition, Duration timeout) {
  static auto* const next = Next<Mutex, bool(Mutex*, const Condition&, Duration)>(
      "19LockWhenWithTimeoutERKNS0_9ConditionENS0_8DurationE");
  return Locking(this, __builtin_return_address(0), kWrite,
                 [&] { return next(this, condition, timeout); });
}

bool Mutex::LockWhenWithDeadline(const Condition& condition, Time deadline) {
  static auto* const next = Next<Mutex, bool(Mutex*, const Condition&, Time)>(
      "20LockWhenWithDeadlineERKNS0_9ConditionENS0_4TimeE");
  return Locking(this, __builtin_return_address(0), kWrite,
                 [&] { return next(this, condition, deadline); });
}

void Mutex::ReaderLockWhen(const Condition& condition) {
  static auto* const next =
      Next<Mutex, void(Mutex*, const Condition&)>("14ReaderLockWhenERKNS0_9ConditionE");
  Locking(this, __builtin_return_address(0), kRead, [&] { next(this, condition); });
}

bool Mutex::ReaderLockWhenWithTimeout(const Condition& condition, Duration timeout) {
  static auto* const next = Next<Mutex, bool(Mutex*, const Condition&, Duration)>(
      "25ReaderLockWhenWithTimeoutERKNS0_9ConditionENS0_8DurationE");
  return Locking(this, __builtin_return_address(0), kRead,
                 [&] { return next(this, condition, timeout); });
}

bool Mutex::ReaderLockWhenWithDeadline(const Condition& condition, Time deadline) {
  static auto* const next = Next<Mutex, bool(Mutex*, const Condition&, Time)>(
      "26ReaderLockWhenWithDeadlineERKNS0_9ConditionENS0_4TimeE");
  return Locking(this, __builtin_return_address(0), kRead,
                 [&] { return next(this, condition, deadline); });
}

void Mutex::Await(const Condition& condition) {
  static auto* const next = Next<Mutex, void(Mutex*, const Condition&)>("5AwaitERKNS0_9ConditionE");
  Waiting(this, __builtin_return_address(0), [&] { next(this, condition); });
}

bool Mutex::AwaitWithTimeout(const Condition& condition, Duration timeout) {
  static auto* const next = Next<Mutex, bool(Mutex*, const Condition&, Duration)>(
      "16AwaitWithTimeoutERKNS0_9ConditionENS0_8DurationE");
  return Waiting(this, __builtin_return_address(0), [&] { return next(this, condition, timeout); });
}

bool Mutex::AwaitWithDeadline(const Condition& condition, Time deadline) {
  static auto* const next = Next<Mutex, bool(Mutex*, const Condition&, Time)>(
      "17AwaitWithDeadlineERKNS0_9ConditionENS0_4TimeE");
  return Waiting(this, __builtin_return_address(0),
                 [&] { return next(this, condition, deadline); });
}

void CondVar::Wait(Mutex* mutex) {
  static auto* const next = Next<CondVar, void(CondVar*, Mutex*)>("4WaitEPNS0_5MutexE");
  Waiting(mutex, __builtin_return_address(0), [&] { next(this, mutex); });
}

bool CondVar::WaitWithTimeout(Mutex* mutex, Duration timeout) {
  static auto* const next = Next<CondVar, bool(CondVar*, Mutex*, Duration)>(
      "15WaitWithTimeoutEPNS0_5MutexENS0_8DurationE");
  return Waiting(mutex, __builtin_return_address(0), [&] { return next(this, mutex, timeout); });
}

bool CondVar::WaitWithDeadline(Mutex* mutex, Time deadline) {
  static auto* const next =
      Next<CondVar, bool(CondVar*, Mutex*, Time)>("16WaitWithDeadlineEPNS0_5MutexENS0_4TimeE");
  return Waiting(mutex, __builtin_return_address(0), [&] { return next(this, mutex, deadline); });
}

// Notification and BlockingCounter publish through atomics that only the library touches, except
// that HasBeenNotified() reads the flag inline.

void Notification::Notify() {
  static auto* const next = Next<Notification, void(Notification*)>("6NotifyEv");
  __tsan_release(&notified_yet_);
  next(this);
}

void Notification::WaitForNotification() const {
  static auto* const next =
      Next<Notification, void(const Notification*)>("19WaitForNotificationEv", "NK");
  next(this);
  __tsan_acquire(const_cast<std::atomic<bool>*>(&notified_yet_));
}

bool Notification::WaitForNotificationWithTimeout(Duration timeout) const {
  static auto* const next = Next<Notification, bool(const Notification*, Duration)>(
      "30WaitForNotificationWithTimeoutENS0_8DurationE", "NK");
  const bool notified = next(this, timeout);
  if (notified) __tsan_acquire(const_cast<std::atomic<bool>*>(&notified_yet_));
  return notified;
}

bool Notification::WaitForNotificationWithDeadline(Time deadline) const {
  static auto* const next = Next<Notification, bool(const Notification*, Time)>(
      "31WaitForNotificationWithDeadlineENS0_4TimeE", "NK");
  const bool notified = next(this, deadline);
  if (notified) __tsan_acquire(const_cast<std::atomic<bool>*>(&notified_yet_));
  return notified;
}

bool BlockingCounter::DecrementCount() {
  static auto* const next = Next<BlockingCounter, bool(BlockingCounter*)>("14DecrementCountEv");
  __tsan_release(this);
  return next(this);
}

void BlockingCounter::Wait() {
  static auto* const next = Next<BlockingCounter, void(BlockingCounter*)>("4WaitEv");
  next(this);
  __tsan_acquire(this);
}

ABSL_NAMESPACE_END
}  // namespace absl
