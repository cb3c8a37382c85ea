// DurableContext: what a durable function calls to do work that survives crashes, waits and
// restarts. The function runs from its first line in every invocation; operations that are already
// recorded return their record instead of running, and one that has to wait unwinds the function
// until the service invokes it again.
//
//   absl::StatusOr<std::string> Greet(durable::DurableContext& ctx, const std::string& name) {
//     DURABLE_ASSIGN_OR_RETURN(std::string greeting,
//         ctx.Step("greet", [&](durable::StepContext&) { return absl::StrCat("Hello, ", name); }));
//     DURABLE_RETURN_IF_ERROR(ctx.Wait("pause", absl::Hours(24)));
//     return greeting;
//   }
//
// Rules. Code between operations is deterministic: the same operations, in the same order, with the
// same names. Side effects belong into steps. A context is used on the thread and in the body that
// it was handed to, never inside a step, in a destructor that may run during unwinding, or below a
// noexcept function. A `catch (...)` around operations begins with DURABLE_RETHROW_IF_UNWINDING. Do
// not hold a lock across an operation.
//
// Names are 1 to 256 printable ASCII characters; "" leaves an operation unnamed. A refused argument
// returns an error of kind kValidation and records nothing. Bodies may return T, absl::StatusOr<T>,
// absl::Status or void, and may throw.
#ifndef REHEARSE_CLIENT_CPP_DURABLE_DURABLE_CONTEXT_H_
#define REHEARSE_CLIENT_CPP_DURABLE_DURABLE_CONTEXT_H_

#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "client/cpp/durable/batch_options.h"
#include "client/cpp/durable/batch_result.h"
#include "client/cpp/durable/callback.h"
#include "client/cpp/durable/internal/batch_items.h"
#include "client/cpp/durable/internal/result_slot.h"
#include "client/cpp/durable/logger.h"
#include "client/cpp/durable/options.h"
#include "client/cpp/durable/wait_strategy.h"

namespace durable {

namespace internal {
class Context;
}  // namespace internal

class DurableContext;

// What the body of a step is given.
class StepContext {
 public:
  StepContext(const internal::Context& context, int attempt, Logger logger)
      : context_(context), attempt_(attempt), logger_(std::move(logger)) {}
  StepContext(const StepContext&) = delete;
  StepContext& operator=(const StepContext&) = delete;

  // 1 for the first attempt.
  int attempt() const { return attempt_; }
  const Logger& logger() const { return logger_; }
  // True once nobody will use the result, so that a long body can stop. May be called from any
  // thread.
  bool abandoned() const;

 private:
  const internal::Context& context_;
  const int attempt_;
  const Logger logger_;
};

// What the check of WaitForCondition is given. Each check counts as an attempt.
using CheckContext = StepContext;

namespace internal {

using StepBody = absl::FunctionRef<absl::Status(StepContext&)>;
using ChildBody = absl::FunctionRef<absl::Status(DurableContext&)>;
using Submitter = absl::FunctionRef<absl::Status(absl::string_view callback_id, StepContext&)>;
using RetriedBody = absl::FunctionRef<absl::Status(DurableContext&, int attempt)>;
using PayloadWriter = absl::FunctionRef<absl::StatusOr<std::string>(const SerdesContext&)>;
using WaitDecider = absl::FunctionRef<absl::StatusOr<WaitDecision>(int attempt)>;

}  // namespace internal

class DurableContext {
 public:
  explicit DurableContext(internal::Context& context) : context_(context) {}
  DurableContext(const DurableContext&) = delete;
  DurableContext& operator=(const DurableContext&) = delete;

  // Runs `body`, R(StepContext&), and records its result; failures are retried as the options say.
  // The body runs at least once per attempt, or at most once with kAtMostOncePerRetry. Errors:
  // kStep, kSerdes.
  template <typename F>
  internal::ResultOf<F, StepContext&> Step(absl::string_view name, F&& body,
                                           const StepOptions& options = {}) {
    internal::TypedSlot<internal::ValueOf<F, StepContext&>> slot(options.serdes());
    absl::Status status = RunStep(
        name, options, [&](StepContext& step) { return slot.Capture(body, step); }, slot);
    return internal::ToResult<internal::ResultOf<F, StepContext&>>(std::move(status), slot);
  }

