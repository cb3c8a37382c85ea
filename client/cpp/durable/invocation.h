// Runs one invocation of a durable function. Hosts (a worker, a test) call it; it does no I/O
// besides `client`.
//
//   durable::InvocationOutput output =
//       durable::RunInvocation(QuickStart, input, client, durable::RuntimeOptions());
//
// The handler runs on the calling thread, branches of Parallel and Map on threads of a pool that
// the process keeps: it grows to what runs at the same time, and a thread that was not needed for a
// minute ends. None of them works for an invocation that has ended. Checkpoints are sent on the
// threads that need them; those of operations that are still running after the checkpoint window
// are sent by a thread that lives no longer than the invocation.
#ifndef REHEARSE_CLIENT_CPP_DURABLE_INVOCATION_H_
#define REHEARSE_CLIENT_CPP_DURABLE_INVOCATION_H_

#include <cstddef>
#include <functional>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "client/cpp/durable/handler.h"
#include "client/cpp/durable/internal/unwind.h"
#include "client/cpp/durable/logger.h"
#include "client/cpp/durable/operation.h"
#include "client/cpp/durable/plugin.h"
#include "client/cpp/durable/service_client.h"

namespace durable {

struct RuntimeOptions {
  // What user code logs. Default: JSON lines on standard error.
  LogSink log_sink = JsonLinesSink(stderr);
  // What the SDK itself has to say; never filtered by replay. Default: JSON lines on standard
  // error.
  LogSink diagnostic_sink = JsonLinesSink(stderr);
  // Log again what earlier invocations logged.
  bool log_while_replaying = false;
  // How long a START that nobody waits for is held back to join the next checkpoint. Zero sends at
  // once.
  absl::Duration checkpoint_window = absl::Milliseconds(10);
  // What one checkpoint holds at most; the defaults are what the service takes.
  size_t max_checkpoint_updates = 250;
  size_t max_checkpoint_bytes = 750 * 1024;
  // What watches the executions, in the order in which it is told.
  std::vector<PluginFactory> plugins;
  // For code that is built without exceptions: an operation that cannot go on returns a Status for
  // which IsSuspended holds instead of unwinding, and so does every later one. The invocation ends
  // as suspended whatever the function returns then.
  bool suspend_by_status = internal::kSuspendByStatus;
  // Threads that run branches of Parallel and Map at a time, besides the one that runs the handler.
  // Branches that find none wait for one, so a branch must not wait for what another one does in
  // the same invocation. At least 0: then everything runs on the handler's thread, one after the
  // other.
  int max_branch_threads = 256;
  // Operations per page of state asked for: 1 to 1000.
  int state_page_size = 1000;
  // For test tools. Told of every operation that user code calls, as the START that would begin it,
  // before anything is done for it; virtual contexts excepted. An error fails the execution as
  // non-deterministic, with its message. Any thread of the invocation.
  std::function<absl::Status(const OperationUpdate& start)> on_call;
};

// Never throws. On first use it installs a terminate handler that explains suspensions below
// noexcept functions and then calls the previous one.
InvocationOutput RunInvocation(const Handler& handler, InvocationInput input, ServiceClient& client,
                               const RuntimeOptions& options);

}  // namespace durable

#endif  // REHEARSE_CLIENT_CPP_DURABLE_INVOCATION_H_
