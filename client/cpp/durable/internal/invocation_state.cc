#include "client/cpp/durable/internal/invocation_state.h"

#include <utility>

#include "client/cpp/durable/internal/unwind.h"

namespace durable {
namespace internal {
namespace {

CheckpointLimits LimitsOf(const RuntimeOptions& options) {
  CheckpointLimits limits;
  limits.max_updates = options.max_checkpoint_updates;
  limits.max_bytes = options.max_checkpoint_bytes;
  limits.window = options.checkpoint_window;
  limits.state_page_size = options.state_page_size;
  return limits;
}

std::vector<LogField> IdentityFields(const std::string& request_id, const std::string& arn) {
  std::vector<LogField> fields;
  if (!request_id.empty()) fields.push_back({"requestId", request_id});
  fields.push_back({"executionArn", arn});
  return fields;
}

}  // namespace

Invocation::Invocation(const InvocationInput& input, ServiceClient& client,
                       const RuntimeOptions& options)
    : client_(client),
      arn_(input.durable_execution_arn),
      request_id_(input.request_id),
      options_(options),
      diagnostics_(&options.diagnostic_sink, nullptr, IdentityFields(request_id_, arn_)),
      plugins_(store_, diagnostics_),
      queue_(std::make_shared<CheckpointQueue>(
          client, store_, arn_, input.checkpoint_token, LimitsOf(options),
          [this](auto changed) { plugins_.OperationsChanged(std::move(changed)); })) {}

Invocation::~Invocation() { queue_->Stop(); }

bool Invocation::TryTakeBranchThread() {
  const int others = branch_threads_.fetch_add(1, std::memory_order_relaxed);
  if (others < options_.max_branch_threads) return true;
  ReturnBranchThread();
  return false;
}

void Invocation::Fail(FatalError fatal) {
  absl::MutexLock lock(&mutex_);
  if (fatal_.has_value()) return;
  fatal_ = std::move(fatal);
  has_failed_.store(true, std::memory_order_release);
}

void Invocation::FailAndUnwind(FatalError fatal) {
  Fail(std::move(fatal));
  throw Unwind(Unwind::Reason::kFatal);
}

absl::optional<FatalError> Invocation::fatal() const {
  absl::MutexLock lock(&mutex_);
  return fatal_;
}

Logger Invocation::MakeLogger(const std::atomic<bool>& replaying,
                              std::vector<LogField> fields) const {
  std::vector<LogField> all = IdentityFields(request_id_, arn_);
  for (LogField& field : fields) all.push_back(std::move(field));
  return Logger(&options_.log_sink, options_.log_while_replaying ? nullptr : &replaying,
                std::move(all));
}

}  // namespace internal
}  // namespace durable
