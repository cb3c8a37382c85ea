// Describe: executions as the faces show them.
//
//   response.mutable_execution() = DescribeExecution(execution, moment, /*include_data=*/true);
//   for (const v1::WaitingFor& reason : WaitingForOf(...)) text += reason.text();
#ifndef REHEARSE_SERVICE_EXECUTOR_DESCRIBE_H_
#define REHEARSE_SERVICE_EXECUTOR_DESCRIBE_H_

#include <string>
#include <vector>

#include "rehearse/v1/execution.pb.h"
#include "service/base/arn.h"
#include "service/base/moment.h"
#include "service/checkpoint/execution.h"
#include "service/store/execution_store.h"

namespace rehearse {

// Everything GetExecution tells. `moment` is absent for an execution that is not live any more.
v1::Execution DescribeExecution(const Location& location, const record::ExecutionRecord& record,
                                const record::ExecutionProgress& progress,
                                const absl::optional<std::string>& input,
                                const absl::optional<Moment>& moment, bool include_data);
v1::Execution DescribeExecution(const Location& location, const Execution& execution,
                                const Moment& moment, bool include_data);
// The members that lists show.
v1::Execution SummarizeExecution(const Location& location, const StoredExecution& execution);

// What the executor knows besides the state.
struct InvocationOutlook {
  bool running = false;
  // An invocation waits for a free place; `has_place`: some worker serves the function.
  bool queued = false;
  bool has_place = false;
  // The session is stepped.
  bool stepped = false;
  // The session skips time: waits end by themselves at once.
  bool skips_deadlines = false;
};

// What an open execution waits for; empty when it is closed.
std::vector<v1::WaitingFor> WaitingForOf(const Execution& execution, const Moment& moment,
                                         const InvocationOutlook& outlook);
// The texts in one line.
std::string WaitingForText(const std::vector<v1::WaitingFor>& reasons);

}  // namespace rehearse

#endif  // REHEARSE_SERVICE_EXECUTOR_DESCRIBE_H_
