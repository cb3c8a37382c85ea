// How single calls to a service are made, for the ServiceClients that make such.
//
//   durable::UnaryOptions options;
//   options.max_attempts = 5;
#ifndef REHEARSE_CLIENT_CPP_DURABLE_UNARY_OPTIONS_H_
#define REHEARSE_CLIENT_CPP_DURABLE_UNARY_OPTIONS_H_

#include <functional>

#include "absl/time/clock.h"
#include "absl/time/time.h"

namespace durable {

struct UnaryOptions {
  // A call that fails for now is made again with the same tokens, so that a lost answer is
  // harmless: at least 1.
  int max_attempts = 3;
  // The pause before the second attempt; it doubles with each further one, up to `max_pause`.
  absl::Duration first_pause = absl::Milliseconds(100);
  absl::Duration max_pause = absl::Seconds(2);
  // Of each attempt.
  absl::Duration deadline = absl::Seconds(50);
  // Blocks for the length of a pause.
  std::function<void(absl::Duration)> sleep = absl::SleepFor;
};

}  // namespace durable

#endif  // REHEARSE_CLIENT_CPP_DURABLE_UNARY_OPTIONS_H_
