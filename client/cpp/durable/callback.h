// A callback: somebody outside holds its id and answers it, once.
//
//   DURABLE_ASSIGN_OR_RETURN(durable::Callback<std::string> approval,
//                            ctx.CreateCallback("approval"));
//   DURABLE_RETURN_IF_ERROR(
//       ctx.Step("ask", [&](durable::StepContext&) { return SendMail(approval.id()); }));
//   DURABLE_ASSIGN_OR_RETURN(std::string answer, approval.Result());
#ifndef REHEARSE_CLIENT_CPP_DURABLE_CALLBACK_H_
#define REHEARSE_CLIENT_CPP_DURABLE_CALLBACK_H_

#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client/cpp/durable/internal/result_slot.h"
#include "client/cpp/durable/serdes.h"

namespace durable {
namespace internal {

class Invocation;

// The type-independent part of a Callback.
struct CallbackHandle {
  // Reads the answer into `slot`; suspends while there is none.
  absl::Status Await(ResultSlot& slot) const;

  Invocation* invocation = nullptr;
  std::string operation_id;
  std::string callback_id;
};

}  // namespace internal

// Belongs to the invocation that created it and may be awaited there in any context, any number of
// times.
template <typename T>
class Callback {
 public:
  Callback(internal::CallbackHandle handle, internal::AnySerdes serdes)
      : handle_(std::move(handle)), serdes_(std::move(serdes)) {}

  // What the outsider answers to.
  const std::string& id() const { return handle_.callback_id; }

  // The answer. Suspends the context that is active on this thread until there is one. Errors:
  // kCallbackExternal, kCallbackTimeout (code DEADLINE_EXCEEDED), kSerdes.
  absl::StatusOr<T> Result() const {
    internal::CallbackSlot<T> slot(serdes_);
    absl::Status status = handle_.Await(slot);
    return internal::ToResult<absl::StatusOr<T>>(std::move(status), slot);
  }

 private:
  internal::CallbackHandle handle_;
  internal::AnySerdes serdes_;
};

}  // namespace durable

#endif  // REHEARSE_CLIENT_CPP_DURABLE_CALLBACK_H_
