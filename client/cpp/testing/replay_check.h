// CheckReplay: does a function, run over the record of a finished run of it, do what it did then?
//
//   absl::Status same = CheckReplay(handler, result);
//   // FAILED_PRECONDITION: replay check: step "charge" would be started, but is not recorded ...
#ifndef REHEARSE_CLIENT_CPP_TESTING_REPLAY_CHECK_H_
#define REHEARSE_CLIENT_CPP_TESTING_REPLAY_CHECK_H_

#include "absl/status/status.h"
#include "client/cpp/durable/handler.h"
#include "client/cpp/testing/run_result.h"

namespace durable::testing::internal {

// OK for a run that neither succeeded nor failed: it did not get to its end. Bodies of recorded
// steps and of closed contexts do not run.
absl::Status CheckReplay(const Handler& handler, const RunResult& result);

}  // namespace durable::testing::internal

#endif  // REHEARSE_CLIENT_CPP_TESTING_REPLAY_CHECK_H_
