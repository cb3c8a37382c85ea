// What Parallel and Map are told: branches, and options as small values with chained setters.
//
//   auto options = durable::BatchOptions()
//                      .set_max_concurrency(4)
//                      .set_completion(durable::CompletionConfig().set_min_successful(3));
//   auto prices = ctx.Parallel<int>("prices", {{"near", AskNear}, {"far", AskFar}}, options);
#ifndef REHEARSE_CLIENT_CPP_DURABLE_BATCH_OPTIONS_H_
#define REHEARSE_CLIENT_CPP_DURABLE_BATCH_OPTIONS_H_

#include <functional>
#include <string>
#include <type_traits>
#include <typeinfo>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "client/cpp/durable/batch_result.h"
#include "client/cpp/durable/serdes.h"

namespace durable {

class DurableContext;

// One branch of Parallel: any copyable callable, R(DurableContext&), where R is T or
// absl::StatusOr<T>; for absl::monostate, absl::Status or void. It may run more than once in an
// invocation, on several threads one after the other, so it leaves its captures as they are.
template <typename T>
class Branch {
 public:
  using Body = std::function<absl::StatusOr<T>(DurableContext&)>;

  // Named "parallel-branch-<index>".
  template <typename F, typename = std::enable_if_t<std::is_invocable_v<F&, DurableContext&>>>
  Branch(F body) : body_(BodyOf(std::move(body))) {}  // NOLINT(google-explicit-constructor)
  template <typename F>
  Branch(absl::string_view name, F body) : name_(name), body_(BodyOf(std::move(body))) {}

  // nullopt when the branch was given none.
  const absl::optional<std::string>& name() const { return name_; }
  const Body& body() const { return body_; }

 private:
  template <typename F>
  static Body BodyOf(F body) {
    using Returned = std::invoke_result_t<F&, DurableContext&>;
    if constexpr (std::is_void_v<Returned>) {
      return [body = std::move(body)](DurableContext& context) mutable -> absl::StatusOr<T> {
        body(context);
        return T();
      };
    } else if constexpr (std::is_same_v<Returned, absl::Status>) {
      return [body = std::move(body)](DurableContext& context) mutable -> absl::StatusOr<T> {
        absl::Status status = body(context);
        if (!status.ok()) return status;
        return T();
      };
    } else {
      return body;
    }
  }

  absl::optional<std::string> name_;
  Body body_;
};

// When a batch is over before all its branches are. No criterion at all means that the first
// failure ends it. With min_successful alone failures do not; with both the tolerance is looked at
// first.
class CompletionConfig {
 public:
  // Every branch has to succeed: the first failure ends the batch.
  static CompletionConfig AllSuccessful() {
    return CompletionConfig().set_tolerated_failures(0).set_tolerated_failure_percentage(0);
  }
  // Every branch runs, whatever the others do.
  static CompletionConfig AllCompleted() {
    return CompletionConfig().set_tolerated_failure_percentage(100);
  }
  // The first success ends the batch.
  static CompletionConfig FirstSuccessful() { return CompletionConfig().set_min_successful(1); }

  // So many successes end the batch: 1 to the number of branches.
  CompletionConfig& set_min_successful(int count) {
    min_successful_ = count;
    return *this;
  }
  // More failures end the batch; at least 0.
  CompletionConfig& set_tolerated_failures(int count) {
    tolerated_failures_ = count;
    return *this;
  }
  // A larger share of all branches ends the batch: 0 to 100.
  CompletionConfig& set_tolerated_failure_percentage(double percentage) {
    tolerated_failure_percentage_ = percentage;
    return *this;
  }

  absl::optional<int> min_successful() const { return min_successful_; }
  absl::optional<int> tolerated_failures() const { return tolerated_failures_; }
  absl::optional<double> tolerated_failure_percentage() const {
    return tolerated_failure_percentage_;
  }

 private:
  absl::optional<int> min_successful_;
  absl::optional<int> tolerated_failures_;
  absl::optional<double> tolerated_failure_percentage_;
};

// How far a batch is.
struct BatchProgress {
  struct Branch {
    std::string name;
    // nullopt: not started. A branch that waits is kStarted.
    absl::optional<ItemStatus> status;
  };

