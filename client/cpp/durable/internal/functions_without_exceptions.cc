#include "client/cpp/durable/internal/functions_without_exceptions.h"

#include "client/cpp/durable/durable.h"

#ifdef __cpp_exceptions
#error "this file is to be compiled without exceptions"
#endif

namespace durable {
namespace internal {

Handler WaitsAndWorks() {
  return [](DurableContext& ctx, const Json&) -> absl::StatusOr<int> {
    DURABLE_RETURN_IF_ERROR(ctx.Wait("pause", absl::Seconds(1)));
    return ctx.RunInChildContext("child", [](DurableContext& child) -> absl::StatusOr<int> {
      DURABLE_RETURN_IF_ERROR(child.Wait("inner pause", absl::Seconds(1)));
      return child.Step("work", [](StepContext&) { return 7; });
    });
  };
}

Handler IgnoresSuspension() {
  return [](DurableContext& ctx, const Json&) -> int {
    (void)ctx.RunInChildContext("child", [](DurableContext& child) -> absl::Status {
      (void)child.Wait("pause", absl::Seconds(1));
      return MakeError("Bad", "taken for an error");
    });
    (void)ctx.Step("never", [](StepContext&) {});
    return 1;
  };
}

}  // namespace internal
}  // namespace durable
