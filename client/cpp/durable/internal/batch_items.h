// Where Parallel and Map meet the engine: the bodies of a batch and its result, of types that only
// the derived class knows.
//
//   internal::TypedBatch<int> batch(items.size(), options, name_of, body);
//   absl::Status status = RunBatch(name, kind, options, batch);
//   return internal::ToResult<absl::StatusOr<BatchResult<int>>>(std::move(status), batch.result());
#ifndef REHEARSE_CLIENT_CPP_DURABLE_INTERNAL_BATCH_ITEMS_H_
#define REHEARSE_CLIENT_CPP_DURABLE_INTERNAL_BATCH_ITEMS_H_

#include <string>
#include <type_traits>
#include <typeinfo>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "client/cpp/durable/batch_options.h"
#include "client/cpp/durable/batch_result.h"
#include "client/cpp/durable/internal/result_slot.h"
#include "client/cpp/durable/serdes.h"

namespace durable {
namespace internal {

// What Parallel and Map differ in.
struct BatchKind {
  // For messages.
  absl::string_view what;
  absl::string_view sub_type;
  absl::string_view branch_sub_type;
  // What stands before a branch's index in its default name.
  absl::string_view name_prefix;
  // Of the record of a large result.
  absl::string_view summary_type;
};

// What became of a branch that was started.
struct ItemOutcome {
  ItemStatus status = ItemStatus::kStarted;
  absl::Status error;
};

// Branches may run at the same time; everything else is for one thread.
class BatchItems {
 public:
  virtual int size() const = 0;
  virtual const std::type_info& item_type() const = 0;
  // nullopt: the branch was given none.
  virtual absl::optional<std::string> NameOf(int index) const = 0;
  // Runs the body and keeps its value in slot(index). What it throws passes.
  virtual absl::Status Run(int index, DurableContext& context) = 0;
  virtual ResultSlot& slot(int index) = 0;

  // Makes the result of `outcomes`, one for each branch from the first on, and of the values in the
  // slots of those that have succeeded, which are moved from.
  virtual void Assemble(const std::vector<ItemOutcome>& outcomes, CompletionReason reason) = 0;
  virtual ResultSlot& result() = 0;
  // What the result lists: indexes and statuses.
  virtual std::vector<std::pair<int, ItemStatus>> Listed() const = 0;
  virtual ItemStatus status() const = 0;

 protected:
  ~BatchItems() = default;
};

template <typename T>
class TypedBatch final : public BatchItems {
 public:
  using Body = absl::FunctionRef<absl::Status(int index, DurableContext&, TypedSlot<T>&)>;
  using Namer = absl::FunctionRef<absl::optional<std::string>(int index)>;

  // All arguments outlive the batch.
  TypedBatch(size_t size, const BatchOptions& options, Namer name_of, Body body)
      : name_of_(name_of), body_(body), result_(options.serdes()) {
    slots_.reserve(size);
    for (size_t i = 0; i < size; ++i) slots_.emplace_back(options.item_serdes());
  }

  const std::type_info& item_type() const override { return typeid(T); }
  int size() const override { return static_cast<int>(slots_.size()); }
  absl::optional<std::string> NameOf(int index) const override { return name_of_(index); }
  absl::Status Run(int index, DurableContext& context) override {
    return body_(index, context, slots_[index]);
  }
  ResultSlot& slot(int index) override { return slots_[index]; }

  void Assemble(const std::vector<ItemOutcome>& outcomes, CompletionReason reason) override {
    std::vector<BatchItem<T>> items;
    items.reserve(outcomes.size());
    for (const ItemOutcome& outcome : outcomes) {
      const int index = static_cast<int>(items.size());
      items.push_back({index, outcome.status, absl::nullopt, outcome.error});
      if (outcome.status == ItemStatus::kSucceeded) items.back().result = slots_[index].Take();
    }
    result_.Set(BatchResult<T>(std::move(items), reason));
  }
  TypedSlot<BatchResult<T>>& result() override { return result_; }
  std::vector<std::pair<int, ItemStatus>> Listed() const override {
    std::vector<std::pair<int, ItemStatus>> listed;
    for (const BatchItem<T>& item : result_.get().items()) {
      listed.emplace_back(item.index, item.status);
    }
    return listed;
  }
  ItemStatus status() const override { return result_.get().status(); }

 private:
  const Namer name_of_;
  const Body body_;
  std::vector<TypedSlot<T>> slots_;
  TypedSlot<BatchResult<T>> result_;
};

// Of the promise-like combinators.
CompletionDecision AnyHasEnded(const BatchProgress& progress);
absl::Status AllBranchesFailed(const absl::Status& first);
absl::Status NoBranches();

// The function of Map with or without an index.
template <typename F, typename T>
decltype(auto) CallForItem(const F& function, DurableContext& context, const T& item, int index) {
  if constexpr (std::is_invocable_v<const F&, DurableContext&, const T&, int>) {
    return function(context, item, index);
  } else {
    static_assert(
        std::is_invocable_v<const F&, DurableContext&, const T&>,
        "Map calls its function, which is const, with (durable::DurableContext&, const T& "
        "item) or with (durable::DurableContext&, const T& item, int index)");
    return function(context, item);
  }
}
template <typename F, typename T>
using MapValueOf = typename BodyResult<
    std::decay_t<decltype(CallForItem(std::declval<const F&>(), std::declval<DurableContext&>(),
                                      std::declval<const T&>(), 0))>>::Value;

}  // namespace internal
}  // namespace durable

#endif  // REHEARSE_CLIENT_CPP_DURABLE_INTERNAL_BATCH_ITEMS_H_