  int succeeded = 0;
  int failed = 0;
  // By index, every branch of the batch.
  std::vector<Branch> branches;

  int completed() const { return succeeded + failed; }
  int total() const { return static_cast<int>(branches.size()); }
};

enum class CompletionDecision { kContinue, kCompleteSucceeded, kCompleteFailed };

// Decides when a batch is over, in place of a CompletionConfig: failures alone do not end it. Asked
// before anything starts and after every change of a branch, on the thread that called Parallel or
// Map. Has to depend on its argument only, and once it says that the batch is over, more progress
// must not change that.
using CompletionPredicate = std::function<CompletionDecision(const BatchProgress& progress)>;

// kNested: every branch has a record of its own. kFlat: branches are virtual contexts, their
// operations are recorded directly below the batch.
enum class Nesting { kNested, kFlat };

class BatchOptions {
 public:
  // Branches that may be on their way at a time, at least 1; one that waits is on its way. Default:
  // no bound. See RuntimeOptions for the number of threads.
  BatchOptions& set_max_concurrency(int max_concurrency) {
    max_concurrency_ = max_concurrency;
    return *this;
  }
  BatchOptions& set_completion(CompletionConfig completion) {
    completion_ = completion;
    return *this;
  }
  // Excludes set_completion.
  BatchOptions& set_completion_predicate(CompletionPredicate predicate) {
    completion_predicate_ = std::move(predicate);
    return *this;
  }
  BatchOptions& set_nesting(Nesting nesting) {
    nesting_ = nesting;
    return *this;
  }
  // How the whole result is recorded. T is the branches' result type; the functions take and return
  // a BatchResult<T>.
  template <typename T, typename Serialize, typename Deserialize>
  BatchOptions& set_serdes(Serialize serialize, Deserialize deserialize) {
    serdes_ = internal::AnySerdes(internal::AnySerdes::Functions<BatchResult<T>>{
        std::move(serialize), std::move(deserialize)});
    return *this;
  }
  // How each branch's result is recorded.
  template <typename T, typename Serialize, typename Deserialize>
  BatchOptions& set_item_serdes(Serialize serialize, Deserialize deserialize) {
    item_serdes_ = internal::AnySerdes(
        internal::AnySerdes::Functions<T>{std::move(serialize), std::move(deserialize)});
    return *this;
  }
  // What is recorded, for people to read, with a result of more than 256 KiB. Such a result itself
  // is put together again from its branches' records.
  template <typename T>
  BatchOptions& set_summary(std::function<std::string(const BatchResult<T>&)> summarize) {
    summary_ = [summarize = std::move(summarize)](const void* value) {
      return summarize(*static_cast<const BatchResult<T>*>(value));
    };
    summary_type_ = &typeid(BatchResult<T>);
    return *this;
  }
  // Names the branches that were given no name, by index and the same in every invocation. Default:
  // "map-item-<index>", "parallel-branch-<index>".
  BatchOptions& set_item_namer(std::function<std::string(int index)> namer) {
    item_namer_ = std::move(namer);
    return *this;
  }

  absl::optional<int> max_concurrency() const { return max_concurrency_; }
  const absl::optional<CompletionConfig>& completion() const { return completion_; }
  const CompletionPredicate& completion_predicate() const { return completion_predicate_; }
  Nesting nesting() const { return nesting_; }
  const internal::AnySerdes& serdes() const { return serdes_; }
  const internal::AnySerdes& item_serdes() const { return item_serdes_; }
  const std::function<std::string(const void*)>& summary() const { return summary_; }
  // Null when no summary is set.
  const std::type_info* summary_type() const { return summary_type_; }
  const std::function<std::string(int)>& item_namer() const { return item_namer_; }

 private:
  absl::optional<int> max_concurrency_;
  absl::optional<CompletionConfig> completion_;
  CompletionPredicate completion_predicate_;
  Nesting nesting_ = Nesting::kNested;
  internal::AnySerdes serdes_;
  internal::AnySerdes item_serdes_;
  std::function<std::string(const void*)> summary_;
  const std::type_info* summary_type_ = nullptr;
  std::function<std::string(int)> item_namer_;
};

}  // namespace durable

#endif  // REHEARSE_CLIENT_CPP_DURABLE_BATCH_OPTIONS_H_
