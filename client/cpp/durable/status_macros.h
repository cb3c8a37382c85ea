// Macros for functions that return absl::Status or absl::StatusOr, as handlers and bodies of
// durable operations do.
//
//   absl::StatusOr<int> Total(durable::DurableContext& ctx) {
//     DURABLE_RETURN_IF_ERROR(ctx.Wait("pause", absl::Seconds(1)));
//     DURABLE_ASSIGN_OR_RETURN(int price,
//                              ctx.Step("price", [](durable::StepContext&) { return 7; }));
//     return price;
//   }
//
// A lambda that uses them spells out its return type, because they return a Status. The first
// argument of DURABLE_ASSIGN_OR_RETURN holds no comma outside brackets.
#ifndef REHEARSE_CLIENT_CPP_DURABLE_STATUS_MACROS_H_
#define REHEARSE_CLIENT_CPP_DURABLE_STATUS_MACROS_H_

#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client/cpp/durable/internal/unwind.h"

#define DURABLE_INTERNAL_CONCAT_2(a, b) a##b
#define DURABLE_INTERNAL_CONCAT(a, b) DURABLE_INTERNAL_CONCAT_2(a, b)

#define DURABLE_RETURN_IF_ERROR(...)                                   \
  do {                                                                 \
    ::absl::Status durable_internal_status = (__VA_ARGS__);            \
    if (!durable_internal_status.ok()) return durable_internal_status; \
  } while (false)

#define DURABLE_ASSIGN_OR_RETURN(lhs, ...)                                                       \
  DURABLE_INTERNAL_ASSIGN_OR_RETURN(DURABLE_INTERNAL_CONCAT(durable_internal_result_, __LINE__), \
                                    lhs, (__VA_ARGS__))

// NOLINTBEGIN(bugprone-macro-parentheses): `result` and `lhs` are declarations.
#define DURABLE_INTERNAL_ASSIGN_OR_RETURN(result, lhs, expression) \
  auto result = expression;                                        \
  if (!result.ok()) return std::move(result).status();             \
  lhs = *std::move(result)
// NOLINTEND(bugprone-macro-parentheses)

// First statement of a `catch (...)` around durable operations: lets the SDK's unwinding pass.
// Without it nothing is lost - a swallowed suspension stays a suspension - but the statements that
// follow run once more than needed.
#ifdef __cpp_exceptions
#define DURABLE_RETHROW_IF_UNWINDING                            \
  do {                                                          \
    if (::durable::internal::CurrentExceptionIsUnwind()) throw; \
  } while (false)
#else
#define DURABLE_RETHROW_IF_UNWINDING static_cast<void>(0)
#endif

#endif  // REHEARSE_CLIENT_CPP_DURABLE_STATUS_MACROS_H_
