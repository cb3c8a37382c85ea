// Where the templates of the public API meet the engine: the type of a body's result, and a slot
// that holds one value of that type and can write and read it without the engine knowing the type.
//
//   internal::TypedSlot<int> slot(options.serdes());
//   absl::Status status = slot.Capture(body, step);              // runs the body, keeps 42
//   absl::StatusOr<std::string> text = Encode(slot, context);    // "42"
#ifndef REHEARSE_CLIENT_CPP_DURABLE_INTERNAL_RESULT_SLOT_H_
#define REHEARSE_CLIENT_CPP_DURABLE_INTERNAL_RESULT_SLOT_H_

#include <string>
#include <type_traits>
#include <typeinfo>
#include <utility>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "absl/types/variant.h"
#include "client/cpp/durable/serdes.h"

namespace durable {
namespace internal {

// Maps what a body returns to the value it produces and to what its operation returns:
//   void, absl::Status -> absl::monostate, absl::Status
//   T, absl::StatusOr<T> -> T, absl::StatusOr<T>
template <typename Returned>
struct BodyResult {
  using Value = Returned;
  using Operation = absl::StatusOr<Returned>;
};
template <>
struct BodyResult<void> {
  using Value = absl::monostate;
  using Operation = absl::Status;
};
template <>
struct BodyResult<absl::Status> : BodyResult<void> {};
template <typename T>
struct BodyResult<absl::StatusOr<T>> : BodyResult<T> {};

// What F, called with Args, does.
template <typename F, typename... Args>
struct CalledBody {
  static_assert(std::is_invocable_v<F&, Args...>,
                "this function is called with other arguments: a step's body with "
                "(durable::StepContext&), a child context's with (durable::DurableContext&), a "
                "durable function with (durable::DurableContext&, const In&)");
  using Result = BodyResult<std::decay_t<std::invoke_result_t<F&, Args...>>>;
};

template <typename F, typename... Args>
using ValueOf = typename CalledBody<F, Args...>::Result::Value;
template <typename F, typename... Args>
using ResultOf = typename CalledBody<F, Args...>::Result::Operation;

// One value of a type that only the derived class knows.
class ResultSlot {
 public:
  virtual const std::type_info& type() const = 0;
  // The value held. Requires one.
  virtual const void* value() const = 0;
  // Requires a value. May throw what the user's serdes throws.
  virtual absl::StatusOr<std::string> Serialize(const SerdesContext& context) const = 0;
  // Replaces the value; nullopt is an absent payload. May throw what the user's serdes throws.
  virtual absl::Status Deserialize(absl::optional<absl::string_view> text,
                                   const SerdesContext& context) = 0;

 protected:
  ~ResultSlot() = default;
};

template <typename T>
class TypedSlot : public ResultSlot {
  static_assert(!std::is_pointer_v<T> && !std::is_same_v<T, absl::string_view> &&
                    !std::is_same_v<T, std::string_view>,
                "a recorded value owns its data: std::string in place of const char* or a view");

 public:
  // `serdes` outlives the slot.
  explicit TypedSlot(const AnySerdes& serdes) : serdes_(serdes.Get<T>()) {}

  // Calls the body and keeps its value; returns its error. What it throws passes.
  template <typename F, typename... Args>
  absl::Status Capture(F& body, Args&&... args) {
    using Returned = std::decay_t<std::invoke_result_t<F&, Args...>>;
    if constexpr (std::is_void_v<Returned>) {
      body(std::forward<Args>(args)...);
      value_.emplace();
    } else if constexpr (std::is_same_v<Returned, absl::Status>) {
      absl::Status status = body(std::forward<Args>(args)...);
      if (!status.ok()) return status;
      value_.emplace();
    } else if constexpr (std::is_same_v<typename BodyResult<Returned>::Operation, Returned>) {
      Returned result = body(std::forward<Args>(args)...);
      if (!result.ok()) return std::move(result).status();
      value_ = *std::move(result);
    } else {
      value_.emplace(body(std::forward<Args>(args)...));
    }
    return absl::OkStatus();
  }

  // Requires a value.
  T Take() { return *std::move(value_); }
  void Set(T value) { value_ = std::move(value); }
  const T& get() const { return *value_; }

  const std::type_info& type() const override { return typeid(T); }
  const void* value() const override { return &*value_; }

  absl::StatusOr<std::string> Serialize(const SerdesContext& context) const override {
    if (serdes_ != nullptr) return serdes_->serialize(*value_, context);
    return Serdes<T>::Serialize(*value_, context);
  }

  absl::Status Deserialize(absl::optional<absl::string_view> text,
                           const SerdesContext& context) override {
    absl::StatusOr<T> value = !text.has_value()    ? NoValue<T>()
                              : serdes_ != nullptr ? serdes_->deserialize(*text, context)
                                                   : ReadDefault(*text, context);
    if (!value.ok()) return std::move(value).status();
    value_ = *std::move(value);
    return absl::OkStatus();
  }

 private:
  virtual absl::StatusOr<T> ReadDefault(absl::string_view text,
                                        const SerdesContext& context) const {
    return Serdes<T>::Deserialize(text, context);
  }

  const AnySerdes::Functions<T>* serdes_;
  absl::optional<T> value_;
};

// The answer to a callback: text passes through as the outsider sent it, any other type is read by
// its serdes.
template <typename T>
class CallbackSlot final : public TypedSlot<T> {
 public:
  using TypedSlot<T>::TypedSlot;

 private:
  absl::StatusOr<T> ReadDefault(absl::string_view text,
                                const SerdesContext& context) const override {
    if constexpr (std::is_same_v<T, std::string>) {
      return std::string(text);
    } else {
      return Serdes<T>::Deserialize(text, context);
    }
  }
};

// What an operation returns for `status` and the value in `slot`.
template <typename Operation, typename T>
Operation ToResult(absl::Status status, TypedSlot<T>& slot) {
  if constexpr (std::is_same_v<Operation, absl::Status>) {
    return status;
  } else {
    if (!status.ok()) return status;
    return slot.Take();
  }
}

// Serialize and Deserialize with every failure, thrown or returned, turned into a Status: of kind
// kSerdes, or one for which IsTransientSerdesError holds when the serdes reported UnavailableError.
absl::StatusOr<std::string> Encode(const ResultSlot& slot, const SerdesContext& context);
absl::StatusOr<std::string> EncodeWith(absl::FunctionRef<absl::StatusOr<std::string>()> serialize);
absl::Status Decode(ResultSlot& slot, absl::optional<absl::string_view> text,
                    const SerdesContext& context);
bool IsTransientSerdesError(const absl::Status& status);

}  // namespace internal
}  // namespace durable

#endif  // REHEARSE_CLIENT_CPP_DURABLE_INTERNAL_RESULT_SLOT_H_