  // Suspends the execution for `duration`: 1 s to 366 days, rounded up to whole seconds.
  absl::Status Wait(absl::string_view name, absl::Duration duration);

  // Creates a callback that somebody outside answers. std::string gets the answer's text as it was
  // sent, any other type is read by its serdes.
  template <typename T = std::string>
  absl::StatusOr<Callback<T>> CreateCallback(absl::string_view name,
                                             const CallbackOptions& options = {}) {
    absl::StatusOr<internal::CallbackHandle> handle = StartCallback(name, options, typeid(T));
    if (!handle.ok()) return std::move(handle).status();
    return Callback<T>(*std::move(handle), options.serdes());
  }

  // Creates a callback, hands its id to `submitter`, R(absl::string_view callback_id,
  // StepContext&), in a step, and suspends until the answer is there. Names have at most 246
  // characters. Errors: kCallbackExternal, kCallbackTimeout, kCallbackSubmitter, kSerdes,
  // kChildContext.
  template <typename T = std::string, typename F>
  absl::StatusOr<T> WaitForCallback(absl::string_view name, F&& submitter,
                                    const CallbackOptions& options = {}) {
    internal::CallbackSlot<T> answer(options.serdes());
    internal::TypedSlot<T> slot(options.serdes());
    absl::Status status = RunWaitForCallback(
        name, options,
        [&](absl::string_view callback_id, StepContext& step) {
          const internal::AnySerdes none;
          internal::TypedSlot<internal::ValueOf<F, absl::string_view, StepContext&>> ignored(none);
          return ignored.Capture(submitter, callback_id, step);
        },
        answer, [&] { slot.Set(answer.Take()); }, slot);
    return internal::ToResult<absl::StatusOr<T>>(std::move(status), slot);
  }

  // Invokes another function and suspends until it has ended. `function` is a name, with a
  // qualifier if need be, or an ARN. Errors: kInvoke, kSerdes.
  template <typename R, typename P>
  absl::StatusOr<R> Invoke(absl::string_view name, absl::string_view function, const P& payload,
                           const InvokeOptions& options = {}) {
    internal::TypedSlot<R> slot(options.result_serdes());
    absl::Status status = RunInvoke(
        name, function, options, typeid(P),
        [&](const SerdesContext& context) -> absl::StatusOr<std::string> {
          const auto* serdes = options.payload_serdes().Get<P>();
          if (serdes != nullptr) return serdes->serialize(payload, context);
          return Serdes<P>::Serialize(payload, context);
        },
        slot);
    return internal::ToResult<absl::StatusOr<R>>(std::move(status), slot);
  }

  // Runs `body`, R(DurableContext&), with a context of its own, whose operations are grouped under
  // one record. Once it has ended, the body does not run again. Errors: kChildContext, kSerdes.
  template <typename F>
  internal::ResultOf<F, DurableContext&> RunInChildContext(absl::string_view name, F&& body,
                                                           const ChildOptions& options = {}) {
    internal::TypedSlot<internal::ValueOf<F, DurableContext&>> slot(options.serdes());
    absl::Status status = RunChild(
        name, options, [&](DurableContext& child) { return slot.Capture(body, child); }, slot);
    return internal::ToResult<internal::ResultOf<F, DurableContext&>>(std::move(status), slot);
  }

  // Runs `body`, R(DurableContext&, int attempt), until it succeeds or `strategy` gives up, in a
  // child context that `options` describe, and waits between the attempts as the strategy says.
  // Unlike those of a step, an attempt is made of operations: none of them runs twice, attempts
  // that have failed are replayed. So what the strategy decides - not how long it waits - has to be
  // the same each time. Null strategy: ExponentialBackoff().Build(). Names have at most 237
  // characters. Errors: kChildContext, kSerdes.
  template <typename F>
  internal::ResultOf<F, DurableContext&, int> WithRetry(absl::string_view name, F&& body,
                                                        const RetryStrategy& strategy = nullptr,
                                                        const ChildOptions& options = {}) {
    internal::TypedSlot<internal::ValueOf<F, DurableContext&, int>> slot(options.serdes());
    absl::Status status = RunWithRetry(
        name, strategy, options,
        [&](DurableContext& child, int attempt) { return slot.Capture(body, child, attempt); },
        slot);
    return internal::ToResult<internal::ResultOf<F, DurableContext&, int>>(std::move(status), slot);
  }

