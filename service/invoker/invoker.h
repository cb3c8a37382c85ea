// Invoker: runs one invocation of one function somewhere.
//
// The executor first acquires a lease - a place that is free for one invocation - and only then
// decides what to send, so that a queued invocation starts with the newest state.
//
//   invoker.Acquire({"default", "orders"}, [](absl::StatusOr<std::unique_ptr<InvocationLease>>
//   lease) {
//     (*lease)->Start(std::move(invocation), [](InvocationEnd end) { ... });
//   });
#ifndef REHEARSE_SERVICE_INVOKER_INVOKER_H_
#define REHEARSE_SERVICE_INVOKER_INVOKER_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "rehearse/v1/function_host.pb.h"
#include "service/base/function_key.h"

namespace rehearse {

// How an invocation ended.
struct InvocationEnd {
  enum class Kind {
    // The function answered `payload`.
    kAnswered,
    // The runtime reported `error`.
    kFunctionError,
    // The place broke while the invocation ran; `error` is Runtime.ExitError.
    kCrashed,
  };
  Kind kind;
  std::string payload;
  v1::ErrorObject error;
};

// A place held for one invocation. Destroying a lease that was not started gives the place back.
// Destroying one whose invocation runs lets that run to its end unheard.
class InvocationLease {
 public:
  using Ended = absl::AnyInvocable<void(InvocationEnd)>;

  virtual ~InvocationLease() = default;

  // Call once. `ended` is called once, on any thread.
  virtual void Start(v1::ServeResponse::Invocation invocation, Ended ended) = 0;

  // Tells the running invocation that it is of no more use.
  virtual void Abort(v1::ServeResponse::Abort::Reason reason) = 0;
};

class Invoker {
 public:
  using Ready = absl::AnyInvocable<void(absl::StatusOr<std::unique_ptr<InvocationLease>>)>;

  virtual ~Invoker() = default;

  // Asks for a place to run `function`. `ready` is called once, on any thread and possibly before
  // Acquire returns: with a lease as soon as a place is free - requests of one function are served
  // in order - or with errors::FunctionNotFound when the function is not or no longer known.
  virtual void Acquire(const FunctionKey& function, Ready ready) = 0;

  // Whether any place serves the function at the moment, free or not.
  virtual bool HasPlace(const FunctionKey& function) = 0;

  // Whether a place is free.
  virtual bool HasFreePlace(const FunctionKey& function) = 0;
  // The functions that places serve at the moment, each with how many of them are free.
  struct ServedFunction {
    FunctionKey function;
    int free = 0;
  };
  virtual std::vector<ServedFunction> ServedFunctions() = 0;
  // `freed` is called, on any thread, when a place has become free that no request here waits for.
  // It must not block. Call once, before there are places.
  virtual void SetFreedListener(absl::AnyInvocable<void()> freed) = 0;

  // Forgets the function: queued requests for it fail with errors::FunctionNotFound, running
  // invocations end as they will.
  virtual void RemoveFunction(const FunctionKey& function) = 0;
  // Aborts what runs for the session and fails what is queued with errors::SessionNotFound.
  virtual void RemoveSession(absl::string_view session) = 0;
};

}  // namespace rehearse

#endif  // REHEARSE_SERVICE_INVOKER_INVOKER_H_
