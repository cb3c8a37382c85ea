// Suite 2: wait.
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "client/cpp/durable/durable.h"

namespace rehearse::conformance {
namespace {

using ::durable::DurableContext;
using ::durable::Json;

absl::Status Pause(DurableContext& ctx, const Json&) { return ctx.Wait("", absl::Seconds(2)); }
DURABLE_FUNCTION("2-1", Pause);

absl::Status NamedPause(DurableContext& ctx, const Json&) {
  return ctx.Wait("custom_wait_name", absl::Seconds(2));
}
DURABLE_FUNCTION("2-2", NamedPause);

absl::StatusOr<Json> PauseTwice(DurableContext& ctx, const Json&) {
  DURABLE_RETURN_IF_ERROR(ctx.Wait("wait-1", absl::Seconds(2)));
  DURABLE_RETURN_IF_ERROR(ctx.Wait("wait-2", absl::Seconds(2)));
  return Json{{"completedWaits", 2}};
}
DURABLE_FUNCTION("2-3", PauseTwice);

absl::Status PauseOneMinute(DurableContext& ctx, const Json&) {
  return ctx.Wait("", absl::Minutes(1));
}
DURABLE_FUNCTION("2-4", PauseOneMinute);

absl::Status PauseOneHour(DurableContext& ctx, const Json&) { return ctx.Wait("", absl::Hours(1)); }
DURABLE_FUNCTION("2-5", PauseOneHour);

}  // namespace
}  // namespace rehearse::conformance
