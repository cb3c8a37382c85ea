// What a checkpoint needs to know of chained targets, and what it leaves to be done once it is
// stored.
#ifndef REHEARSE_SERVICE_CHECKPOINT_EFFECTS_H_
#define REHEARSE_SERVICE_CHECKPOINT_EFFECTS_H_

#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/types/optional.h"
#include "rehearse/v1/operation.pb.h"

namespace rehearse {

// What a chained invoke's function name was resolved to before the checkpoint.
struct ChainedTargetResolution {
  // Set when the target cannot be invoked: the operation is FAILED with it in the checkpoint's own
  // answer.
  absl::optional<v1::ErrorObject> error;
  std::string registered_function_name;
  std::string version;
  bool durable = false;
};

// Keyed by the function name as the update gives it.
using ChainedTargets = absl::flat_hash_map<std::string, ChainedTargetResolution>;

// What must happen after the write. Timers are not among them: they are a function of the
// operations (TimerOf).
struct Effect {
  enum class Kind {
    // Start the target of the chained invoke `operation_id`.
    kStartChainedInvoke,
    // The execution has a terminal status.
    kExecutionClosed,
  };
  Kind kind;
  std::string operation_id;
};

}  // namespace rehearse

#endif  // REHEARSE_SERVICE_CHECKPOINT_EFFECTS_H_