  // Calls `check`, R(const S& state, CheckContext&), with the state that the last check returned
  // - first with `initial_state` - until `strategy` says that the condition is met, and returns
  // the state then. Between checks the execution is suspended. A check that fails is not tried
  // again. Errors: kWaitForCondition, kSerdes.
  template <typename S, typename F>
  absl::StatusOr<S> WaitForCondition(absl::string_view name, S initial_state, F&& check,
                                     const std::common_type_t<WaitStrategy<S>>& strategy,
                                     const ConditionOptions& options = {}) {
    internal::TypedSlot<S> slot(options.serdes());
    slot.Set(std::move(initial_state));
    absl::Status status = RunWaitForCondition(
        name, options,
        [&](CheckContext& context) {
          const S state = slot.Take();
          return slot.Capture(check, state, context);
        },
        [&](int attempt) { return strategy(slot.get(), attempt); }, slot);
    return internal::ToResult<absl::StatusOr<S>>(std::move(status), slot);
  }

  // Runs the branches, each with a context of its own, at the same time as far as the options
  // allow, and returns when the batch is over: when all have ended, or earlier when the options'
  // completion says so. A failed branch does not make this an error; see BatchResult. T is the
  // branches' result type; absl::monostate for none, Json for several.
  //
  // Branches run on threads of their own, so what they share needs a lock. This does not return
  // before all of them have ended: those that are still on their way when the batch is over are
  // unwound at their next operation, and bodies of steps can look at StepContext::abandoned().
  // Errors: kChildContext when the completion predicate or the summary failed, kSerdes.
  template <typename T>
  absl::StatusOr<BatchResult<T>> Parallel(absl::string_view name,
                                          const std::vector<Branch<T>>& branches,
                                          const BatchOptions& options = {}) {
    const auto name_of = [&](int index) { return branches[index].name(); };
    const auto body = [&](int index, DurableContext& context, internal::TypedSlot<T>& slot) {
      return slot.Capture(branches[index].body(), context);
    };
    internal::TypedBatch<T> batch(branches.size(), options, name_of, body);
    absl::Status status = RunBatch(
        name, {"parallel", "Parallel", "ParallelBranch", "parallel-branch-", "ParallelResult"},
        options, batch);
    return internal::ToResult<absl::StatusOr<BatchResult<T>>>(std::move(status), batch.result());
  }

  // Parallel with one branch for each item: `function`, R(DurableContext&, const T& item, int
  // index) or R(DurableContext&, const T& item).
  template <typename T, typename F>
  absl::StatusOr<BatchResult<internal::MapValueOf<F, T>>> Map(absl::string_view name,
                                                              const std::vector<T>& items,
                                                              const F& function,
                                                              const BatchOptions& options = {}) {
    using Value = internal::MapValueOf<F, T>;
    const auto name_of = [](int) { return absl::optional<std::string>(); };
    const auto body = [&](int index, DurableContext& context, internal::TypedSlot<Value>& slot) {
      const auto call = [&] {
        return internal::CallForItem(function, context, items[index], index);
      };
      return slot.Capture(call);
    };
    internal::TypedBatch<Value> batch(items.size(), options, name_of, body);
    absl::Status status =
        RunBatch(name, {"map", "Map", "MapIteration", "map-item-", "MapResult"}, options, batch);
    return internal::ToResult<absl::StatusOr<BatchResult<Value>>>(std::move(status),
                                                                  batch.result());
  }

