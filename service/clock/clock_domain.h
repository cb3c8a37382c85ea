// ClockDomain: the time of one execution tree, and what is due in it.
//
// A domain reads the wall clock through its mode. REAL: wall time. SKIP: wall time plus the jumps
// made so far. MANUAL: stands still until advanced. Timers of two timelines live in it: *time*
// (waits, retries, back-offs) and *deadline time* (callback, heartbeat and execution deadlines,
// retention), which a jump carries along unspent unless the domain skips deadlines.
//
// Timers are hints: nothing is ever disarmed. The owner says which timers are still live, and stale
// ones are dropped where they are met, or swept out when they could be the majority. Not
// thread-safe: the lane of the tree owns it.
//
//   ClockDomain domain({ClockMode::kSkip, /*skip_deadlines=*/false}, scheduler.Now());
//   domain.Arm({Timer::Kind::kWait, due, execution, operation});
//   if (tree_is_idle) domain.JumpToNext(scheduler.Now(), is_live);
//   while (absl::optional<Timer> timer = domain.PopDue(scheduler.Now(), is_live)) Fire(*timer);
#ifndef REHEARSE_SERVICE_CLOCK_CLOCK_DOMAIN_H_
#define REHEARSE_SERVICE_CLOCK_CLOCK_DOMAIN_H_

#include <cstdint>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "service/base/moment.h"

namespace rehearse {

enum class ClockMode { kReal, kSkip, kManual };

struct ClockConfig {
  ClockMode mode = ClockMode::kReal;
  // kSkip only: deadlines take part in jumps. Retention never does.
  bool skip_deadlines = false;
};

// What a clock has come to, apart from its timers; it never runs backwards.
struct ClockState {
  // REAL, SKIP: how far time is ahead of the wall clock, and the part of it that deadlines were
  // carried along.
  absl::Duration offset = absl::ZeroDuration();
  absl::Duration skipped = absl::ZeroDuration();
  // MANUAL: where time stands.
  absl::Time frozen = absl::InfinitePast();
};

struct Timer {
  // In the order in which timers of equal due time fire.
  enum class Kind {
    kWait,
    kRetry,
    kBackoff,
    // A worker has nothing to do until then.
    kIdle,
    kCallbackTimeout,
    kCallbackHeartbeat,
    kExecutionTimeout,
    kRetention,
  };
  Kind kind;
  // In the timeline of the kind.
  absl::Time due;
  // The owner's handles; not interpreted here.
  int64_t execution = 0;
  int64_t operation = 0;
};

class ClockDomain {
 public:
  using IsLive = absl::FunctionRef<bool(const Timer&)>;

  ClockDomain(ClockConfig config, absl::Time wall_now);

  Moment Read(absl::Time wall_now) const;

  ClockState state() const;
  // Moves on to a state of the past; does nothing when the clock is further on. Before any timer is
  // armed.
  void Restore(const ClockState& state);

  void Arm(const Timer& timer);

  // Removes and returns the first live timer that is due, in order of due time, kind, arming.
  // nullopt: none.
  absl::optional<Timer> PopDue(absl::Time wall_now, IsLive is_live);

  // SKIP: moves time to the first live timer that takes part in jumps; one that is due already
  // counts. Returns false, and moves nothing, when there is none or in the other modes.
  bool JumpToNext(absl::Time wall_now, IsLive is_live);

  // Moves time forward by the distance to the first live timer, deadlines and retention included,
  // but at most by `limit`, which is not negative; returns the distance moved. Both timelines move:
  // this is what AdvanceTime spends.
  absl::Duration AdvanceTowardsNext(absl::Time wall_now, absl::Duration limit, IsLive is_live);
  // Distance to the first live timer of either timeline, retention left out; nullopt: there is
  // none. Looks at all timers.
  absl::optional<absl::Duration> UntilNext(absl::Time wall_now, IsLive is_live);

  // Wall moment at which the first live timer falls due without a jump. nullopt: never (MANUAL, or
  // no timer).
  absl::optional<absl::Time> NextWake(IsLive is_live);

  // How far `due`, in the timeline of `kind`, is from now; negative when past.
  absl::Duration TimeLeft(Timer::Kind kind, absl::Time due, absl::Time wall_now) const;

 private:
  struct Entry {
    Timer timer;
    // In the timeline of the heap that holds the entry.
    absl::Time due;
    int64_t sequence;
  };
  // A binary heap, first due on top.
  using Heap = std::vector<Entry>;

  static bool FiresLater(const Entry& a, const Entry& b);
  static void PopTop(Heap& heap);
  static void DropStaleTop(Heap& heap, IsLive is_live);

  bool TakesPartInJumps(Timer::Kind kind) const;
  absl::Time Time(absl::Time wall_now) const;
  void Advance(absl::Duration distance);
  // The heap whose live top falls due first; nullptr when both are empty. Drops stale tops.
  Heap* FirstHeap(IsLive is_live);
  // When an entry of `heap` falls due, in time.
  absl::Time DueInTime(const Heap& heap, const Entry& entry) const;
  void SweepStale(IsLive is_live);

  // Timers that jumps go to; their timeline is time.
  Heap jumping_;
  // Timers that jumps carry along unspent; their timeline is time - skipped_.
  Heap carried_;
  ClockConfig config_;
  // Stale timers are swept out when there are more timers than this, so that live ones are never
  // far outnumbered.
  uint32_t sweep_above_ = kSweepMinimum;
  // REAL, SKIP: time = wall + offset_. MANUAL: time = frozen_.
  absl::Duration offset_ = absl::ZeroDuration();
  absl::Time frozen_;
  // Sum of all jumps.
  absl::Duration skipped_ = absl::ZeroDuration();
  int64_t next_sequence_ = 0;
  // Whether frozen_ comes from a state of the past.
  bool restored_ = false;

  static constexpr uint32_t kSweepMinimum = 64;
};

}  // namespace rehearse

#endif  // REHEARSE_SERVICE_CLOCK_CLOCK_DOMAIN_H_
