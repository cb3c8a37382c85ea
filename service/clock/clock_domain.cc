#include "service/clock/clock_domain.h"

#include <algorithm>
#include <tuple>

namespace rehearse {
namespace {

bool IsDeadline(Timer::Kind kind) { return kind >= Timer::Kind::kCallbackTimeout; }

}  // namespace

ClockDomain::ClockDomain(ClockConfig config, absl::Time wall_now)
    : config_(config), frozen_(wall_now) {}

Moment ClockDomain::Read(absl::Time wall_now) const {
  const absl::Time time = Time(wall_now);
  return {time, config_.skip_deadlines ? time : time - skipped_};
}

ClockState ClockDomain::state() const {
  if (config_.mode == ClockMode::kManual) return {absl::ZeroDuration(), skipped_, frozen_};
  return {offset_, skipped_, absl::InfinitePast()};
}

void ClockDomain::Restore(const ClockState& state) {
  offset_ = std::max(offset_, state.offset);
  skipped_ = std::max(skipped_, state.skipped);
  // A domain that has just been made stands at the wall clock.
  if (state.frozen != absl::InfinitePast()) {
    frozen_ = restored_ ? std::max(frozen_, state.frozen) : state.frozen;
    restored_ = true;
  }
}

void ClockDomain::Arm(const Timer& timer) {
  const bool jumping = TakesPartInJumps(timer.kind);
  // Under skip_deadlines deadline time is time, but retention is carried along all the same.
  const bool shift = !jumping && config_.skip_deadlines;
  Heap& heap = jumping ? jumping_ : carried_;
  heap.push_back({timer, shift ? timer.due - skipped_ : timer.due, next_sequence_++});
  std::push_heap(heap.begin(), heap.end(), FiresLater);
}

absl::optional<Timer> ClockDomain::PopDue(absl::Time wall_now, IsLive is_live) {
  SweepStale(is_live);
  Heap* heap = FirstHeap(is_live);
  if (heap == nullptr || DueInTime(*heap, heap->front()) > Time(wall_now)) return absl::nullopt;
  const Timer timer = heap->front().timer;
  PopTop(*heap);
  return timer;
}

bool ClockDomain::JumpToNext(absl::Time wall_now, IsLive is_live) {
  if (config_.mode != ClockMode::kSkip) return false;
  DropStaleTop(jumping_, is_live);
  if (jumping_.empty()) return false;
  const absl::Duration distance =
      std::max(jumping_.front().due - Time(wall_now), absl::ZeroDuration());
  offset_ += distance;
  skipped_ += distance;
  return true;
}

absl::Duration ClockDomain::AdvanceTowardsNext(absl::Time wall_now, absl::Duration limit,
                                               IsLive is_live) {
  absl::Duration distance = limit;
  if (Heap* heap = FirstHeap(is_live)) {
    const absl::Duration until = DueInTime(*heap, heap->front()) - Time(wall_now);
    distance = std::min(limit, std::max(until, absl::ZeroDuration()));
  }
  Advance(distance);
  return distance;
}

absl::optional<absl::Duration> ClockDomain::UntilNext(absl::Time wall_now, IsLive is_live) {
  absl::optional<absl::Time> first;
  for (const Heap* heap : {&jumping_, &carried_}) {
    for (const Entry& entry : *heap) {
      if (entry.timer.kind == Timer::Kind::kRetention || !is_live(entry.timer)) continue;
      const absl::Time due = DueInTime(*heap, entry);
      if (!first.has_value() || due < *first) first = due;
    }
  }
  if (!first.has_value()) return absl::nullopt;
  return std::max(*first - Time(wall_now), absl::ZeroDuration());
}

absl::optional<absl::Time> ClockDomain::NextWake(IsLive is_live) {
  if (config_.mode == ClockMode::kManual) return absl::nullopt;
  const Heap* heap = FirstHeap(is_live);
  if (heap == nullptr) return absl::nullopt;
  return DueInTime(*heap, heap->front()) - offset_;
}

absl::Duration ClockDomain::TimeLeft(Timer::Kind kind, absl::Time due, absl::Time wall_now) const {
  const Moment now = Read(wall_now);
  return due - (IsDeadline(kind) ? now.deadline_time : now.time);
}

bool ClockDomain::FiresLater(const Entry& a, const Entry& b) {
  return std::tie(a.due, a.timer.kind, a.sequence) > std::tie(b.due, b.timer.kind, b.sequence);
}

void ClockDomain::PopTop(Heap& heap) {
  std::pop_heap(heap.begin(), heap.end(), FiresLater);
  heap.pop_back();
}

void ClockDomain::DropStaleTop(Heap& heap, IsLive is_live) {
  while (!heap.empty() && !is_live(heap.front().timer)) PopTop(heap);
}

bool ClockDomain::TakesPartInJumps(Timer::Kind kind) const {
  if (kind == Timer::Kind::kRetention) return false;
  return !IsDeadline(kind) || config_.skip_deadlines;
}

absl::Time ClockDomain::Time(absl::Time wall_now) const {
  return config_.mode == ClockMode::kManual ? frozen_ : wall_now + offset_;
}

void ClockDomain::Advance(absl::Duration distance) {
  if (config_.mode == ClockMode::kManual) {
    frozen_ += distance;
  } else {
    offset_ += distance;
  }
}

ClockDomain::Heap* ClockDomain::FirstHeap(IsLive is_live) {
  DropStaleTop(jumping_, is_live);
  DropStaleTop(carried_, is_live);
  if (jumping_.empty()) return carried_.empty() ? nullptr : &carried_;
  if (carried_.empty()) return &jumping_;
  Entry carried = carried_.front();
  carried.due = DueInTime(carried_, carried);
  return FiresLater(jumping_.front(), carried) ? &carried_ : &jumping_;
}

absl::Time ClockDomain::DueInTime(const Heap& heap, const Entry& entry) const {
  return &heap == &carried_ ? entry.due + skipped_ : entry.due;
}

void ClockDomain::SweepStale(IsLive is_live) {
  if (jumping_.size() + carried_.size() <= sweep_above_) return;
  const auto is_stale = [is_live](const Entry& entry) { return !is_live(entry.timer); };
  for (Heap* heap : {&jumping_, &carried_}) {
    heap->erase(std::remove_if(heap->begin(), heap->end(), is_stale), heap->end());
    std::make_heap(heap->begin(), heap->end(), FiresLater);
  }
  const size_t live = jumping_.size() + carried_.size();
  sweep_above_ = std::max<uint32_t>(kSweepMinimum, 2 * live);
}

}  // namespace rehearse
