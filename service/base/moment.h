// Moment: "now" as one execution tree sees it.
#ifndef REHEARSE_SERVICE_BASE_MOMENT_H_
#define REHEARSE_SERVICE_BASE_MOMENT_H_

#include "absl/time/time.h"

namespace rehearse {

// One reading of a tree's clock; it serves a whole change. `time` is what all timestamps show.
// `deadline_time` is the same clock without the jumps of a session that skips time: deadlines that
// somebody outside may still beat are kept in it.
struct Moment {
  absl::Time time;
  absl::Time deadline_time;
};

}  // namespace rehearse

#endif  // REHEARSE_SERVICE_BASE_MOMENT_H_
