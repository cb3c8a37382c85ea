// Handler: any durable function, R(DurableContext&, const In&), with its types erased; and the
// functions of a program.
//
//   absl::StatusOr<int> Double(durable::DurableContext& ctx, const int& number) {
//     return ctx.Step("double", [&](durable::StepContext&) { return 2 * number; });
//   }
//   DURABLE_FUNCTION("double", Double);    // at namespace scope: a worker serves it by this name
//
//   durable::Handler handler(Double);         // or by hand
//
// Input and result are written by Serdes<In> and Serdes<R>.
#ifndef REHEARSE_CLIENT_CPP_DURABLE_HANDLER_H_
#define REHEARSE_CLIENT_CPP_DURABLE_HANDLER_H_

#include <functional>
#include <map>
#include <string>
#include <type_traits>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "client/cpp/durable/durable_context.h"
#include "client/cpp/durable/internal/result_slot.h"

namespace durable {
namespace internal {

// The type of a callable's second argument.
template <typename F, typename = void>
struct InputOf {
  static_assert(!std::is_same_v<F, F>,
                "a durable function is R(durable::DurableContext&, const In&), without auto; In is "
                "durable::Json where anything may come in, or nothing");
  using Type = Json;
};
template <typename F>
struct InputOf<F, std::void_t<decltype(&F::operator())>> : InputOf<decltype(&F::operator())> {};
template <typename R, typename In>
struct InputOf<R (*)(DurableContext&, In)> {
  using Type = std::decay_t<In>;
};
template <typename R, typename C, typename In>
struct InputOf<R (C::*)(DurableContext&, In)> : InputOf<R (*)(DurableContext&, In)> {};
template <typename R, typename C, typename In>
struct InputOf<R (C::*)(DurableContext&, In) const> : InputOf<R (*)(DurableContext&, In)> {};

}  // namespace internal

// Copyable. The function is called through a const reference, from several threads at once when
// several invocations run.
class Handler {
 public:
  template <typename F, typename = std::enable_if_t<!std::is_same_v<std::decay_t<F>, Handler>>>
  Handler(F&& function)  // NOLINT(google-explicit-constructor): a function is a handler
      : call_(Erase(std::decay_t<F>(std::forward<F>(function)))) {}

  // The result as text. `input` is absent when the execution was started without one. What the
  // function throws passes.
  absl::StatusOr<std::string> Call(DurableContext& context, absl::optional<absl::string_view> input,
                                   const SerdesContext& serdes) const {
    return call_(context, input, serdes);
  }

 private:
  using Erased = std::function<absl::StatusOr<std::string>(
      DurableContext&, absl::optional<absl::string_view>, const SerdesContext&)>;

  template <typename F>
  static Erased Erase(F function) {
    using In = typename internal::InputOf<F>::Type;
    return [function = std::move(function)](
               DurableContext& context, absl::optional<absl::string_view> text,
               const SerdesContext& serdes) -> absl::StatusOr<std::string> {
      const internal::AnySerdes none;
      internal::TypedSlot<In> input(none);
      absl::Status status = internal::Decode(input, text, serdes);
      if (!status.ok()) return status;
      internal::TypedSlot<internal::ValueOf<const F, DurableContext&, const In&>> result(none);
      status = result.Capture(function, context, input.get());
      if (!status.ok()) return status;
      return internal::Encode(result, serdes);
    };
  }

  Erased call_;
};

// Registers for the whole program; a name registered twice stops it. Returns true.
bool RegisterFunction(absl::string_view name, Handler handler);

// Everything that was registered, by name. Registration happens before main, reading after.
const std::map<std::string, Handler>& RegisteredFunctions();

}  // namespace durable

#define DURABLE_INTERNAL_FUNCTION_2(name, function, line)        \
  [[maybe_unused]] static const bool durable_registered_##line = \
      ::durable::RegisterFunction(name, function)
#define DURABLE_INTERNAL_FUNCTION(name, function, line) \
  DURABLE_INTERNAL_FUNCTION_2(name, function, line)
#define DURABLE_FUNCTION(name, function) DURABLE_INTERNAL_FUNCTION(name, function, __LINE__)

#endif  // REHEARSE_CLIENT_CPP_DURABLE_HANDLER_H_