  // Four ways to wait for several branches, each in a child context `name` with one Parallel in it;
  // what Parallel says about threads holds for them. Errors: kChildContext, kSerdes.
  //
  // All results, in the order of the branches, or the first error.
  template <typename T>
  absl::StatusOr<std::vector<T>> All(absl::string_view name,
                                     const std::vector<Branch<T>>& branches) {
    return Combine<T>(name, branches,
                      BatchOptions().set_completion(CompletionConfig::AllSuccessful()),
                      [](const BatchResult<T>& batch) -> absl::StatusOr<std::vector<T>> {
                        absl::Status error = batch.FirstError();
                        if (!error.ok()) return error;
                        return batch.Results();
                      });
  }
  // What became of each branch.
  template <typename T>
  absl::StatusOr<BatchResult<T>> AllSettled(absl::string_view name,
                                            const std::vector<Branch<T>>& branches) {
    return Combine<T>(name, branches,
                      BatchOptions().set_completion(CompletionConfig::AllCompleted()),
                      [](const BatchResult<T>& batch) { return batch; });
  }
  // The first result. When every branch fails, an error that says how the first of them did. At
  // least one branch.
  template <typename T>
  absl::StatusOr<T> Any(absl::string_view name, const std::vector<Branch<T>>& branches) {
    return Combine<T>(name, branches,
                      BatchOptions().set_completion(CompletionConfig::FirstSuccessful()),
                      [](const BatchResult<T>& batch) -> absl::StatusOr<T> {
                        for (const BatchItem<T>& item : batch.items()) {
                          if (item.result.has_value()) return *item.result;
                        }
                        return internal::AllBranchesFailed(batch.FirstError());
                      });
  }
  // The result or the error of the branch that ends first; of several that have ended when the
  // first is noticed, that with the lowest index. At least one branch.
  template <typename T>
  absl::StatusOr<T> Race(absl::string_view name, const std::vector<Branch<T>>& branches) {
    return Combine<T>(name, branches,
                      BatchOptions().set_completion_predicate(&internal::AnyHasEnded),
                      [](const BatchResult<T>& batch) -> absl::StatusOr<T> {
                        for (const BatchItem<T>& item : batch.items()) {
                          if (item.result.has_value()) return *item.result;
                          if (item.status == ItemStatus::kFailed) return item.error;
                        }
                        return internal::NoBranches();
                      });
  }

  const Logger& logger() const;
  const std::string& durable_execution_arn() const;
  // Empty where the host names no request.
  const std::string& request_id() const;

 private:
  template <typename T, typename F>
  auto Combine(absl::string_view name, const std::vector<Branch<T>>& branches,
               const BatchOptions& options, F choose) {
    using Result = internal::ResultOf<F, const BatchResult<T>&>;
    return RunInChildContext(name, [&](DurableContext& child) -> Result {
      absl::StatusOr<BatchResult<T>> batch = child.Parallel("", branches, options);
      if (!batch.ok()) return std::move(batch).status();
      return choose(*batch);
    });
  }

  absl::Status RunStep(absl::string_view name, const StepOptions& options, internal::StepBody body,
                       internal::ResultSlot& slot);
  absl::StatusOr<internal::CallbackHandle> StartCallback(absl::string_view name,
                                                         const CallbackOptions& options,
                                                         const std::type_info& type);
  absl::Status RunWaitForCallback(absl::string_view name, const CallbackOptions& options,
                                  internal::Submitter submitter, internal::ResultSlot& answer,
                                  absl::FunctionRef<void()> keep_answer,
                                  internal::ResultSlot& slot);
  absl::Status RunInvoke(absl::string_view name, absl::string_view function,
                         const InvokeOptions& options, const std::type_info& payload_type,
                         internal::PayloadWriter write_payload, internal::ResultSlot& slot);
  absl::Status RunChild(absl::string_view name, const ChildOptions& options,
                        internal::ChildBody body, internal::ResultSlot& slot);
  absl::Status RunBatch(absl::string_view name, const internal::BatchKind& kind,
                        const BatchOptions& options, internal::BatchItems& items);
  absl::Status RunWithRetry(absl::string_view name, const RetryStrategy& strategy,
                            const ChildOptions& options, internal::RetriedBody body,
                            internal::ResultSlot& slot);
  absl::Status RunWaitForCondition(absl::string_view name, const ConditionOptions& options,
                                   internal::StepBody check, internal::WaitDecider decide,
                                   internal::ResultSlot& slot);

  internal::Context& context_;
};

}  // namespace durable

#endif  // REHEARSE_CLIENT_CPP_DURABLE_DURABLE_CONTEXT_H_
