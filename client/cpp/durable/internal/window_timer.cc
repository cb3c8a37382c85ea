#include "client/cpp/durable/internal/window_timer.h"

#include <thread>
#include <utility>

#include "absl/time/clock.h"

namespace durable {
namespace internal {

WindowTimer& WindowTimer::Shared() {
  static auto* const timer = new WindowTimer();
  return *timer;
}

WindowTimer::WindowTimer() {
  std::thread([this] { Run(); }).detach();
}

void WindowTimer::Arm(absl::Time due, std::weak_ptr<Target> target) {
  absl::MutexLock lock(&mutex_);
  const auto entry = entries_.emplace(due, std::move(target));
  if (entry == entries_.begin()) earlier_entry_.Signal();
}

void WindowTimer::Run() {
  while (true) {
    const std::shared_ptr<Target> target = NextDue().lock();
    if (target != nullptr) target->OnWindow();
  }
}

std::weak_ptr<WindowTimer::Target> WindowTimer::NextDue() {
  absl::MutexLock lock(&mutex_);
  while (entries_.empty() || entries_.begin()->first > absl::Now()) {
    earlier_entry_.WaitWithDeadline(
        &mutex_, entries_.empty() ? absl::InfiniteFuture() : entries_.begin()->first);
  }
  std::weak_ptr<Target> target = std::move(entries_.begin()->second);
  entries_.erase(entries_.begin());
  return target;
}

}  // namespace internal
}  // namespace durable
